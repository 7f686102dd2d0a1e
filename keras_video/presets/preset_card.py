"""Model cards of presets: of those with a manifest, and of any saved directory."""

import json
from collections.abc import Mapping
from pathlib import Path

from keras_video.presets import preset_files as files
from keras_video.presets.card_header import HOMEPAGE
from keras_video.presets.model_card import ModelCard
from keras_video.presets.preset import Preset
from keras_video.presets.registry import registered_presets
from keras_video.presets.resolution import BUNDLED

# Where the commands of a card expect a data set.
_FOLDERS = {
    "ActivityNet 1.3": "/data/activitynet",
    "Kinetics-400": "/data/k400",
    "Kinetics-600": "/data/k600",
    "Something-Something V2": "/data/ssv2",
    "UCF101 (split 1)": "/data/ucf101",
    "YouTube-8M (2018)": "/data/yt8m",
}


def preset_card(preset: Preset, repository: str | None = None) -> ModelCard:
    """The model card of a manifest.

    Args:
        preset: the manifest.
        repository: where the preset is published; `None` is the manifest's own repository.

    Example:

    >>> print(preset_card(keras_video.presets.get_preset("tsm_k400")).text())
    """
    config, preprocessor = _built_with(preset)
    classes = config.get("num_classes")
    return ModelCard(
        repository=repository or preset.hub_repository,
        title=preset.name,
        class_name=preset.model_class_name,
        loader=_loader(preset.model.partition(".")[0], preset.model_class_name),
        call=_call(preset.task, preprocessor is not None),
        description=preset.description,
        task=preset.task,
        dataset=preset.dataset,
        classes=classes,
        preprocessing=_preprocessing(preset.preprocessor_class, preprocessor) or _features(config),
        parameters=preset.parameters,
        metrics=preset.metrics,
        metrics_source=preset.metrics_source,
        metrics_provenance=preset.metrics_provenance,
        weights=_weights(preset),
        license=preset.license or "unknown",
        license_note=preset.license_note or ("" if preset.license else "Ask the authors."),
        paper=preset.paper,
        reproduce=_commands(preset, preprocessor is not None),
        limits=_limits(preset, classes),
    )


def saved_card(repository: str, folder: Path, config: Mapping, metadata: Mapping) -> ModelCard:
    """The model card of a saved directory: its manifest's, where the directory is a preset's copy.

    Args:
        repository: `"org/name"`.
        folder: the directory.
        config: its `config.json`.
        metadata: its `metadata.json`; its entry `"preset"` names the preset that it is a copy of.
    """
    name = metadata.get("preset")
    for preset in registered_presets():
        if preset.name == name and preset.model_class_name == config["class_name"]:
            return preset_card(preset, repository)
    arguments = config["config"]
    preprocessor = _read(folder / files.PREPROCESSOR)
    package = config["registered_name"].partition(">")[0]
    task = "video-classification" if "num_classes" in arguments else ""
    source = metadata.get("source_url")
    return ModelCard(
        repository=repository,
        class_name=config["class_name"],
        loader=_loader(package, config["class_name"]),
        call=_call(task, preprocessor is not None and package == "keras_video"),
        description=metadata.get("description", ""),
        task=task,
        dataset=metadata.get("dataset"),
        classes=arguments.get("num_classes"),
        preprocessing=_saved_preprocessing(preprocessor),
        parameters=metadata.get("trainable_parameters"),
        metrics=metadata.get("metrics") or {},
        metrics_source=metadata.get("metrics_source"),
        weights=(f"Converted from {source}.",) if source else (),
        license=metadata.get("license"),
    )


def _built_with(preset: Preset) -> tuple[Mapping, Mapping | None]:
    """The arguments of a preset's model and of its preprocessor."""
    if not preset.bundled:
        return preset.config, preset.preprocessor
    config = _read(BUNDLED / preset.name / files.CONFIG)
    preprocessor = _read(BUNDLED / preset.name / files.PREPROCESSOR)
    return config["config"], preprocessor and preprocessor["config"]


def _read(path: Path) -> dict | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _loader(package: str, class_name: str) -> str:
    if package == "keras_video":
        return f"keras_video.models.{class_name}.from_preset"
    return "keras_video.presets.load_preset"


def _call(task: str, takes_videos: bool) -> str:
    if task == "video-classification" and takes_videos:
        return 'print(model.classify("clip.mp4", top_k=5))'
    return ""


def _preprocessing(preprocessor_class: str, arguments: Mapping | None) -> str:
    if arguments is None:
        return ""
    if preprocessor_class != "keras_video.data:VideoPreprocessor":
        return f"`{preprocessor_class}({json.dumps(arguments)})`"
    # Not at the top: it brings the decoders.
    from keras_video.data.video_pipeline import VideoPipeline

    return f"videos; of each {VideoPipeline(**arguments).describe()}"


def _features(config: Mapping) -> str:
    """What a model takes that knows no videos."""
    if "features" in config:
        channels = (f"{name}, {size} channels" for name, size in config["features"].items())
        return f"features of videos: {'; '.join(channels)}"
    if "feature_dim" in config:
        return f"features of videos: {config['num_frames']} steps of {config['feature_dim']}"
    return ""


def _saved_preprocessing(config: Mapping | None) -> str:
    if config is None:
        return ""
    package, _, name = config["registered_name"].partition(">")
    if (package, name) == ("keras_video", "VideoPreprocessor"):
        return _preprocessing("keras_video.data:VideoPreprocessor", config["config"])
    return f"`{name}({json.dumps(config['config'])})`"


def _weights(preset: Preset) -> tuple[str, ...]:
    if preset.bundled:
        source = "They ship with keras_video, which trained them."
    elif preset.source_url:
        file = preset.source_url.rpartition("/")[2]
        source = f"Converted from [{file}]({preset.source_url}) of {preset.publisher}."
    elif preset.repository:
        address = f"https://huggingface.co/{preset.repository}"
        source = f"Converted from [{preset.repository}]({address})."
    else:
        return ()
    return tuple(filter(None, (source, preset.conversion_note)))


def _commands(preset: Preset, takes_videos: bool) -> tuple[tuple[str, str], ...]:
    """How to measure the preset, and how to train one like it."""
    commands = []
    folder = _FOLDERS.get(preset.dataset)
    if takes_videos and folder and "top1" in preset.metrics:
        commands.append(
            (
                "Measure",
                f"keras-video evaluate --preset {preset.name} --list {folder}/val.list",
            )
        )
    if preset.recipe:
        data = f" --config.data.root={folder}" if folder else ""
        train = f"python recipes/{preset.recipe}.py --workdir=runs/{preset.recipe}{data}"
        commands.append((f"Train ([recipes]({HOMEPAGE}/blob/main/recipes/README.md))", train))
    if not preset.bundled and (preset.source_url or preset.repository):
        publish = f"python hub/publish.py --preset {preset.name} --repo ORG/NAME --dry-run"
        commands.append(("Convert the original again and compare", publish))
    return tuple(commands)


def _limits(preset: Preset, classes: int | None) -> tuple[str, ...]:
    limits = list(preset.limits)
    if "top1" in preset.metrics and classes:
        limits.insert(0, f"Every video gets one of its {classes} classes, whatever it shows.")
    if not preset.metrics:
        limits.append("No published result of these weights is known.")
    return tuple(limits)
