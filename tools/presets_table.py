"""Writes the tables of presets in README.md and README_zh.md from the presets' manifests.

python tools/presets_table.py            # brings both up to date
python tools/presets_table.py --check    # changes nothing; exit code 1 if one is out of date
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
CHINESE_README = README.with_name("README_zh.md")
BEGIN = "<!-- presets: written by tools/presets_table.py -->"
END = "<!-- end of presets -->"

HEADER = ("Name", "Model", "Dataset", "Top-1, %", "Parameters", "Views", "Weights")
RIGHT = {"Top-1, %", "Parameters", "Views"}
# What a table in Chinese says instead; names and numbers stay as they are.
CHINESE = {
    "Name": "名称",
    "Model": "模型",
    "Dataset": "数据集",
    "Top-1, %": "Top-1，%",
    "Parameters": "参数量",
    "Views": "视图数",
    "Weights": "权重",
    "in this package": "随包附带",
    "rendered motions": "渲染的运动视频",
    "videos with 3396 Chinese tags": "带 3396 个中文标签的视频",
    "UCF101 (split 1)": "UCF101（划分 1）",
    "YouTube-8M (2018)": "YouTube-8M（2018）",
}


def builtin_presets() -> list[Preset]:
    """The presets of keras_video itself: a table must not depend on installed plug-ins."""
    return [preset for catalogue in BUILTIN_CATALOGUES for preset in import_object(catalogue)]


def presets_table(presets: Iterable[Preset], words: Mapping[str, str] | None = None) -> str:
    """Returns a Markdown table with one row a preset.

    Args:
        presets: the rows.
        words: what to write instead of a cell, such as `CHINESE`. Defaults to English.
    """
    rule = ("---:" if column in RIGHT else "---" for column in HEADER)
    rows = [HEADER, tuple(rule), *(_row(preset) for preset in presets)]
    cells = ((dict(words or {}).get(cell, cell) for cell in row) for row in rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def with_table(text: str, table: str, begin_marker: str = BEGIN, end_marker: str = END) -> str:
    """Returns the text with the table between the two markers.

    Raises:
        ValueError: if the markers aren't there, once each and in order.
    """
    before, begin, rest = text.partition(begin_marker)
    old, end, after = rest.partition(end_marker)
    if not (begin and end) or begin_marker in rest or end_marker in after:
        counts = f"{text.count(begin_marker)} and {text.count(end_marker)}"
        raise ValueError(
            f"The text must have the lines {begin_marker!r} and {end_marker!r} once each, in this "
            f"order. Received: {counts} of them"
        )
    return f"{before}{begin_marker}\n\n{table}\n{end_marker}{after}"


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
    parser.add_argument(
        "--readme",
        type=Path,
        nargs="+",
        default=[README, CHINESE_README],
        help="files; one that is named *_zh.md is in Chinese (default: both READMEs)",
    )
    options = parser.parse_args()
    codes = [_update(path, options.check) for path in options.readme]
    return max(codes)


def _update(readme: Path, check: bool) -> int:
    """Writes the table of one file; returns 1 if it is out of date and only to be checked."""
    words = CHINESE if readme.stem.endswith("_zh") else None
    text = readme.read_text(encoding="utf-8")
    updated = with_table(text, presets_table(builtin_presets(), words))
    if updated == text:
        return 0
    if check:
        print(
            f"{readme}: the table of presets is out of date; run `python tools/presets_table.py`",
            file=sys.stderr,
        )
        return 1
    readme.write_text(updated, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
