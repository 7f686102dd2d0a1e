"""Writes the table of exports in README.md and README_zh.md: every model in every format.

python tools/export_matrix.py                # brings both up to date: minutes
python tools/export_matrix.py --only TSM     # prints the rows of some models, and writes nothing

Small models of every family, with random weights, are exported and run by every runtime that reads
the format. A cell is how far the outputs are from Keras' own in float32, at most, as a share of the
largest output: the next power of ten. Random weights are hard on int8, whose cells only tell that
it works.
"""

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from export_cells import cell, small_source  # noqa: E402
from presets_table import CHINESE, CHINESE_README, README, with_table  # noqa: E402

BEGIN = "<!-- exports: written by tools/export_matrix.py -->"
END = "<!-- end of exports -->"
# What a column is of.
COLUMNS = {
    "ONNX": ("onnx", "float32"),
    "ONNX float16": ("onnx", "float16"),
    "ONNX int8": ("onnx", "int8"),
    "OpenVINO": ("openvino", "float32"),
    "OpenVINO float16": ("openvino", "float16"),
    "OpenVINO bfloat16": ("openvino", "bfloat16"),
    "OpenVINO int8": ("openvino", "int8"),
    "LiteRT": ("litert", "float32"),
    "LiteRT float16": ("litert", "float16"),
    "LiteRT int8": ("litert", "int8"),
    "SavedModel": ("saved_model", "float32"),
    "SavedModel float16": ("saved_model", "float16"),
    "SavedModel bfloat16": ("saved_model", "bfloat16"),
}


def exports_table(names: list[str] | None = None) -> str:
    """A Markdown table with one row a model; prints the rows as they are done."""
    from models.test_contract import CONTRACTS

    header = ("Model", *COLUMNS)
    lines = [_line(header), _line(("---", *("---:" for _ in COLUMNS)))]
    for contract in CONTRACTS:
        name = contract.model_class.__name__
        if not names or name in names:
            source = small_source(contract)
            cells = [_cell(source, *column) for column in COLUMNS.values()]
            lines.append(_line((f"`{name}`", *cells)))
            print(lines[-1], end="", flush=True)
    return "".join(lines)


def _cell(source, format: str, precision: str) -> str:
    from keras_video.export import ExportError
    from keras_video.export.export_model import write_export

    with tempfile.TemporaryDirectory() as folder:
        try:
            calibration = source.examples if precision == "int8" else None
            target = Path(folder) / "exported"
            written = write_export(source, target, format, precision, calibration)
        except ExportError:
            traceback.print_exc()
            return "no"
    return cell(max(written.differences.values()))


def _line(cells) -> str:
    return f"| {' | '.join(cells)} |\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="MODEL", help="names of classes")
    options = parser.parse_args()
    if options.only:
        exports_table(options.only)
        return 0
    readmes = (README, CHINESE_README)
    for readme in readmes:  # Before the work: are the markers there?
        with_table(readme.read_text(encoding="utf-8"), "", BEGIN, END)
    table = exports_table()
    for readme in readmes:
        if readme == CHINESE_README:
            table = table.replace("Model", CHINESE["Model"], 1)
        text = with_table(readme.read_text(encoding="utf-8"), table, BEGIN, END)
        readme.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
