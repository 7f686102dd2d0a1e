import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap

import av
import numpy as np
import pytest

from keras_video.data import dataset_preparation as module
from keras_video.data import open_video, render_motion_clip, write_video
from keras_video.data.dataset_check import check_dataset
from keras_video.data.dataset_preparation import prepare_dataset
from keras_video.data.video_list import VideoList

CLASSES = ("moving left", "zooming in", "zooming out")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Five videos of each of three classes, in folders."""
    root = tmp_path_factory.mktemp("good")
    for label in CLASSES:
        (root / label).mkdir()
        for seed in range(5):
            clip = render_motion_clip(label, seed, 16, 64)
            write_video(root / label / f"clip {seed}.avi", clip, codec="mpeg4")
    return root


@pytest.fixture
def root(good, tmp_path):
    shutil.copytree(good, tmp_path / "videos")
    return tmp_path / "videos"


def names(out):
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def test_lists_labels_and_report(good, tmp_path):
    report = prepare_dataset(good, tmp_path / "data")
    assert (report.train, report.val, report.left_out) == (12, 3, [])
    assert report.classes == {label: {"train": 4, "val": 1} for label in CLASSES}
    assert names(tmp_path / "data") == ["labels.txt", "report.json", "train.list", "val.list"]
    train, val = (VideoList.read(tmp_path / "data" / name) for name in ("train.list", "val.list"))
    assert train.labels == val.labels == CLASSES
    sources = {record.source for videos in (train, val) for record in videos}
    assert sources == {str(path) for path in good.rglob("*.avi")}
    for record in train:
        assert os.path.dirname(record.source).endswith(CLASSES[record.label])
    assert json.loads((tmp_path / "data" / "report.json").read_text()) == report.to_dict()


def test_the_seed_makes_the_split(good, tmp_path):
    lists = []
    for number, seed in enumerate((0, 0, 1)):
        prepare_dataset(good, tmp_path / str(number), seed=seed)
        lists.append((tmp_path / str(number) / "val.list").read_text())
    assert lists[0] == lists[1] != lists[2]


def test_no_validation_part(good, tmp_path):
    prepare_dataset(good, tmp_path / "data")
    report = prepare_dataset(good, tmp_path / "data", val_fraction=0)
    assert (report.train, report.val) == (15, 0)
    assert names(tmp_path / "data") == ["labels.txt", "report.json", "train.list"]


def test_classes_of_one_video_have_none_to_validate(root, tmp_path):
    for path in root.rglob("*.avi"):
        if path.stem != "clip 0":
            path.unlink()
    report = prepare_dataset(root, tmp_path / "data")
    assert (report.train, report.val) == (3, 0)
    assert names(tmp_path / "data") == ["labels.txt", "report.json", "train.list"]


def test_bad_videos_and_copies_are_left_out_and_named(root, tmp_path):
    (root / "zooming in" / "empty.mp4").touch()
    write_video(root / "zooming in" / "short.mp4", render_motion_clip("zooming in", 7, 4, 64))
    shutil.copy(root / "zooming in" / "clip 0.avi", root / "zooming in" / "copy.avi")
    report = prepare_dataset(root, tmp_path / "data")
    assert {os.path.basename(d.source): d.kind for d in report.left_out} == {
        "empty.mp4": "unreadable",
        "short.mp4": "short",
        "copy.avi": "duplicate",
    }
    assert report.train + report.val == 15
    splits = {name: VideoList.read(tmp_path / "data" / f"{name}.list") for name in ("train", "val")}
    assert check_dataset(splits).defects == []


@pytest.mark.parametrize("gop", [None, 6])
def test_names_that_no_list_can_hold_are_left_out_and_named(root, tmp_path, gop):
    folder = root / CLASSES[0]
    names = [os.fsdecode(b"bad\xff.avi"), "two\nlines.avi"]
    for number, name in enumerate(names):
        (folder / f"clip {number}.avi").rename(folder / name)
    shutil.copy(folder / names[0], folder / "clip 0.avi")
    report = prepare_dataset(root, tmp_path / "data", gop=gop)
    assert report.train + report.val == 14
    assert {(d.kind, os.path.basename(d.source)) for d in report.left_out} == {
        ("name", name) for name in names
    }
    assert json.loads((tmp_path / "data" / "report.json").read_text()) == report.to_dict()
    (root / "two\nlines").mkdir()
    (folder / "clip 3.avi").rename(root / "two\nlines" / "a.avi")
    with pytest.raises(ValueError, match="must be one line of text"):
        prepare_dataset(root, tmp_path / "other")


def test_of_a_video_in_two_classes_neither_copy_is_kept(root, tmp_path):
    shutil.copy(root / "zooming in" / "clip 0.avi", root / "moving left" / "copy.avi")
    report = prepare_dataset(root, tmp_path / "data")
    assert [(os.path.basename(d.source), d.kind, d.label) for d in report.left_out] == [
        ("clip 0.avi", "conflict", 1),
        ("copy.avi", "conflict", 0),
    ]
    assert report.train + report.val == 14


def test_encoding_again_gives_a_folder_of_its_own(good, tmp_path):
    out = tmp_path / "data"
    report = prepare_dataset(good, out, gop=4, workers=2)
    assert (report.encoded, report.reused) == (15, 0)
    moved = tmp_path / "moved"
    out.rename(moved)
    train = VideoList.read(moved / "train.list")
    assert len(train) == 12
    for record in train:
        assert record.source.startswith(str(moved / "videos"))
        assert record.source.endswith(".mp4")
        with open_video(record.source) as video:
            assert len(video) == 16
        with av.open(record.source) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
            assert packets[0].stream.codec_context.name == "h264"
            assert sum(packet.is_keyframe for packet in packets) >= 4
    first = VideoList.read(moved / "train.list")[0]
    source = first.source.replace(str(moved / "videos"), str(good)).replace(".mp4", ".avi")
    with open_video(source) as before, open_video(first.source) as after:
        difference = before.get_frames([3]).astype(float) - after.get_frames([3])
    assert np.abs(difference).mean() < 6


def test_a_second_run_encodes_only_what_changed(root, tmp_path):
    out = tmp_path / "data"
    prepare_dataset(root, out, gop=4)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.mp4")}
    write_video(root / "zooming in" / "clip 0.avi", render_motion_clip("zooming in", 70, 16, 64))
    next(out.rglob("moving left/clip 1.mp4")).unlink()
    report = prepare_dataset(root, out, gop=4)
    assert (report.encoded, report.reused) == (2, 13)
    changed = {path for path in times if path.stat().st_mtime_ns != times[path]}
    assert {path.relative_to(out).as_posix() for path in changed} == {
        "videos/zooming in/clip 0.mp4",
        "videos/moving left/clip 1.mp4",
    }
    assert prepare_dataset(root, out, gop=4).encoded == 0
    assert prepare_dataset(root, out, gop=8).encoded == 15
    assert prepare_dataset(root, out, gop=8, short_side=32).encoded == 15


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_run_that_ends_early_leaves_whole_files_and_is_continued(
    root, tmp_path, monkeypatch, error
):
    out, calls = tmp_path / "data", []
    encode = module.reencode_video

    def fail_late(*args, **kwargs):
        calls.append(1)
        if len(calls) > 6:
            raise error
        return encode(*args, **kwargs)

    monkeypatch.setattr(module, "reencode_video", fail_late)
    with pytest.raises(error if isinstance(error, type) else OSError):
        prepare_dataset(root, out, gop=4, workers=2)
    assert not (out / "train.list").exists()
    videos = list((out / "videos").rglob("*"))
    assert not [path for path in videos if path.name.startswith(".")]
    for path in videos:
        if path.is_file():
            with open_video(path) as video:
                assert len(video) == 16
    with (out / "reencoded.jsonl").open("a") as journal:
        journal.write('{"video": "videos/mov')  # as a killed process leaves it

    monkeypatch.setattr(module, "reencode_video", encode)
    report = prepare_dataset(root, out, gop=4)
    assert 1 <= report.reused <= 6
    assert report.encoded + report.reused == 15
    assert prepare_dataset(root, out, gop=4).reused == 15


def test_what_a_killed_run_left_half_written_goes_away(good, tmp_path):
    out = tmp_path / "data"
    program = textwrap.dedent(
        """
        import os, signal, sys
        from keras_video.data import dataset_preparation

        os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
        dataset_preparation.prepare_dataset(sys.argv[1], sys.argv[2], gop=4, workers=1)
        """
    )
    killed = subprocess.run([sys.executable, "-c", program, str(good), str(out)])
    assert killed.returncode == -signal.SIGKILL
    leftovers = [name for name in names(out) if name.startswith("videos/")]
    assert len(leftovers) == 1 and re.search(r"/\.clip 0\.[0-9a-f]{8}\.mp4$", leftovers[0])

    others = ["videos/.clip 0.mp4", "videos/moving left/.clip 0.1f2e3d4.mp4", "videos/mine.txt"]
    others += ["videos/clip.1f2e3d4c.mp4", ".clip 0.1f2e3d4c.mp4", "videos/.20260101.mp4"]
    for name in others:
        (out / name).touch()
    linked = out / "videos" / "elsewhere"
    linked.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".clip 0.1f2e3d4c.mp4").touch()
    prepare_dataset(good, out, gop=4)
    found = names(out)
    assert leftovers[0] not in found and set(others) <= set(found)
    assert (tmp_path / "elsewhere" / ".clip 0.1f2e3d4c.mp4").exists()


def test_names_that_differ_only_in_the_suffix_stay_apart(root, tmp_path):
    write_video(root / "zooming in" / "clip 0.mp4", render_motion_clip("zooming in", 80, 16, 64))
    report = prepare_dataset(root, tmp_path / "data", gop=4)
    assert report.train + report.val == 16
    files = names(tmp_path / "data" / "videos")
    assert "zooming in/clip 0.avi.mp4" in files
    assert "zooming in/clip 0.mp4.mp4" in files
    assert "zooming in/clip 1.mp4" in files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"val_fraction": 1}, "Received: val_fraction=1"),
        ({"gop": 0}, "Received: gop=0"),
        ({"short_side": 64}, "`short_side` needs `gop`"),
    ],
)
def test_arguments_that_do_not_fit(good, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        prepare_dataset(good, tmp_path / "data", **arguments)
    assert not (tmp_path / "data").exists()


def test_folders_that_do_not_fit(root, tmp_path):
    for out in (root, root / "data"):
        with pytest.raises(ValueError, match="must not go into the folder of the videos"):
            prepare_dataset(root, out)
    with pytest.raises(ValueError, match="no such folder"):
        prepare_dataset(tmp_path / "missing", tmp_path / "data")
    empty = tmp_path / "empty"
    (empty / "a").mkdir(parents=True)
    (empty / "a" / "x.mp4").touch()
    with pytest.raises(ValueError, match="No video of this folder is usable"):
        prepare_dataset(empty, tmp_path / "data")
