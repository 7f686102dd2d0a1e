"""`ApplicationPreset`: which models an application that has a name is made of."""

import dataclasses
from collections.abc import Mapping

from keras_video.presets.errors import PresetError, did_you_mean
from keras_video.presets.preset import hub_repository
from keras_video.presets.registry import get_preset, list_presets


@dataclasses.dataclass(frozen=True, kw_only=True)
class ApplicationPreset:
    """The manifest of a published application.

    Args:
        name: the short name, as in `from_preset(name)`.
        application: name of its class, such as `"VideoTag"`.
        parts: the preset of each of its models, by the model's part in the application. They are
            loaded one by one as long as the Hub has no repository with all of them. Empty where
            only such a repository will do.
        settings: arguments of the class.
        description: one sentence for people.
        repository: Hub repository, `"org/name"`; by default as for models.
        revision: Hub revision to pin; `None` follows `main`.
        license: identifier of the licence of the weights.
        license_note: what else is known about it, as a sentence.
        task: as in `keras_video.Preset`.
        dataset: what the models were trained on.
        weights_note: where the weights come from, as a sentence.
        limits: what to know before relying on it, as sentences.

    Example:

    >>> register_application_preset(
    ...     ApplicationPreset(name="my_tags", application="VideoTag",
    ...                       parts={"extractor": "tsn_k400", "predictor": "hf://me/tags"}))
    """

    name: str
    application: str
    parts: Mapping[str, str]
    settings: Mapping = dataclasses.field(default_factory=dict)
    description: str = ""
    repository: str | None = None
    revision: str | None = None
    license: str | None = None
    license_note: str = ""
    task: str = "video-classification"
    dataset: str | None = None
    weights_note: str = ""
    limits: tuple[str, ...] = ()

    @property
    def hub_repository(self) -> str:
        """`"org/name"` of the Hub repository, with the organisation set now."""
        return hub_repository(self.name, self.repository)


_presets: dict[str, ApplicationPreset] = {}


def register_application_preset(preset: ApplicationPreset) -> ApplicationPreset:
    """Adds an application's preset, so that `from_preset(preset.name)` finds it.

    Raises:
        PresetError: if another one has the name.
    """
    known = _application_presets().setdefault(preset.name, preset)
    if known != preset:
        raise PresetError(
            f"An application named {preset.name!r} is registered already; choose another name. "
            f"Received: application={preset.application!r}"
        )
    return preset


def application_presets(application: str | None = None) -> list[str]:
    """Names of the applications that have one, sorted.

    Args:
        application: only those of this class, such as `"VideoTag"`.
    """
    return sorted(
        name
        for name, preset in _application_presets().items()
        if application in (None, preset.application)
    )


def get_application_preset(name: str) -> ApplicationPreset:
    """Returns the application's preset with this name.

    Raises:
        PresetError: if there is none; the message names the nearest ones.
    """
    known = _application_presets()
    if name in list_presets():
        raise PresetError(
            f"The preset is one of a model ({get_preset(name).model_class_name}), not of an "
            f"application; these are: {', '.join(sorted(known))}. Received: {name!r}"
        )
    if name not in known:
        raise PresetError(
            f"Unknown application.{did_you_mean(str(name), known)} It is no directory with an "
            "application.json, no 'hf://org/name', and none of "
            f"{', '.join(sorted(known))}. Received: {name!r}"
        )
    return known[name]


def _application_presets() -> dict[str, ApplicationPreset]:
    from keras_video.applications import action_localizer_presets, video_tag_presets

    for preset in (*video_tag_presets.APPLICATIONS, *action_localizer_presets.APPLICATIONS):
        _presets.setdefault(preset.name, preset)
    return _presets
