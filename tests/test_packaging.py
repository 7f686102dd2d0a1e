"""What a user installs: the wheel holds what the package needs, and nothing else."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("pyproject.toml", "README.md", "LICENSE", "NOTICE")


@pytest.fixture(scope="module")
def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The opened wheel; built from a copy, because building writes next to the sources."""
    source = tmp_path_factory.mktemp("source")
    target = tmp_path_factory.mktemp("wheel")
    for name in FILES:
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "keras_video", source / "keras_video", ignore=ignored)
    # The tests' own setuptools builds it: no network.
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, *build, "--wheel-dir", str(target), str(source)], check=True, timeout=300
    )
    (path,) = target.iterdir()
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def installed(wheel):
    """Names of the wheel's files, without its own metadata."""
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_the_package(installed):
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "keras_video").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert installed == files
    for name in ("presets/labels/kinetics400.txt", "models/tsm/tsm.py"):
        assert f"keras_video/{name}" in installed


def test_the_wheel_holds_the_bundled_preset(wheel):
    folder = "keras_video/presets/bundled/tsm_tiny_motion"
    for name in ("config.json", "preprocessor.json", "labels.txt", "model.safetensors"):
        assert f"{folder}/{name}" in wheel.namelist()
    size = sum(info.file_size for info in wheel.infolist() if info.filename.startswith(folder))
    assert size < 3_000_000


def test_the_wheel_has_licence_metadata_and_command(wheel):
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    for name in ("LICENSE", "NOTICE"):
        assert wheel.read(f"{info}/licenses/{name}") == (ROOT / name).read_bytes()
    assert b"keras-video = keras_video.cli:main" in wheel.read(f"{info}/entry_points.txt")
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata


def test_the_wheel_is_pure_python(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/WHEEL"))
    assert "Tag: py3-none-any" in wheel.read(name).decode()


def test_pre_commit_has_the_ruff_of_pyproject(pyproject):
    extras = pyproject["project"]["optional-dependencies"]
    (pinned,) = (requirement for requirement in extras["dev"] if requirement.startswith("ruff"))
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (revision,) = re.findall(r"ruff-pre-commit\n +rev: v(\S+)", text)
    assert pinned == f"ruff=={revision}"
