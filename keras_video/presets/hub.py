"""Downloads a preset's files from the Hugging Face Hub, with errors that a user can act on."""

import re
from collections.abc import Sequence
from pathlib import Path

from keras_video._version import __version__
from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError, one_line
from keras_video.presets.transformers_folder import is_transformers_folder

_COMMIT = re.compile(r"[0-9a-f]{40}")


class RepositoryMissingError(PresetError):
    """The Hub has no such repository, or doesn't show it to this user."""


class HubUnreachableError(PresetError):
    """The Hub didn't answer, or must not be asked, and its files aren't in the cache."""


def is_offline(local_files_only: bool) -> bool:
    """Whether the network must not be used."""
    from huggingface_hub import constants

    return local_files_only or constants.HF_HUB_OFFLINE


def download_repository(
    repository: str,
    *,
    load_weights: bool = True,
    revision: str | None = None,
    token: str | bool | None = None,
    endpoint: str | None = None,
    cache_dir=None,
    local_files_only: bool = False,
    parts: Sequence[str] = (),
    optional_parts: Sequence[str] = (),
) -> Path:
    """Returns a local folder with a repository's preset files at one revision.

    Args:
        repository: `"org/name"`.
        parts: for an application, the folders of its models; without any, one model is wanted.
        optional_parts: those of them that may be absent.
        load_weights: whether the weights are needed; without them only small files come.
        revision, token, endpoint, cache_dir, local_files_only: as in `from_preset`.

    Raises:
        RepositoryMissingError: if there is no such repository (or it is private).
        HubUnreachableError: if there is no network and no cached copy.
        PresetError: if access is refused, the revision is unknown, or it holds no preset.
    """
    from huggingface_hub import snapshot_download

    small = [*files.SMALL_FILES, files.TRANSFORMERS_PREPROCESSOR]
    wanted = [*small, *([files.WEIGHTS] if load_weights else [])]
    if parts:
        wanted = [files.APPLICATION, *(f"{part}/{name}" for part in parts for name in wanted)]
    options = {
        "revision": revision,
        "token": token,
        "endpoint": endpoint,
        "cache_dir": cache_dir,
        "allow_patterns": wanted,
        "library_name": "keras-video",
        "library_version": __version__,
    }
    local_files_only = is_offline(local_files_only)
    pinned = revision is not None and _COMMIT.fullmatch(revision)
    try:
        if pinned and not local_files_only:
            folder = _cached(repository, options)
            if folder is not None and _missing(folder, load_weights, parts, optional_parts) is None:
                return folder
            # Asked for a commit, the client lists its files at once and, without a network,
            # retries for half a minute; this question fails at once.
            _ask(repository, revision, token, endpoint)
        folder = Path(snapshot_download(repository, local_files_only=local_files_only, **options))
        if _missing(folder, load_weights, parts, optional_parts) and is_transformers_folder(folder):
            # Older repositories have their weights as torch saves them.
            options["allow_patterns"] = [*small, files.TRANSFORMERS_WEIGHTS]
            snapshot_download(repository, local_files_only=local_files_only, **options)
    except Exception as error:
        explained = _explained(error, repository, revision, endpoint, local_files_only)
        if explained is None:
            raise
        raise explained from error
    missing = _missing(folder, load_weights, parts, optional_parts)
    if missing is None:
        return folder
    if local_files_only:
        raise _not_cached(_uri(repository, revision))
    kind = "application" if parts else "preset"
    raise PresetError(
        f"The Hub repository holds no keras_video {kind}: it has no {missing}. "
        f"Received: {_uri(repository, revision)!r}"
    )


def _ask(repository: str, revision: str, token, endpoint: str | None) -> None:
    from huggingface_hub import HfApi

    HfApi(endpoint=endpoint, token=token).model_info(repository, revision=revision)


def _cached(repository: str, options: dict) -> Path | None:
    """A commit never changes: when it is in the cache, the Hub needn't be asked."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, local_files_only=True, **options))
    except LocalEntryNotFoundError:
        return None


def _missing(
    folder: Path, load_weights: bool, parts: Sequence[str] = (), optional: Sequence[str] = ()
) -> str | None:
    """The first file that a preset or an application needs and the folder hasn't."""
    if parts:
        if not (folder / files.APPLICATION).is_file():
            return files.APPLICATION
        there = [part for part in parts if part not in optional or (folder / part).is_dir()]
        missing = {part: _missing(folder / part, load_weights) for part in there}
        return next((f"{part}/{name}" for part, name in missing.items() if name), None)
    if not (folder / files.CONFIG).is_file():
        return files.CONFIG
    weights = [files.WEIGHTS]
    if is_transformers_folder(folder):
        weights.append(files.TRANSFORMERS_WEIGHTS)
    has_weights = any((folder / name).is_file() for name in weights)
    return None if has_weights or not load_weights else files.WEIGHTS


def _explained(
    error: Exception,
    repository: str,
    revision: str | None,
    endpoint: str | None,
    local_files_only: bool,
) -> PresetError | None:
    """Returns the error to raise instead of the Hub client's, or `None` for a bug."""
    from huggingface_hub import errors

    uri = _uri(repository, revision)
    where = hub_address(endpoint)
    # A gated repository is a missing one to the client's class hierarchy: it comes first.
    if isinstance(error, errors.GatedRepoError):
        return PresetError(
            f"The Hub repository is gated: accept its licence at {where}/{repository}, then log "
            f"in with `hf auth login` or pass token=. Received: {uri!r}"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return RepositoryMissingError(
            f"The Hub has no repository {repository} at {where}, or it is private: check the "
            "name, or log in with `hf auth login` or pass token= of someone who may read it. "
            f"Received: {uri!r}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return PresetError(f"The Hub repository has no such revision. Received: {uri!r}")
    if isinstance(error, errors.HFValidationError):
        return PresetError(f"Not a Hub repository: {one_line(error)} Received: {uri!r}")
    cause = error.__cause__ or error
    status = getattr(getattr(cause, "response", None), "status_code", None)
    if status in (401, 403):
        return PresetError(
            f"The Hub refuses access ({status}): the token isn't valid or may not read this; "
            f"log in with `hf auth login` or pass token=. Received: {uri!r}"
        )
    if isinstance(error, errors.LocalEntryNotFoundError) and local_files_only:
        return _not_cached(uri)
    if is_network_error(error):
        return HubUnreachableError(
            f"The Hub at {where} can't be reached ({one_line(cause)}) and the cache has no "
            f"complete copy. Received: {uri!r}"
        )
    if isinstance(error, OSError):
        return PresetError(f"The download failed: {one_line(error)}. Received: {uri!r}")
    return None


def _not_cached(uri: str) -> HubUnreachableError:
    return HubUnreachableError(
        "The network is off (HF_HUB_OFFLINE or local_files_only) and the cache has no complete "
        f"copy: load it once with the network on. Received: {uri!r}"
    )


# The HTTP libraries that the Hub client has used; their errors aren't all OSError.
_CLIENTS = ("httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "huggingface_hub")


def is_network_error(error: BaseException) -> bool:
    """Whether the Hub client failed because of the network or the server."""
    of_client = type(error).__module__.partition(".")[0] in _CLIENTS
    return of_client or isinstance(error, ConnectionError | TimeoutError)


def hub_address(endpoint: str | None) -> str:
    """Returns the address of the Hub that an endpoint argument means."""
    from huggingface_hub import constants

    return endpoint or constants.ENDPOINT


def _uri(repository: str, revision: str | None) -> str:
    return f"hf://{repository}" + (f"@{revision}" if revision else "")
