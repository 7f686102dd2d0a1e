"""The notebooks run from top to bottom, and are kept without outputs."""

import re

import nbformat
import pytest
from docs_pages import PAGES, ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
FILES = "https://github.com/keras-video/keras-video/blob/main"


def read(path):
    return nbformat.read(path, as_version=4)


def texts(notebook):
    """What its cells of code printed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.text for output in outputs if output.get("name") == "stdout")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a notebook in an empty folder, in this environment; returns it with its outputs."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def run_notebook(name):
        notebook = read(ROOT / "docs" / "notebooks" / name)
        resources = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
        return notebook, texts(notebook)

    return run_notebook


@pytest.mark.slow
def test_quick_start_names_motions_and_what_happens_when(run, tmp_path):
    _, printed = run("quick_start.ipynb")
    best = [
        line.split("  ") for line in printed.splitlines() if "%" in line and " s to " not in line
    ]
    assert [label for _, label in best[::3]] == ["moving left", "moving right"]
    assert "missing.mp4 -> missing.mp4: there is no such file" in printed
    windows = [line for line in printed.splitlines() if " s to " in line]
    assert len(windows) == 5
    assert windows[0].endswith("moving left") and windows[-1].endswith("rotating clockwise")
    assert (tmp_path / "long.mp4").is_file()


@pytest.mark.slow
def test_finetune_ends_with_a_preset_that_knows_the_new_classes(run, tmp_path):
    notebook, printed = run("finetune.ipynb")
    labels = (tmp_path / "my_preset" / "labels.txt").read_text(encoding="utf-8").splitlines()
    assert labels == ["sideways", "turning", "upright", "zooming"]
    (top1,) = re.findall(r"^top-1 ([\d.]+)%", printed, re.MULTILINE)
    assert float(top1) > 50  # Chance is 25.
    answers = re.findall(r"^(\w+): (\w+) \([\d.]+%\)$", printed, re.MULTILINE)
    assert len(answers) == 4 and {name for answer in answers for name in answer} <= set(labels)
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", ())
    ]
    assert len(pictures) == 2


@pytest.mark.slow
def test_localization_ends_with_a_timeline(run, tmp_path):
    _, printed = run("localization.ipynb")
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "run" / "preset" / "application.json").is_file()
    assert "What was found:" in printed and "AR@10: " in printed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_valid_and_has_no_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_linked_from_the_site_and_its_links_lead_to_files(path):
    address = f"{FILES}/{path.relative_to(ROOT).as_posix()}"
    assert any(address in page.read_text(encoding="utf-8") for page in PAGES.rglob("*.md"))
    text = "".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    targets = re.findall(r"\]\(([^)#]+)", text)
    assert targets
    for target in targets:
        folder = ROOT if target.startswith(FILES) else path.parent
        assert (folder / target.removeprefix(f"{FILES}/")).is_file(), target


def test_every_notebook_is_run_here():
    text = (ROOT / "tests" / "docs" / "test_notebooks.py").read_text(encoding="utf-8")
    assert len(NOTEBOOKS) == 3
    assert all(f'run("{path.name}")' in text for path in NOTEBOOKS)
