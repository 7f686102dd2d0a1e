"""Writes the README's table of presets from their manifests.

python tools/presets_table.py            # brings README.md up to date
python tools/presets_table.py --check    # changes nothing; exit code 1 if it is out of date
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from keras_video.data.video_pipeline import VideoPipeline
from keras_video.presets import Preset, preset_files
from keras_video.presets.import_string import import_object
from keras_video.presets.registry import BUILTIN_CATALOGUES
from keras_video.presets.resolution import BUNDLED

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- presets: written by tools/presets_table.py -->"
END = "<!-- end of presets -->"

HEADER = ("Name", "Model", "Dataset", "Top-1, %", "Parameters", "Views", "Weights")
RIGHT = {"Top-1, %", "Parameters", "Views"}


def builtin_presets() -> list[Preset]:
    """The presets of keras_video itself: a table must not depend on installed plug-ins."""
    return [preset for catalogue in BUILTIN_CATALOGUES for preset in import_object(catalogue)]


def presets_table(presets: Iterable[Preset]) -> str:
    """Returns a Markdown table with one row a preset."""
    rule = ("---:" if column in RIGHT else "---" for column in HEADER)
    rows = [HEADER, tuple(rule), *(_row(preset) for preset in presets)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_table(text: str, table: str) -> str:
    """Returns the text with the table between the two markers.

    Raises:
        ValueError: if the markers aren't there, once each and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in after:
        raise ValueError(
            f"The text must have the lines {BEGIN!r} and {END!r} once each, in this order. "
            f"Received: {text.count(BEGIN)} and {text.count(END)} of them"
        )
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def _row(preset: Preset) -> tuple[str, ...]:
    return (
        f"`{preset.name}`",
        preset.model_class_name,
        preset.dataset or "",
        _result(preset),
        "" if preset.parameters is None else f"{preset.parameters:,}",
        _views(preset),
        _weights(preset),
    )


def _result(preset: Preset) -> str:
    """The top-1 accuracy; of other models their main metric, with its name."""
    if "top1" in preset.metrics:
        return _link(f"{preset.metrics['top1']:.2f}", preset.metrics_source)
    if "gap" in preset.metrics:
        return _link(f"GAP {preset.metrics['gap']:.2f}", preset.metrics_source)
    if "auc" in preset.metrics:
        return _link(f"AUC {preset.metrics['auc']:.2f}", preset.metrics_source)
    return ""


def _views(preset: Preset) -> str:
    arguments = _preprocessor_arguments(preset)
    if arguments is None:
        return ""
    pipeline = VideoPipeline(**arguments)
    return f"{pipeline.num_clips} × {pipeline.num_views // pipeline.num_clips}"


def _preprocessor_arguments(preset: Preset) -> Mapping | None:
    path = BUNDLED / preset.name / preset_files.PREPROCESSOR
    if preset.bundled and path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))["config"]
    return preset.preprocessor


def _weights(preset: Preset) -> str:
    if preset.bundled:
        return "in this package"
    address = preset.source_url
    if address is None and preset.repository:
        address = f"https://huggingface.co/{preset.repository}"
    return _link(preset.publisher, address)


def _link(text: str, address: str | None) -> str:
    return f"[{text}]({address})" if address else text


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only tell, by the exit code")
    parser.add_argument("--readme", type=Path, default=README, help="default: %(default)s")
    options = parser.parse_args()
    text = options.readme.read_text(encoding="utf-8")
    updated = with_table(text, presets_table(builtin_presets()))
    if updated == text:
        return 0
    if options.check:
        print(
            f"{options.readme}: the table of presets is out of date; run "
            "`python tools/presets_table.py`",
            file=sys.stderr,
        )
        return 1
    options.readme.write_text(updated, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
