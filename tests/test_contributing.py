"""CONTRIBUTING.md's "Add a model", word by word: its files are written, its commands are run."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from file_server import FileServer
from own_environment import OwnEnvironment

from keras_video.data import render_motion_clip, write_video
from keras_video.presets import create_plugin

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ADD_A_MODEL = TEXT.partition("\n## Add a model\n")[2].partition("\n## ")[0]

# A paragraph that begins with the name of a file, and the next block of code.
FILE = re.compile(r"^`([\w/.]+\.\w+)` (?:(?!^```).)*?^```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    ((?:.*\\\n)*.+)$", re.MULTILINE)
OUTSIDE_BLOCKS = re.sub(r"^```.*?^```$", "", ADD_A_MODEL, flags=re.MULTILINE | re.DOTALL)
COMMANDS = COMMAND.findall(OUTSIDE_BLOCKS)
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (.+) \| `(.+)` \|$", re.MULTILINE)

FILES = {
    "diff_net/diff_net.py",
    "diff_net/diff_net_presets.py",
    "tests/make_golden.py",
    "tests/test_diff_net.py",
    "recipes/diff_net_motion.py",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The folder that the page's first command makes, with the page's files in it."""
    assert COMMANDS[0] == "keras-video plugin new diff_net && cd diff_net"
    folder = create_plugin("diff_net", tmp_path_factory.mktemp("page") / "diff_net")
    files = dict(FILE.findall(ADD_A_MODEL))
    assert set(files) == FILES
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    write_video(folder / "clip.mp4", render_motion_clip("moving up", 1, 16, 64))
    return folder


@pytest.fixture(scope="module")
def run(package):
    """Runs a command of the page in its package; returns what it printed."""
    return OwnEnvironment(package).run


def test_what_the_page_shows_of_the_new_package_is_so(package):
    (shown,) = BLOCK.findall(ADD_A_MODEL)
    assert shown in (package / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_s_package_works_as_it_stands(package, run):
    _, install, presets, golden, tests, other_backend, train, predict = COMMANDS
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
