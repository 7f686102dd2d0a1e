"""The folder of a server's uploads."""

import os
import subprocess
import sys

import pytest

from keras_video.serving.request_error import RequestError
from keras_video.serving.temporary_files import TemporaryFiles


@pytest.fixture
def files(tmp_path):
    files = TemporaryFiles(tmp_path, 1000)
    yield files
    files.close()
    assert list(tmp_path.iterdir()) == []


def test_all_files_together_have_a_limit(files):
    paths = [files.new_path(), files.new_path(".mp4")]
    with files.create(paths[0]) as first, files.create(paths[1]) as second:
        first.write(bytes(600))
        second.write(bytes(400))
        with pytest.raises(RequestError) as caught:
            second.write(bytes(1))
    assert (caught.value.status, caught.value.code) == (503, "storage_full")
    assert [path.stat().st_size for path in paths] == [600, 400]
    files.remove(paths[0])
    files.grow(paths[1], 600)


def test_a_file_that_cannot_be_made_is_told_as_a_lack_of_room(files):
    with pytest.raises(RequestError) as caught:
        files.create(files.folder / "none" / "file")
    assert caught.value.code == "storage_full"


@pytest.mark.parametrize("size", [5_000, 500_000], ids=["when it is closed", "when it is written"])
def test_a_full_disk_is_told_as_a_lack_of_room(tmp_path, size):
    code = (
        "import resource, sys\n"
        "from keras_video.serving.request_error import RequestError\n"
        "from keras_video.serving.temporary_files import TemporaryFiles\n"
        "files = TemporaryFiles(sys.argv[1], 10**9)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    with files.create(files.new_path()) as file: file.write(bytes(int(sys.argv[2])))\n"
        "except RequestError as error: print(error.code)\n"
        "files.close()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(size)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "storage_full\n", done.stderr
    assert "File too large" in done.stderr  # The operator is told the reason.


def test_folders_of_servers_that_were_killed_are_removed_and_others_are_not(files, monkeypatch):
    parent = files.folder.parent
    abandoned, strange = parent / "keras_video_serve_1", parent / "keras_video_serve_2"
    for folder in (abandoned, strange):
        folder.mkdir()
    (abandoned / "lock").touch()
    now = os.stat(abandoned).st_ctime
    monkeypatch.setattr("keras_video.serving.temporary_files.time.time", lambda: now + 100)
    TemporaryFiles(parent, 1000).close()
    assert not abandoned.exists() and strange.exists() and files.folder.exists()
    strange.rmdir()
