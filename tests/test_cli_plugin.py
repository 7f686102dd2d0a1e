"""`keras-video plugin new`: the package that it writes works as it is."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from own_environment import OwnEnvironment

from keras_video.cli import main
from keras_video.presets import create_plugin

FILES = {
    ".gitignore",
    "README.md",
    "pyproject.toml",
    "two_nets/__init__.py",
    "two_nets/plugin.py",
    "two_nets/two_nets.py",
    "two_nets/two_nets_presets.py",
    "tests/test_two_nets.py",
}


def files_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_names_are_changed_in_every_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["plugin", "new", "two_nets"]) == 0
    said = capsys.readouterr().out
    assert "cd two_nets\n" in said and 'keras-video presets "two_nets*"' in said
    files = files_in(tmp_path / "two_nets")
    assert set(files) == FILES
    for name, text in files.items():
        assert not re.search("my.?models", text, re.IGNORECASE), name
    assert 'name = "two-nets"' in files["pyproject.toml"]
    assert 'two_nets = "two_nets.plugin:register"' in files["pyproject.toml"]
    assert "class TwoNets(VideoClassifier)" in files["two_nets/two_nets.py"]


@pytest.mark.slow
def test_the_package_is_found_once_installed_and_its_tests_pass(tmp_path):
    assert main(["plugin", "new", "two_nets", "--directory", str(tmp_path / "mine")]) == 0
    run = OwnEnvironment(tmp_path / "mine").run
    run("python -m pip install -e .")
    with ThreadPoolExecutor(1) as pool:
        tests = pool.submit(run, "python -m pytest -q")
        listed = run('keras-video presets "two_nets*" --json')
        summary = run("keras-video summary two_nets_motion")
    # Among them one that loads the preset by its name.
    assert re.search(r"^\d\d passed", tests.result(), re.MULTILINE)
    assert '"name": "two_nets_motion"' in listed
    assert "two_nets_motion: TwoNets" in summary and "5,268" in summary


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("two-nets", "lower-case letters"),
        ("TwoNets", "lower-case letters"),
        ("2nets", "lower-case letters"),
        ("_nets", "lower-case letters"),
        ("../nets", "lower-case letters"),
        ("lambda", "word of Python's"),
        ("tests", "another folder"),
        ("json", "module of this name"),
        ("keras_video", "module of this name"),
        ("pp_tsm", "model of this name"),
    ],
)
def test_names_that_don_t_work_are_refused(name, why, tmp_path, capsys):
    assert main(["plugin", "new", name, "--directory", str(tmp_path / "mine")]) == 2
    error = capsys.readouterr().err
    assert why in error and f"Received: name={name!r}" in error
    assert not (tmp_path / "mine").exists()


def test_nothing_is_overwritten(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="Nothing is overwritten"):
        create_plugin("two_nets", folder)
    assert files_in(folder) == {"notes.txt": "mine"}
    with pytest.raises(FileExistsError):
        create_plugin("two_nets", folder / "notes.txt")
    (folder / "notes.txt").unlink()
    assert set(files_in(create_plugin("two_nets", folder))) == FILES
