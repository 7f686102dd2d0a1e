"""`ApplicationSource`: the originals of an application's models, for a copy to be made of."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from keras_video.applications.application import Application
from keras_video.applications.application_card import application_card
from keras_video.applications.application_preset import ApplicationPreset
from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError
from keras_video.presets.model_card import ModelCard
from keras_video.presets.registry import get_preset
from keras_video.publishing.model_source import ModelSource


class ApplicationSource:
    """An application of models as their authors published them, converted.

    Args:
        preset: its manifest.

    Raises:
        PresetError: its models can't be had one by one.
    """

    def __init__(self, preset: ApplicationPreset):
        if not preset.parts:
            raise PresetError(
                "The application's models can't be converted one by one: train your own, and "
                f"upload it with its upload_preset. Received: {preset.name!r}"
            )
        self.preset = preset
        self.parts = {part: ModelSource(get_preset(name)) for part, name in preset.parts.items()}
        names = [f"{part}/{name}" for part in self.parts for name in files.SAVED_FILES]
        self.names = (files.APPLICATION, *names)

    @property
    def name(self) -> str:
        return self.preset.name

    def prepare(self, workdir: Path, access: dict, report: Callable[[str], None]) -> None:
        """Brings the originals here and converts them, as far as that isn't done."""
        for part, source in self.parts.items():
            report(f"{part}: {source.name}")
            source.prepare(workdir / part, access, report)

    def digest(self) -> list:
        """What a copy depends on, as plain values."""
        manifest = json.dumps(dataclasses.asdict(self.preset), sort_keys=True, default=str)
        return [manifest, *(source.digest() for source in self.parts.values())]

    def load(self) -> Application:
        """The application."""
        models = {part: source.load() for part, source in self.parts.items()}
        return self._class(**self.preset.settings, **models)

    def load_copy(self, folder: Path) -> Application:
        """The application that `save` has saved."""
        return self._class.from_preset(folder)

    def save(self, application: Application, folder: Path) -> None:
        """Saves the application as it is published."""
        application.save_to_preset(folder)

    def card(self, repository: str) -> ModelCard:
        """The model card."""
        return application_card(self.preset, repository)

    @property
    def _class(self) -> type[Application]:
        from keras_video import applications

        return getattr(applications, self.preset.application)
