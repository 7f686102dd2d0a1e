"""Who follows only "Your own dataset in 10 minutes" ends with a trained preset and a prediction.

The commands of the page run in order, in a shell with an empty folder and an empty home, in the
virtual environment that the page makes. Three things stand for the network: a copy of this tree for
the clone, what is installed here for the package index, a Hub on this machine for the Hub.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig

import pytest
from docs_pages import PAGES, ROOT, blocks_of
from fake_hub import FakeHub

PAGE = PAGES / "own_dataset.md"
CLONE = "git clone https://github.com/keras-video/keras-video"
ACTIVATE = "source .venv/bin/activate"
CLONED = ("keras_video", "recipes", "hub", "pyproject.toml", "README.md", "LICENSE", "NOTICE")


def commands_of_the_page() -> str:
    parts = []
    for block in blocks_of(PAGE.read_text(encoding="utf-8")):
        assert not block.adds and not block.exits
        is_python = block.language == "python"
        parts.append(f"python - <<'END'\n{block.code}END\n" if is_python else block.code)
    return "".join(parts)


def write_program(path, line):
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """An empty machine: the folder to start in, and the variables of its shell."""
    root = tmp_path_factory.mktemp("machine")
    for name in ("bin", "home", "start"):
        (root / name).mkdir()
    clone = root / "clone"
    clone.mkdir()
    for name in CLONED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, clone / name)
    write_program(root / "bin" / "git", f'test "git $*" = "{CLONE}" && cp -r "{clone}" keras-video')
    # Of pip and setuptools, too, those that are installed here.
    without_pip = 'case "$*" in "-m venv "*) set -- -m venv --without-pip "$3";; esac'
    write_program(root / "bin" / "python3", f'{without_pip}\nexec "{sys._base_executable}" "$@"')
    return root / "start", {
        "PATH": f"{root / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(root / "home"),
        "LANG": "C.UTF-8",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        # Dependencies and setuptools are here already.
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "HF_TOKEN": "hf_writer",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }


@pytest.fixture(scope="module")
def result(machine):
    """The clone's folder after all commands of the page."""
    start, variables = machine
    commands = commands_of_the_page()
    assert CLONE in commands and ACTIVATE in commands
    # The environment sees the packages that are installed here, but not this tree.
    here = f"echo '{sysconfig.get_path('purelib')}' > $(echo .venv/lib/python3*/site-packages)"
    script = commands.replace(ACTIVATE, f"{ACTIVATE}\n{here}/here.pth")
    hub = FakeHub()
    with hub.serve() as address:
        done = subprocess.run(
            ["bash", "-ex", "-c", script],
            cwd=start,
            env={**variables, "HF_ENDPOINT": address},
            capture_output=True,
            text=True,
            timeout=900,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return start / "keras-video", done.stdout, hub


def answers(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return {record["path"]: record["predictions"][0] for record in map(json.loads, lines)}


@pytest.mark.slow
def test_the_page_ends_with_a_trained_preset_and_right_predictions(result):
    folder, said, hub = result
    installed = list((folder / ".venv").glob("lib/python*/site-packages/keras_video/__init__.py"))
    assert len(installed) == 1
    assert (folder / "runs/mine/preset/model.safetensors").is_file()
    labels = (folder / "runs/mine/preset/labels.txt").read_text(encoding="utf-8").split()
    assert labels == ["sideways", "turning", "upright", "zooming"]

    predictions = answers(folder / "answers.jsonl")
    right = [video.split("/")[1] == best["label"] for video, best in predictions.items()]
    assert len(right) == 8 and sum(right) >= 7
    assert predictions["new/zooming/0006.mp4"]["score"] > 0.8
    assert "{'label': 'zooming', 'class_id': 3, 'score': 0.9" in said

    exported = answers(folder / "answers_onnx.jsonl")
    for video, best in predictions.items():
        assert exported[video]["label"] == best["label"]
        assert exported[video]["score"] == pytest.approx(best["score"], abs=1e-3)

    assert (folder / "runs/mine/curves.png").stat().st_size > 5000
    assert "<html" in (folder / "page.html").read_text(encoding="utf-8")
    assert "me/motion" in hub.repositories
    assert "Defects: none" in said
    (top1,) = re.findall(r"^Top-1 ([\d.]+) %.* of 32 videos", said, re.MULTILINE)
    assert float(top1) > 90
