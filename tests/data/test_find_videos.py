from pathlib import Path

import pytest

from keras_video.data.find_videos import find_videos


@pytest.fixture
def folder(tmp_path):
    for name in ("b.mp4", "a.MKV", "deep/er/c.webm", "notes.txt", ".hidden.mp4", ".git/d.mp4"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "videos"


def names(paths, folder):
    return [path.relative_to(folder).as_posix() for path in paths]


def test_a_folder_stands_for_the_videos_in_it_and_below(folder):
    assert names(find_videos(folder), folder) == ["a.MKV", "b.mp4", "deep/er/c.webm"]


def test_a_file_is_taken_whatever_its_suffix(folder):
    assert find_videos(folder / "notes.txt") == [folder / "notes.txt"]


def test_patterns_match_files_at_any_depth(folder):
    assert names(find_videos(f"{folder}/*.mp4"), folder) == ["b.mp4"]
    assert names(find_videos(f"{folder}/**/*.webm"), folder) == ["deep/er/c.webm"]
    assert names(find_videos(f"{folder}/*"), folder) == ["a.MKV", "b.mp4", "notes.txt"]


def test_a_file_named_like_a_pattern_is_found(folder):
    odd = folder / "take[1].mp4"
    odd.touch()
    assert find_videos(str(odd)) == [odd]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.mp4", "missing.mp4: no such file or folder"),
        ("videos/*.avi", "no file matches"),
        ("empty", "empty: no video in this folder"),
    ],
)
def test_nothing_found_is_an_error_that_names_the_source(folder, monkeypatch, source, message):
    monkeypatch.chdir(folder.parent)
    Path("empty").mkdir()
    with pytest.raises(FileNotFoundError, match=message):
        find_videos(source)
