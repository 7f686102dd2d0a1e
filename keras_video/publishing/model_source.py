"""`ModelSource`: the original of a model's preset, for a copy to be made of."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

from keras_video.presets import preset_files as files
from keras_video.presets.download import download, mirrored
from keras_video.presets.errors import PresetError
from keras_video.presets.loading import load_preset
from keras_video.presets.model_card import ModelCard
from keras_video.presets.preset import Preset
from keras_video.presets.preset_card import preset_card, saved_card
from keras_video.presets.saving import write_preset
from keras_video.presets.trusted_config import read_object_config
from keras_video.presets.weights import STORED_DTYPES

# Entries of the manifest that a published preset says of itself.
_FACTS = (
    "description",
    "dataset",
    "source_url",
    "metrics",
    "metrics_source",
    "metrics_provenance",
    "license",
)


class ModelSource:
    """A model as its authors published it, converted; or the directory of a saved one.

    Args:
        preset: the manifest, or the directory.
        keras_core: whether copies have Keras' own file of weights, too.
    """

    names = files.SAVED_FILES

    def __init__(self, preset: Preset | Path, keras_core: bool = True):
        self.preset = preset if isinstance(preset, Preset) else None
        self.folder = preset if self.preset is None else None
        self.keras_core = keras_core

    @property
    def name(self) -> str:
        return self.folder.resolve().name if self.preset is None else self.preset.name

    def prepare(self, workdir: Path, access: dict, report: Callable[[str], None]) -> None:
        """Brings the original here and converts it, as far as that isn't done.

        Raises:
            PresetError: the preset has no original, or it can't be had or used.
        """
        if self.preset is not None:
            self.folder = _converted(self.preset, workdir, access, report)

    def digest(self) -> list:
        """What a copy depends on, as plain values."""
        stats = [(path, path.stat()) for path in map(self.folder.joinpath, self.names)
                 if path.is_file()]  # fmt: skip
        manifest = {} if self.preset is None else dataclasses.asdict(self.preset)
        described = [[path.name, stat.st_size, stat.st_mtime_ns] for path, stat in stats]
        return [self.keras_core, json.dumps(manifest, sort_keys=True, default=str), described]

    def load(self):
        """The model."""
        return load_preset(self.folder)

    def load_copy(self, folder: Path):
        """The model that `save` has saved."""
        return load_preset(folder)

    def save(self, model, folder: Path) -> None:
        """Saves the model as it is published."""
        saved = self._saved_metadata()
        stored = saved.get("weights_dtype")
        if self.preset is None:
            metadata = saved
        else:
            facts = {fact: getattr(self.preset, fact) for fact in _FACTS}
            metadata = {"preset": self.name, **{k: v for k, v in facts.items() if v}}
        write_preset(
            model,
            folder,
            config=read_object_config(self.folder / files.CONFIG),
            keras_core=self.keras_core,
            weights_dtype=stored if stored in STORED_DTYPES[1:] else None,
            metadata=metadata,
        )

    def card(self, repository: str) -> ModelCard:
        """The model card."""
        if self.preset is not None:
            return preset_card(self.preset, repository)
        config = read_object_config(self.folder / files.CONFIG)
        return saved_card(repository, self.folder, config, self._saved_metadata())

    def _saved_metadata(self) -> dict:
        path = self.folder / files.METADATA
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _converted(preset: Preset, workdir: Path, access: dict, report: Callable[[str], None]) -> Path:
    """The directory of a preset as its authors' files make it."""
    from keras_video.presets.original import converted_original, find_converted
    from keras_video.presets.resolution import resolve_preset

    cache = workdir / "cache"
    if preset.source_url is None:
        if not preset.bundled and preset.repository is None:
            raise PresetError(
                "The preset has no original to convert: its manifest has no source_url. "
                f"Received: {preset.name!r}"
            )
        report(f"Original: {'in the package' if preset.bundled else f'hf://{preset.repository}'}")
        return resolve_preset(preset, cache_dir=cache, **access).directory
    checkpoint = workdir / "checkpoint" / Path(mirrored(preset.source_url)).name
    if checkpoint.is_file():
        report(f"Original: {checkpoint}, there already")
    else:
        report(f"Original: downloading {mirrored(preset.source_url)}")
        _download(preset, checkpoint)
    done = find_converted(preset, cache, checkpoint)
    report(f"Converted: {done}, there already" if done else "Converting")
    return converted_original(preset, cache, checkpoint)


def _download(preset: Preset, target: Path) -> None:
    """The file appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    try:
        download(mirrored(preset.source_url), partial)
    except PresetError as error:
        raise PresetError(f"{error} Received: {preset.source_url!r}") from error
    os.replace(partial, target)
