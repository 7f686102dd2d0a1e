"""From what a user calls a preset to a directory with its files."""

import dataclasses
import logging
import os
import re
from pathlib import Path

from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError, did_you_mean
from keras_video.presets.hub import (
    HubUnreachableError,
    RepositoryMissingError,
    download_repository,
    is_offline,
)
from keras_video.presets.preset import Preset
from keras_video.presets.registry import get_preset, list_presets
from keras_video.presets.transformers_folder import (
    is_transformers_folder,
    transformers_manifest,
    transformers_weights,
)

logger = logging.getLogger("keras_video")

BUNDLED = Path(__file__).parent / "bundled"

_HUB_URI = re.compile(r"hf://([^/@]+/[^/@]+)(?:@(.+))?")


@dataclasses.dataclass(frozen=True)
class PresetSource:
    """Where a preset's files are.

    Args:
        directory: a folder with the files; `None` when the manifest alone is enough.
        preset: the manifest, for a registered name.
    """

    directory: Path | None
    preset: Preset | None = None


def find_preset(preset: str | os.PathLike) -> Path | Preset | str:
    """Tells which kind of preset a user named, without any download.

    Returns:
        A local directory, a registered `Preset`, or an `hf://` address.

    Raises:
        PresetError: if it is none of them.
    """
    if not isinstance(preset, str | os.PathLike):
        raise PresetError(
            f"A preset is a name, a directory or 'hf://org/name'. Received: {preset!r}"
        )
    text = os.fspath(preset)
    # These functions of os.path answer "no" where those of pathlib raise: a name that is too long,
    # a home that is unknown.
    folder = os.path.expanduser(text)
    if os.path.isfile(os.path.join(folder, files.CONFIG)):
        return Path(folder)
    if text.startswith("hf://"):
        if not _HUB_URI.fullmatch(text):
            raise PresetError(
                f"A Hub preset is written 'hf://org/name' or 'hf://org/name@revision'. "
                f"Received: {text!r}"
            )
        return text
    names = list_presets()
    if text in names:
        return get_preset(text)
    if os.path.isdir(folder):
        problem = f"The directory holds no preset: it has no {files.CONFIG}."
    else:
        problem = (
            f"Unknown preset.{did_you_mean(text, names)} It is no directory with a "
            f"{files.CONFIG}, no 'hf://org/name', and no name of keras_video.list_presets()."
        )
    raise PresetError(f"{problem} Received: {text!r}")


def resolve_preset(
    preset: Path | Preset | str,
    *,
    load_weights: bool = True,
    revision: str | None = None,
    cache_dir=None,
    local_files_only: bool = False,
    **access,
) -> PresetSource:
    """Brings a preset's files onto this machine.

    Args:
        preset: from `find_preset`.
        load_weights, revision, cache_dir, local_files_only: as in `from_preset`.
        **access: `token` and `endpoint` of the Hub.

    Raises:
        PresetError: if the files can't be had; the message says from where, and why not.
    """
    hub_options = {
        "load_weights": load_weights,
        "cache_dir": cache_dir,
        "local_files_only": local_files_only,
        **access,
    }
    if isinstance(preset, Path):
        if revision is not None:
            raise PresetError(
                f"A directory has no revisions. Received: {str(preset)!r}, revision={revision!r}"
            )
        return _readable(preset, None, load_weights, cache_dir)
    if isinstance(preset, str):
        repository, pinned = _HUB_URI.fullmatch(preset).groups()
        if revision and pinned and revision != pinned:
            raise PresetError(
                f"Two revisions are given; keep one. Received: {preset!r}, revision={revision!r}"
            )
        folder = download_repository(repository, revision=revision or pinned, **hub_options)
        return _readable(folder, None, load_weights, cache_dir, repository)
    if preset.bundled and revision is None:
        return PresetSource(_bundled_folder(preset), preset)
    try:
        folder = download_repository(
            preset.hub_repository, revision=revision or preset.revision, **hub_options
        )
    except (RepositoryMissingError, HubUnreachableError) as error:
        # A revision that the caller asks for exists on the Hub or nowhere.
        if revision is not None:
            raise
        return _without_hub(preset, error, load_weights, cache_dir, local_files_only)
    return _readable(folder, preset, load_weights, cache_dir)


def _readable(
    folder: Path, preset: Preset | None, load_weights: bool, cache_dir, repository=None
) -> PresetSource:
    """A folder of ours as it is; one of transformers after its conversion, once."""
    if not is_transformers_folder(folder):
        return PresetSource(folder, preset)
    manifest = transformers_manifest(folder, repository or folder.name)
    if preset is not None:
        # What is registered knows better than the folder, which knows the labels.
        manifest = dataclasses.replace(preset, labels=preset.labels or manifest.labels)
    if not load_weights:
        return PresetSource(None, manifest)
    from keras_video.presets.original import converted_original

    weights = transformers_weights(folder)
    return PresetSource(converted_original(manifest, cache_dir, weights), manifest)


def _without_hub(
    preset: Preset, error: PresetError, load_weights: bool, cache_dir, local_files_only: bool
) -> PresetSource:
    if not load_weights:
        return PresetSource(None, preset)
    # Conversion needs Keras: it is imported only when it comes to that.
    from keras_video.presets.original import converted_original, find_converted

    if preset.source_url is None:
        raise error
    converted = find_converted(preset, cache_dir)
    if converted is None and is_offline(local_files_only):
        raise PresetError(
            f"The preset {preset.name!r} isn't on this machine, and the network is off "
            "(HF_HUB_OFFLINE or local_files_only): load it once with the network on. "
            f"Received: {preset.name!r}"
        ) from error
    if converted is None:
        if isinstance(error, HubUnreachableError):
            logger.warning("%s Taking the original checkpoint instead.", error)
        converted = converted_original(preset, cache_dir)
    return PresetSource(converted, preset)


def _bundled_folder(preset: Preset) -> Path:
    folder = BUNDLED / preset.name
    if not (folder / files.CONFIG).is_file():
        raise PresetError(
            f"The preset {preset.name!r} should ship with keras_video but its files are missing: "
            f"reinstall the package. Received: {str(folder)!r}"
        )
    return folder
