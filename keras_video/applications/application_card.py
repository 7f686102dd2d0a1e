"""Model cards of applications."""

from keras_video.applications.application_preset import ApplicationPreset
from keras_video.presets.model_card import ModelCard
from keras_video.presets.registry import get_preset

# Class of an application -> what an example calls it, and how it is used.
_EXAMPLES = {
    "ActionLocalizer": ("localize", 'print(localize("match.mp4").detections)'),
    "VideoTag": ("tagger", 'print(tagger("clip.mp4", top_k=20))'),
}
_TASKS = {"ActionLocalizer": "temporal-action-localization"}


def application_card(preset: ApplicationPreset, repository: str | None = None) -> ModelCard:
    """The model card of a published application.

    Args:
        preset: its manifest.
        repository: where it is published; `None` is the manifest's own repository.
    """
    parts = [f"`{part}`, the preset `{name}`" for part, name in preset.parts.items()]
    models = f"It has the models {' and '.join(parts)}." if parts else ""
    sizes = [get_preset(name).parameters for name in preset.parts.values()]
    publish = f"python hub/publish.py --preset {preset.name} --repo ORG/NAME --dry-run"
    return ModelCard(
        repository=repository or preset.hub_repository,
        title=preset.name,
        **_example(preset.application, "keras_video.applications."),
        description=preset.description,
        task=preset.task,
        dataset=preset.dataset,
        parameters=sum(sizes) if sizes and all(sizes) else None,
        weights=tuple(filter(None, (models, preset.weights_note))),
        license=preset.license or "unknown",
        license_note=preset.license_note,
        reproduce=(("Convert the originals again and compare", publish),) if parts else (),
        limits=preset.limits,
    )


def saved_application_card(repository: str, application: type) -> ModelCard:
    """The model card of an application of somebody's own.

    Args:
        repository: `"org/name"`.
        application: its class.
    """
    name = application.__name__
    ours = application.__module__.startswith("keras_video.")
    return ModelCard(
        repository=repository,
        **_example(name, "keras_video.applications." if ours else ""),
        description=(application.__doc__ or name).split("\n")[0],
        task=_TASKS.get(name, "video-classification"),
    )


def _example(name: str, package: str) -> dict[str, str]:
    variable, call = _EXAMPLES.get(name, ("application", ""))
    loader = f"{package}{name}.from_preset"
    return {"class_name": name, "loader": loader, "variable": variable, "call": call}
