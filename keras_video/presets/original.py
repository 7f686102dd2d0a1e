"""Original checkpoints: downloaded from their authors, converted once, kept as presets."""

import dataclasses
import hashlib
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

from keras_video.presets import preset_files as files
from keras_video.presets.arguments import argument_names
from keras_video.presets.checkpoint_reader import read_tensors
from keras_video.presets.conversion import check_model_arguments, choose_format, fill
from keras_video.presets.download import download, mirrored
from keras_video.presets.errors import PresetError, one_line
from keras_video.presets.import_string import import_object
from keras_video.presets.label_files import read_labels
from keras_video.presets.manifest import attach_extras
from keras_video.presets.preset import Preset
from keras_video.presets.saving import write_preset
from keras_video.presets.trusted_config import object_config

logger = logging.getLogger("keras_video")

# The parts of a manifest that a converted copy depends on.
_KEY_FIELDS = (
    "model",
    "config",
    "preprocessor",
    "preprocessor_class",
    "labels",
    "labels_url",
    "source_url",
    "source_format",
)


def find_converted(preset: Preset, cache_dir=None, checkpoint: Path | None = None) -> Path | None:
    """Returns the directory of a copy that was converted before, if there is one."""
    folder = _converted_folder(preset, cache_dir, checkpoint)
    return folder if (folder / files.CONFIG).is_file() else None


def converted_original(preset: Preset, cache_dir=None, checkpoint: Path | None = None) -> Path:
    """Downloads and converts a preset's original checkpoint, unless that was done before.

    Processes that want the same preset wait for the first one. On any failure the cache is as
    it was.

    Args:
        preset: a manifest.
        cache_dir: as in `from_preset`; `None` uses `KERAS_VIDEO_CACHE`.
        checkpoint: the original checkpoint, where it is on this machine; `None` downloads the
            manifest's `source_url`.

    Returns:
        The directory of the converted preset.

    Raises:
        PresetError: if the checkpoint can't be downloaded, isn't one, or doesn't fit.
    """
    from filelock import FileLock

    folder = _converted_folder(preset, cache_dir, checkpoint)
    try:
        locks = folder.parent / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / f"{folder.name}.lock"):
            if find_converted(preset, cache_dir, checkpoint) is None:
                _convert(preset, folder, checkpoint)
    except OSError as error:
        raise PresetError(
            f"The cache can't be written: {one_line(error)}; set KERAS_VIDEO_CACHE or cache_dir= "
            f"to a directory that can. Received: {str(folder)!r}"
        ) from error
    return folder


def _convert(preset: Preset, folder: Path, checkpoint: Path | None) -> None:
    source = mirrored(preset.source_url) if checkpoint is None else str(checkpoint)
    logger.info("Converting %s for the preset %s, once.", source, preset.name)
    prefix = f".{folder.name}."
    # Whoever was killed here before held the lock that we hold now.
    for leftover in folder.parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix) as temporary:
        try:
            if checkpoint is None:
                checkpoint = Path(temporary) / Path(source).name
                download(source, checkpoint)
            model = _converted_model(preset, checkpoint)
            labels = _original_labels(preset, Path(temporary))
            attach_extras(model, dataclasses.replace(preset, labels=labels))
        except (ValueError, TypeError) as error:
            raise PresetError(
                f"The original checkpoint of the preset {preset.name!r} can't be used: {error} "
                f"Received: {source!r}"
            ) from error
    config = object_config(model)
    if "dtype" in config["config"]:
        # Built in float32 to keep every bit; the manifest says in which type it is loaded.
        config["config"]["dtype"] = preset.config.get("dtype")
    write_preset(model, folder, config=config, metadata=_metadata(preset))


def _converted_model(preset: Preset, checkpoint: Path):
    tensors = read_tensors(checkpoint)
    model_class = import_object(preset.model)
    arguments = dict(preset.config)
    if "dtype" in argument_names(model_class):
        arguments["dtype"] = "float32"
    model = model_class(**arguments)
    name, chosen = choose_format(model, preset.source_format, tensors)
    check_model_arguments(model, name, chosen)
    fill(model, tensors, chosen, preset.source_part)
    return model


def _original_labels(preset: Preset, folder: Path):
    """The manifest's labels, or those of the authors' list."""
    if preset.labels is not None or preset.labels_url is None:
        return preset.labels
    path = folder / files.LABELS
    download(mirrored(preset.labels_url), path)
    return tuple(read_labels(path))


def _metadata(preset: Preset) -> dict:
    fields = ("description", "dataset", "repository", "source_url", "metrics", "metrics_source")
    known = {field: getattr(preset, field) for field in (*fields, "license")}
    known = {field: value for field, value in known.items() if value}
    return {"preset": preset.name, **known}


def _converted_folder(preset: Preset, cache_dir=None, checkpoint: Path | None = None) -> Path:
    manifest = dataclasses.asdict(preset)
    key = [manifest[field] for field in _KEY_FIELDS]
    if checkpoint is not None:
        # In the Hub's cache, a file is a link to one that is named after what it holds.
        file = checkpoint.resolve()
        key += [str(file), file.stat().st_size, file.stat().st_mtime_ns]
    key = json.dumps(key, sort_keys=True, default=str)
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    return _cache_root(cache_dir) / "converted" / f"{preset.name}-{digest}"


def _cache_root(cache_dir=None) -> Path:
    if cache_dir is not None:
        return Path(cache_dir).expanduser().absolute() / "keras_video"
    if own := os.environ.get("KERAS_VIDEO_CACHE"):
        return Path(own).expanduser().absolute()
    if hub := os.environ.get("HF_HOME"):
        return Path(hub).expanduser().absolute() / "keras_video"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "keras_video"
