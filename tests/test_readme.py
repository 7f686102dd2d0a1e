"""The README's examples run, its tables are up to date, and its links lead somewhere."""

import dataclasses
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keras_video.presets import Preset

ROOT = Path(__file__).parents[1]
TOOL = ROOT / "tools" / "presets_table.py"
READMES = ("README.md", "README_zh.md")
DOCUMENTS = (*READMES, "CONTRIBUTING.md", "hub/README.md", "recipes/README.md")

# A block after the comment `<!-- run -->` runs, the others must compile.
BLOCK = re.compile(r"(<!-- run -->\n)?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def python_blocks(document):
    """Yields `(code, whether it runs)`; the code has the line numbers of the document."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        lines_before = text[: match.start(2)].count("\n")
        code = compile("\n" * lines_before + match[2], document, "exec")
        yield code, match[1] is not None


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    runnable = [code for code, runs in python_blocks("README.md") if runs]
    assert len(runnable) >= 8
    for code in runnable:
        exec(code, names)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_examples_compile(document):
    for code, _ in python_blocks(document):
        assert code.co_code


@pytest.mark.parametrize("document", READMES)
def test_the_readme_has_the_two_commands(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert "    python -m pip install . && keras-video demo\n" in text
    assert '    python -m pip install -e ".[test]" && python -m pytest\n' in text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files_and_headings(document):
    path = ROOT / document
    text = path.read_text(encoding="utf-8")
    for target in LINK.findall(text):
        file, _, anchor = target.partition("#")
        if re.match(r"https?:", target):
            continue
        assert (path.parent / file).exists(), target
        if anchor:
            linked = (path.parent / file).read_text(encoding="utf-8") if file else text
            assert anchor in anchors(linked), target


def anchors(markdown):
    """The addresses that GitHub gives to headings."""
    titles = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_of_the_documentation_is_linked():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs" / "pages").glob("*.md")}
    linked = set(re.findall(r"\(docs/pages/(\w+\.md)[)#]", text))
    assert linked == pages


# === The tables ===


def test_the_table_of_commands_has_every_command(capsys):
    from keras_video.cli import main

    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    ([a-z-]+)(?: |$)", capsys.readouterr().out, re.MULTILINE)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(commands) >= 10
    assert re.findall(r"^\| `keras-video ([a-z-]+)", text, re.MULTILINE) == commands


def run_tool(*arguments):
    return subprocess.run(
        [sys.executable, str(TOOL), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_tables_of_presets_are_up_to_date():
    done = run_tool("--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", READMES)
def test_an_old_table_is_told_and_replaced(document, tmp_path):
    readme = tmp_path / document
    shutil.copy(ROOT / document, readme)
    current = readme.read_text(encoding="utf-8")
    old = current.replace("| `tsm_k400` | TSM |", "| `tsm_k400` | TSN |")
    assert old != current
    readme.write_text(old, encoding="utf-8")

    done = run_tool("--check", "--readme", readme)
    assert done.returncode == 1
    assert "out of date; run `python tools/presets_table.py`" in done.stderr
    assert readme.read_text(encoding="utf-8") == old

    assert run_tool("--readme", readme).returncode == 0
    assert readme.read_text(encoding="utf-8") == current


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("presets_table", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_row_says_what_the_manifest_says(tool):
    preset = Preset(
        name="my_tsm",
        model="keras_video.models:TSM",
        dataset="Things",
        preprocessor={"num_clips": 10, "crop": "three"},
        metrics={"top1": 12.3},
        metrics_source="https://example.org/results",
        source_url="https://example.org/my_tsm.pdparams",
        parameters=1234567,
    )
    assert tool.presets_table([preset]).splitlines()[2] == (
        "| `my_tsm` | TSM | Things | [12.30](https://example.org/results) | 1,234,567 | 10 × 3 "
        "| [PaddleVideo](https://example.org/my_tsm.pdparams) |"
    )
    bare = Preset(name="my_tsm", model="keras_video.models:TSM", source_format="other")
    assert tool.presets_table([bare]).splitlines()[2] == "| `my_tsm` | TSM |  |  |  |  | other |"
    labels = dataclasses.replace(bare, metrics={"perr": 80.0, "gap": 86.3})
    assert "| TSM |  | GAP 86.30 |  |" in tool.presets_table([labels])
    proposals = dataclasses.replace(bare, metrics={"ar@1": 33.26, "auc": 67.23})
    assert "| TSM |  | AUC 67.23 |  |" in tool.presets_table([proposals])
    bundled = dataclasses.replace(bare, bundled=True)
    assert "| in this package |" in tool.presets_table([bundled])


def test_a_chinese_row_has_the_same_names_and_numbers(tool):
    preset = Preset(
        name="my_tsm",
        model="keras_video.models:TSM",
        dataset="UCF101 (split 1)",
        metrics={"top1": 12.3},
        bundled=True,
        parameters=1234567,
    )
    header, _, row = tool.presets_table([preset], tool.CHINESE).splitlines()
    assert header.startswith("| 名称 | 模型 |")
    assert row == "| `my_tsm` | TSM | UCF101（划分 1） | 12.30 | 1,234,567 |  | 随包附带 |"


def test_a_text_without_markers_is_refused(tool):
    with pytest.raises(ValueError, match="Received: 0 and 0 of them"):
        tool.with_table("No table here.", "| table |\n")
