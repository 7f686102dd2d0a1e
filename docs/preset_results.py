"""A hook of mkdocs: tables of the presets and their results, from their manifests.

A line `<!-- results: TSM -->` of a page becomes the table of that class, of a model or of an
application; several classes are separated by commas.
"""

import json
import re
from collections.abc import Iterator

from keras_video.applications import action_localizer_presets, video_tag_presets
from keras_video.applications.application_preset import ApplicationPreset
from keras_video.data.video_pipeline import VideoPipeline
from keras_video.presets import Preset, preset_files
from keras_video.presets.card_header import HOMEPAGE, metric_name
from keras_video.presets.import_string import import_object
from keras_video.presets.registry import BUILTIN_CATALOGUES
from keras_video.presets.resolution import BUNDLED

MARKER = re.compile(r"^<!-- results: (.+) -->$", re.MULTILINE)
FILES = f"{HOMEPAGE}/blob/main"
HEADER = ("Preset", "Trained on", "Result", "Views", "Trainable parameters", "Whose result")
RULE = ("---", "---", "---", "---:", "---:", "---")
PROVENANCES = {
    "published": "published by {}",
    "converted": "measured here, with converted weights of {}",
    "retrained": "trained and measured here",
}


def on_page_markdown(markdown: str, **_) -> str:
    """Called by mkdocs for each page."""
    return MARKER.sub(lambda found: results_table(*found[1].split(", ")), markdown)


def results_table(*classes: str) -> str:
    """The table of the presets of some classes.

    Raises:
        ValueError: a class has no presets.
    """
    rows = []
    for name in classes:
        own = [_row(preset) for preset in built_in_presets() if preset.model_class_name == name]
        own += [
            _application_row(preset)
            for preset in built_in_applications()
            if preset.application == name
        ]
        if not own:
            raise ValueError(f"No built-in preset is of this class. Received: {name!r}")
        rows += own
    return "".join(f"| {' | '.join(row)} |\n" for row in (HEADER, RULE, *rows))


def built_in_presets() -> Iterator[Preset]:
    for catalogue in BUILTIN_CATALOGUES:
        yield from import_object(catalogue)


def built_in_applications() -> tuple[ApplicationPreset, ...]:
    return (*video_tag_presets.APPLICATIONS, *action_localizer_presets.APPLICATIONS)


def _row(preset: Preset) -> tuple[str, ...]:
    return (
        f"{_card(preset.name)}<br>{preset.description}",
        preset.dataset or "",
        "<br>".join(_result(name, value) for name, value in preset.metrics.items()),
        _views(preset),
        "" if preset.parameters is None else f"{preset.parameters:,}",
        _provenance(preset),
    )


def _application_row(preset: ApplicationPreset) -> tuple[str, ...]:
    parts = ", ".join(_card(part) for part in preset.parts.values())
    return (
        f"{_card(preset.name)}<br>{preset.description}",
        preset.dataset or "",
        "",
        "",
        "",
        preset.weights_note or f"none; weights of PaddleVideo, converted: {parts}",
    )


def _card(name: str) -> str:
    return f"[`{name}`]({FILES}/hub/{name}/README.md){{ .preset }}"


def _result(metric: str, value: float) -> str:
    name, _, unit = metric_name(metric).partition(", ")
    number = f"{value:.2f}&nbsp;{unit}" if unit else f"{value:.2f}"
    return f"{name.replace(' accuracy', '')} {number}"


def _views(preset: Preset) -> str:
    arguments = preset.preprocessor
    if preset.bundled:
        path = BUNDLED / preset.name / preset_files.PREPROCESSOR
        arguments = json.loads(path.read_text(encoding="utf-8"))["config"]
    if arguments is None:
        return ""
    pipeline = VideoPipeline(**arguments)
    return f"{pipeline.num_clips} × {pipeline.num_views // pipeline.num_clips}"


def _provenance(preset: Preset) -> str:
    if not preset.metrics:
        return f"none; weights of {preset.publisher}, converted"
    text = PROVENANCES[preset.metrics_provenance].format(preset.publisher)
    address = preset.metrics_source
    if address and "://" not in address:
        address = f"{FILES}/{address}"
    return f"[{text}]({address})" if address else text
