"""CONTRIBUTING.md's "Add a model", word by word: its files are written, its commands are run."""

import os
import re
import subprocess
import sysconfig
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from file_server import FileServer

from keras_video.data import render_motion_clip, write_video

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ADD_A_MODEL = TEXT.partition("\n## Add a model\n")[2].partition("\n## ")[0]

# A paragraph that begins with the name of a file, and the next block of code.
FILE = re.compile(r"^`([\w/.]+\.\w+)` (?:(?!^```).)*?^```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    ((?:.*\\\n)*.+)$", re.MULTILINE)
OUTSIDE_BLOCKS = re.sub(r"^```.*?^```$", "", ADD_A_MODEL, flags=re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (.+) \| `(.+)` \|$", re.MULTILINE)

FILES = {
    "pyproject.toml",
    "diff_net/__init__.py",
    "diff_net/diff_net.py",
    "diff_net/diff_net_presets.py",
    "diff_net/plugin.py",
    "tests/make_golden.py",
    "tests/test_diff_net.py",
    "recipes/diff_net_motion.py",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with the page's files, and an environment of its own to install it in."""
    folder = tmp_path_factory.mktemp("diff_net")
    files = dict(FILE.findall(ADD_A_MODEL))
    assert set(files) == FILES
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    write_video(folder / "clip.mp4", render_motion_clip("moving up", 1, 16, 64))
    venv.create(folder / ".venv", symlinks=True)
    # What is installed here, and this clone, are seen in the new environment as well.
    (site,) = (folder / ".venv").glob("lib/python*/site-packages")
    (site / "clone.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return folder


@pytest.fixture(scope="module")
def run(package):
    """Runs a command of the page in its package; returns what it printed."""
    console = package / ".venv" / "bin" / "keras-video"
    console.write_text(
        f"#!{package}/.venv/bin/python\nimport sys\nfrom keras_video.cli import main\n"
        "sys.exit(main())\n"
    )
    console.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{console.parent}{os.pathsep}{os.environ['PATH']}",
        # Dependencies and setuptools are here already: no network.
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "KERAS_VIDEO_CACHE": str(package / "cache"),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    for name in ("PYTHONPATH", "KERAS_BACKEND"):
        environment.pop(name, None)

    def run(command, **variables):
        done = subprocess.run(
            command,
            shell=True,
            cwd=package,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.mark.slow
def test_the_page_s_package_works_as_it_stands(package, run):
    commands = COMMAND.findall(OUTSIDE_BLOCKS)
    install, presets, golden, tests, other_backend, train, predict = commands
    run(install)
    assert "diff_net_motion" in run(presets)
    run(golden)
    with FileServer().serve() as server, ThreadPoolExecutor(2) as pool:
        original = package / "tests" / "golden" / "diff_net.safetensors"
        server.files["/diff_net_motion.safetensors"] = original.read_bytes()
        training = pool.submit(run, train)
        answer = pool.submit(run, predict, KERAS_VIDEO_CHECKPOINT_MIRROR=server.address)
        assert re.search(r"^\d\d passed", run(tests), re.MULTILINE)
        assert re.search(r"^1 passed", run(other_backend), re.MULTILINE)
        assert "moving" in answer.result()
        assert server.requests == ["/diff_net_motion.safetensors"]
        training.result()
    preset = package / "runs" / "try" / "preset"
    assert {"model.safetensors", "preprocessor.json"} < {file.name for file in preset.iterdir()}


@pytest.mark.parametrize(("file", "line"), ROW.findall(ADD_A_MODEL.partition("### Inside")[2]))
def test_what_the_page_says_of_tsm_is_so(file, line):
    if file.startswith("`"):
        text = (ROOT / file.strip("`")).read_text(encoding="utf-8")
        assert line in text
    else:
        assert (ROOT / line).is_file()
