"""`Application`: several models that are loaded, saved and published as one."""

import json
import os
import re
from pathlib import Path

from keras_video._version import __version__
from keras_video.applications.application_preset import (
    ApplicationPreset,
    application_presets,
    get_application_preset,
)
from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError, one_line
from keras_video.presets.hub import (
    HubUnreachableError,
    RepositoryMissingError,
    download_repository,
)

_HUB_URI = re.compile(r"hf://([^/@]+/[^/@]+)(?:@(.+))?")


class Application:
    """The base of applications.

    A subclass takes its models and its settings in `__init__`, names the models in `part_names`,
    keeps each under that name, and returns the settings from `get_config`. Saved, an application is
    a directory with `application.json` and one preset for each model:

        my_tags/application.json
        my_tags/extractor/config.json, model.safetensors, ...
        my_tags/predictor/config.json, ...

    Attributes:
        part_names: the models' names: arguments, attributes and folders.
        optional_parts: those that may be `None`; then there is no folder.
    """

    part_names: tuple[str, ...] = ()
    optional_parts: tuple[str, ...] = ()

    def get_config(self) -> dict:
        """The arguments besides the models, as plain numbers, text, lists and dicts."""
        return {}

    @classmethod
    def list_presets(cls) -> list[str]:
        """Names of the published applications of this class."""
        return application_presets(cls.__name__)

    @classmethod
    def from_preset(
        cls,
        preset: str | os.PathLike,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        endpoint: str | None = None,
        cache_dir: str | os.PathLike | None = None,
        local_files_only: bool = False,
        **overrides,
    ):
        """Loads an application with all of its models.

        Args:
            preset: a directory, `"hf://org/name"`, `"hf://org/name@revision"`, or one of
                `list_presets()`, tried in this order.
            revision, token, endpoint, cache_dir, local_files_only: as in a model's `from_preset`.
            **overrides: settings that replace the saved ones, or models that replace the saved
                ones, which are not loaded then.

        Raises:
            PresetError: if it is unknown, unreachable, damaged, or another application.
        """
        access = {
            "token": token,
            "endpoint": endpoint,
            "cache_dir": cache_dir,
            "local_files_only": local_files_only,
        }
        text = os.fspath(preset)
        folder = Path(os.path.expanduser(text))
        if (folder / files.APPLICATION).is_file():
            if revision is not None:
                raise PresetError(
                    f"A directory has no revisions. Received: {text!r}, revision={revision!r}"
                )
            return cls._from_directory(folder, overrides)
        if match := _HUB_URI.fullmatch(text):
            repository, pinned = match.groups()
            if revision and pinned and revision != pinned:
                raise PresetError(
                    f"Two revisions are given; keep one. Received: {text!r}, revision={revision!r}"
                )
            folder = download_repository(
                repository,
                revision=revision or pinned,
                parts=cls.part_names,
                optional_parts=cls.optional_parts,
                **access,
            )
            return cls._from_directory(folder, overrides)
        if folder.is_dir():
            raise PresetError(
                f"The directory holds no application: it has no {files.APPLICATION}. "
                f"Received: {text!r}"
            )
        return cls._from_manifest(get_application_preset(text), revision, access, overrides)

    def save_to_preset(self, path: str | os.PathLike, weights_dtype: str | None = None) -> None:
        """Saves the application, whole or not at all.

        Args:
            path: the directory.
            weights_dtype: see `keras_video.presets.save_preset`.

        Raises:
            PresetError: if it can't be written.
        """
        from keras_video.presets.saving import save_preset

        settings = {
            "application": type(self).__name__,
            "keras_video_version": __version__,
            "settings": self.get_config(),
        }
        with files.written_whole(Path(os.path.expanduser(path))) as folder:
            for part in self._parts():
                save_preset(getattr(self, part), folder / part, weights_dtype=weights_dtype)
            text = json.dumps(settings, indent=2, ensure_ascii=False)
            (folder / files.APPLICATION).write_text(text + "\n", encoding="utf-8")

    def upload_preset(
        self,
        uri: str,
        *,
        private: bool = False,
        revision: str | None = None,
        token: str | bool | None = None,
        endpoint: str | None = None,
        message: str = "Upload with keras_video",
    ) -> str:
        """Publishes the application on the Hub.

        Args:
            uri: `"hf://org/name"`.
            private, revision, token, endpoint, message: see `keras_video.presets.upload_preset`.

        Returns:
            The address of the commit.

        Raises:
            PresetError: if the address is malformed or the Hub refuses.
        """
        import tempfile

        from keras_video.presets.uploading import upload_files

        match = _HUB_URI.fullmatch(uri) if isinstance(uri, str) else None
        if match is None or match[2]:
            raise PresetError(f"An upload goes to 'hf://org/name'. Received: uri={uri!r}")
        names = [f"{part}/{name}" for part in self._parts() for name in files.SAVED_FILES]
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "application"
            self.save_to_preset(folder)
            return upload_files(
                match[1],
                folder,
                {"token": token, "endpoint": endpoint},
                [files.APPLICATION, *names],
                self._write_card,
                private=private,
                revision=revision,
                message=message,
            )

    def _parts(self) -> list[str]:
        """The names of the models that are there."""
        return [part for part in self.part_names if getattr(self, part) is not None]

    def _write_card(self, repository: str, folder: Path) -> None:
        from keras_video.applications.application_card import saved_application_card

        card = saved_application_card(repository, type(self)).text()
        (folder / files.CARD).write_text(card, encoding="utf-8")

    @classmethod
    def _from_directory(cls, folder: Path, overrides: dict):
        from keras_video.presets.loading import load_preset

        settings = cls._read_settings(folder / files.APPLICATION)
        parts = {
            part: load_preset(folder / part)
            for part in cls.part_names
            if part not in overrides
            and not (part in cls.optional_parts and not (folder / part).is_dir())
        }
        return cls._build(folder, {**settings, **parts, **overrides})

    @classmethod
    def _from_manifest(cls, preset: ApplicationPreset, revision, access: dict, overrides: dict):
        from keras_video.presets.loading import load_preset

        if preset.application != cls.__name__:
            raise PresetError(
                f"The application is a {preset.application}, not a {cls.__name__}. "
                f"Received: {preset.name!r}"
            )
        try:
            folder = download_repository(
                preset.hub_repository,
                revision=revision or preset.revision,
                parts=cls.part_names,
                optional_parts=cls.optional_parts,
                **access,
            )
        except (RepositoryMissingError, HubUnreachableError) as error:
            # A revision that the caller asks for exists on the Hub or nowhere.
            if revision is not None:
                raise
            if not preset.parts:
                raise PresetError(
                    f"Nobody has published this {cls.__name__} yet, and its models can't be had "
                    f"one by one: train your own. {error}"
                ) from error
        else:
            return cls._from_directory(folder, overrides)
        parts = {
            part: load_preset(preset.parts[part], **access)
            for part in cls.part_names
            if part not in overrides and part in preset.parts
        }
        return cls._build(preset.name, {**preset.settings, **parts, **overrides})

    @classmethod
    def _build(cls, preset, arguments: dict):
        try:
            return cls(**arguments)
        except (TypeError, ValueError) as error:
            raise PresetError(
                f"The {cls.__name__} can't be built: {one_line(error)} Received: {str(preset)!r}"
            ) from error

    @classmethod
    def _read_settings(cls, path: Path) -> dict:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            name, settings = content["application"], dict(content["settings"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise PresetError(
                f"{path.name} can't be read: {one_line(error)}. Received: {str(path)!r}"
            ) from error
        if name != cls.__name__:
            raise PresetError(
                f"The application is a {name}, not a {cls.__name__}. Received: {str(path.parent)!r}"
            )
        models = sorted(set(settings) & set(cls.part_names))
        if models:
            raise PresetError(
                f"{path.name} gives settings the name of a model. Received: {', '.join(models)}"
            )
        return settings
