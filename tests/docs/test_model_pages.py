"""The pages of the models: their figures, their tables, and that none is forgotten."""

import importlib.util
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from docs_pages import PAGES, ROOT

FOLDER = PAGES / "models"
FIGURES = sorted((FOLDER / "figures").glob("*.svg"))
MODEL_PAGES = sorted(path for path in FOLDER.glob("*.md") if path.stem != "index")
SVG = "{http://www.w3.org/2000/svg}"
WHITE, SLATE = "#ffffff", "#1e2129"


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results():
    return load("preset_results")


def luminance(color: str) -> float:
    shares = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_figures_are_what_the_script_draws():
    command = [sys.executable, ROOT / "docs" / "figures.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_a_figure_can_be_read_on_light_and_on_dark_pages(path):
    root = ElementTree.parse(path).getroot()
    rectangles = [
        {name: float(r.get(name)) for name in ("x", "y", "width", "height")}
        | {"fill": r.get("fill")}
        for r in root.iter(f"{SVG}rect")
    ]
    for text in root.iter(f"{SVG}text"):
        x, y = float(text.get("x")), float(text.get("y"))
        below = [
            r
            for r in rectangles
            if r["x"] < x < r["x"] + r["width"] and r["y"] < y < r["y"] + r["height"]
        ]
        assert below, f"{text.text} has no fill below it"
        assert contrast(root.get("fill"), below[-1]["fill"]) > 7
    arrows = {path.get("stroke") for path in root.iter(f"{SVG}path")} - {None}
    assert arrows and all(contrast(a, page) >= 3 for a in arrows for page in (WHITE, SLATE))


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_nothing_sticks_out_of_a_figure(path):
    root = ElementTree.parse(path).getroot()
    _, _, width, height = map(float, root.get("viewBox").split())
    assert width <= 920  # Wider ones are too small to read on a page.
    for r in root.iter(f"{SVG}rect"):
        assert float(r.get("x")) + float(r.get("width")) <= width
        assert float(r.get("y")) + float(r.get("height")) <= height


@pytest.mark.parametrize("path", MODEL_PAGES, ids=lambda path: path.stem)
def test_a_model_s_page_has_all_that_a_model_s_page_has(path):
    text = path.read_text(encoding="utf-8")
    assert re.search(rf"!\[[^\]]{{40,}}\]\(figures/{path.stem}\.svg\)", text), "a described figure"
    for heading in ("Data", "Train", "Test", "Export", "Results", "Paper"):
        assert f"\n## {heading}\n" in text
    assert "\n## What differs from PaddleVideo\n" in text
    assert re.search(r"^<!-- results: [\w, ]+ -->$", text, re.MULTILINE)


def test_every_figure_has_a_page():
    assert [path.stem for path in FIGURES] == [path.stem for path in MODEL_PAGES]


def test_every_built_in_preset_is_on_a_page(results):
    pages = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md"))
    shown = results.on_page_markdown(pages)
    assert not results.MARKER.search(shown)
    names = [
        preset.name for preset in (*results.built_in_presets(), *results.built_in_applications())
    ]
    assert len(names) > 60
    assert [name for name in names if f"/hub/{name}/README.md)" not in shown] == []
    assert [name for name in names if not (ROOT / "hub" / name / "README.md").is_file()] == []


def test_a_result_says_whose_it_is(results):
    tsm = results.results_table("TSM")
    row = next(line for line in tsm.splitlines() if "/tsm_k400/" in line)
    assert "Top-1 71.06&nbsp;%" in row and "| 1 × 1 | 24,327,632 |" in row
    assert "[published by PaddleVideo](https://github.com/PaddlePaddle/PaddleVideo/" in row
    row = next(line for line in tsm.splitlines() if "/tsm_tiny_motion/" in line)
    assert "[trained and measured here](https://github.com/keras-video/keras-video/" in row


def test_a_table_of_an_unknown_class_is_an_error(results):
    with pytest.raises(ValueError, match="Received: 'TSX'"):
        results.on_page_markdown("<!-- results: TSM, TSX -->")


# Row of the table -> its golden file, or the class and arguments to count.
ROWS = {
    "TSN": "tsn_r50",
    "TSM": "tsm_r50",
    "PP-TSN": "pptsn_r50",
    "PP-TSM": "pptsm_r50",
    "SlowFast 4x16": "slowfast_4x16_r50",
    "SlowFast 8x8": ("SlowFast", {}),
    "TimeSformer": "timesformer",
    "AttentionLSTM": ("AttentionLSTM", {}),
    "BMN": ("BMN", {}),
}


def counted(source) -> tuple[int, int]:
    """Trainable parameters and multiply-adds."""
    if isinstance(source, str):
        path = ROOT / "tests" / "golden" / "models" / f"{source}.json"
        facts = json.loads(path.read_text(encoding="utf-8"))
        return facts["parameters"]["trainable"], facts["macs"]["total"]
    import keras_video

    name, arguments = source
    summary = keras_video.models.summarize(getattr(keras_video.models, name)(**arguments))
    return summary.trainable_parameters, summary.total_multiply_adds


def test_the_table_of_models_has_their_numbers():
    text = (FOLDER / "index.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| \[([\w-]+)\]\(\w+\.md\)( \w+)? \| .* \| ([\d,]+) \| ([\d.]+) G \|", text, re.M
    )
    assert {f"{name}{variant}" for name, variant, *_ in rows} == set(ROWS)
    for name, variant, parameters, giga in rows:
        expected, count = counted(ROWS[f"{name}{variant}"])
        assert int(parameters.replace(",", "")) == expected, name
        digits = len(giga.partition(".")[2])
        assert f"{count / 1e9:.{digits}f}" == giga, name
