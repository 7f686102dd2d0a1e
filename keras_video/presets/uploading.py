"""Publishes presets on the Hugging Face Hub."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from keras_video._version import __version__
from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError, one_line
from keras_video.presets.hub import hub_address, is_network_error
from keras_video.presets.preset_card import saved_card
from keras_video.presets.saving import save_preset
from keras_video.presets.trusted_config import read_object_config

_URI = re.compile(r"hf://([^/@]+(?:/[^/@]+)?)")


def upload_preset(
    uri: str,
    preset,
    *,
    private: bool = False,
    revision: str | None = None,
    token: str | bool | None = None,
    endpoint: str | None = None,
    message: str = "Upload with keras_video",
    keras_core: bool = False,
    weights_dtype: str | None = None,
) -> str:
    """Uploads a preset to a Hub repository, which is created if needed.

    A model card (`README.md`) is written into the directory if it has none. Only a preset's own
    files are uploaded; files of an earlier upload that the preset lacks now are deleted.

    Args:
        uri: `"hf://org/name"`, or `"hf://name"` for the user's own account.
        preset: the directory of a saved preset, or a model.
        private: whether a new repository is private.
        revision: branch to commit to; `None` is `main`.
        token: Hub token with write access; `None` uses the one that `hf auth login` stored.
        endpoint: address of the Hub; `None` uses the public one.
        message: commit message.
        keras_core, weights_dtype: as in `save_preset`, when a model is given.

    Returns:
        The address of the commit.

    Raises:
        PresetError: if the address is malformed, the directory holds no preset, or the Hub
            refuses.

    Example:

    >>> model.save_to_preset("my_tsm")
    >>> keras_video.presets.upload_preset("hf://me/my_tsm", "my_tsm")
    """
    match = _URI.fullmatch(uri) if isinstance(uri, str) else None
    if match is None:
        raise PresetError(f"An upload goes to 'hf://org/name'. Received: uri={uri!r}")
    access = {"token": token, "endpoint": endpoint}
    commit = {"private": private, "revision": revision, "message": message}
    if isinstance(preset, str | os.PathLike):
        if keras_core or weights_dtype is not None:
            raise PresetError(
                "keras_core and weights_dtype say how a model is saved; this preset is saved "
                f"already. Received: {os.fspath(preset)!r}"
            )
        return _upload(match[1], Path(os.path.expanduser(preset)), access, **commit)
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "preset"
        save_preset(preset, saved, keras_core=keras_core, weights_dtype=weights_dtype)
        return _upload(match[1], saved, access, **commit)


def _upload(
    repository: str, folder: Path, access: dict, *, private: bool, revision, message: str
) -> str:
    for name in (files.CONFIG, files.WEIGHTS):
        if not (folder / name).is_file():
            raise PresetError(
                f"The directory holds no preset: it has no {name}. Received: {str(folder)!r}"
            )
    return upload_files(
        repository,
        folder,
        access,
        files.SAVED_FILES,
        _write_card,
        private=private,
        revision=revision,
        message=message,
    )


def upload_files(
    repository: str,
    folder: Path,
    access: dict,
    names: Sequence[str],
    write_card: Callable[[str, Path], None],
    *,
    private: bool = False,
    revision: str | None = None,
    message: str,
) -> str:
    """Uploads a folder's files of these names, and its model card.

    Args:
        repository: `"org/name"`, or a name in the user's own account.
        folder: where the files are; those that it hasn't are deleted from the repository.
        access: `token` and `endpoint`.
        names: paths below the folder.
        write_card: called as `write_card(repository, folder)` before the upload.
        private, revision, message: as in `upload_preset`.

    Returns:
        The address of the commit.

    Raises:
        PresetError: if the Hub refuses.
    """
    api = _api(access)
    with _explained(repository, access["endpoint"]):
        repository = api.create_repo(repository, exist_ok=True, private=private).repo_id
        write_card(repository, folder)
        return api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            commit_message=message,
            revision=revision,
            allow_patterns=[*names, files.CARD],
            delete_patterns=list(names),
        ).commit_url


def check_access(repository: str, access: dict) -> None:
    """Asks the Hub whether a token is valid and may write, before the work is done.

    Args:
        repository: where the upload will go.
        access: `token` and `endpoint`.

    Raises:
        PresetError: if not, or if the Hub can't be reached.
    """
    with _explained(repository, access["endpoint"]):
        user = _api(access).whoami()
    if user.get("auth", {}).get("accessToken", {}).get("role") == "read":
        raise PresetError(
            "The token may only read: use one that may write to this account. "
            f"Received: 'hf://{repository}'"
        )


def published_files(
    repository: str, access: dict, revision: str | None = None
) -> tuple[str | None, dict[str, str]]:
    """What a repository has.

    Args:
        repository: `"org/name"`.
        access: `token` and `endpoint`.
        revision: branch; `None` is `main`.

    Returns:
        The address of the latest commit, `None` if there is no such repository or branch; and
        `{path: id}`, where the id is git's of the content, or the SHA-256 of a file in LFS.

    Raises:
        PresetError: if the Hub refuses or can't be reached.
    """
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    api = _api(access)
    with _explained(repository, access["endpoint"]):
        try:
            commit = api.model_info(repository, revision=revision).sha
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return None, {}
        entries = list(api.list_repo_tree(repository, recursive=True, revision=commit))
    ids = {
        entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id
        for entry in entries
        if hasattr(entry, "blob_id")  # Folders have none.
    }
    return f"{hub_address(access['endpoint'])}/{repository}/commit/{commit}", ids


def _api(access: dict):
    from huggingface_hub import HfApi

    return HfApi(library_name="keras-video", library_version=__version__, **access)


@contextlib.contextmanager
def _explained(repository: str, endpoint: str | None) -> Iterator[None]:
    """Turns the errors of the Hub's client into ones that say what to do."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        yield
    except PresetError:
        raise
    except (HFValidationError, HfHubHTTPError, OSError, RuntimeError) as error:
        raise PresetError(_explanation(error, repository, endpoint)) from error
    except Exception as error:
        # The errors of the client's HTTP library have no common base class across its versions.
        if not is_network_error(error):
            raise
        raise PresetError(_explanation(error, repository, endpoint)) from error


def _write_card(repository: str, folder: Path) -> None:
    card, metadata = folder / files.CARD, folder / files.METADATA
    if card.exists():
        return
    known = json.loads(metadata.read_text(encoding="utf-8")) if metadata.is_file() else {}
    config = read_object_config(folder / files.CONFIG)
    card.write_text(saved_card(repository, folder, config, known).text(), encoding="utf-8")


def _explanation(error: Exception, repository: str, endpoint: str | None) -> str:
    from huggingface_hub.errors import HFValidationError

    received = f"Received: 'hf://{repository}'"
    if isinstance(error, HFValidationError):
        return f"Not a Hub repository: {one_line(error)} {received}"
    response = getattr(error, "response", None)
    if response is None:
        # The client wraps what went wrong with a file in a RuntimeError.
        cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
        problem = "can't be reached" if is_network_error(cause) else "didn't get the files"
        return f"The Hub at {hub_address(endpoint)} {problem}: {one_line(cause)}. {received}"
    status = response.status_code
    advice = {
        401: "log in with `hf auth login` or pass token=",
        403: "use a token that may write to this account",
        404: "check the name and that your token may see it",
    }.get(status, "try again later")
    reason = response.headers.get("X-Error-Message") or one_line(error)
    return f"The Hub refuses the upload ({status}: {reason}): {advice}. {received}"
