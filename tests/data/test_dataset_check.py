import dataclasses
import json
import shutil
import warnings

import pytest

from keras_video.data import render_motion_clip, write_video
from keras_video.data.dataset_check import check_dataset
from keras_video.data.reencoding import reencode_video
from keras_video.data.video_list import VideoList
from keras_video.data.video_record import VideoRecord

LABELS = ("moving left", "zooming in")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Four sound videos of each class."""
    folder = tmp_path_factory.mktemp("videos")
    for number, label in enumerate(LABELS):
        for seed in range(4):
            write_video(folder / f"{number}_{seed}.mp4", render_motion_clip(label, seed, 20, 64))
    return folder


@pytest.fixture
def planted(videos, tmp_path):
    """A copy of the sound videos, to plant defects in."""
    shutil.copytree(videos, tmp_path, dirs_exist_ok=True)
    return tmp_path


def listed(folder, *names, labels=LABELS):
    """A list; the class of a video is the first character of its name, unless stated."""
    records = []
    for name in names:
        name, label = name if isinstance(name, tuple) else (name, int(name[0]))
        records.append(VideoRecord(str(folder / name), label))
    return VideoList(records, labels)


def found(report):
    return [(d.kind, d.split, d.source and d.source.rpartition("/")[2]) for d in report.defects]


def sound(folder, seeds=(0, 1)):
    return [f"{number}_{seed}.mp4" for number in (0, 1) for seed in seeds]


def test_a_sound_data_set_has_no_defect(videos):
    splits = {
        "train": listed(videos, *sound(videos, (0, 1, 2))),
        "val": listed(videos, *sound(videos, (3,))),
    }
    report = check_dataset(splits)
    assert report.defects == []
    assert report.counts == {}
    assert report.videos == {"train": 6, "val": 2}
    assert report.frames == {"train": 120, "val": 40}
    assert report.classes == {label: {"train": 3, "val": 1} for label in LABELS}
    assert json.loads(json.dumps(report.to_dict()))["ok"] is True


def test_unreadable_videos_are_found_with_the_reason(planted):
    (planted / "0_empty.mp4").touch()
    (planted / "0_text.mp4").write_text("not a video\n" * 100)
    cut = (planted / "1_0.mp4").read_bytes()
    (planted / "1_cut.mp4").write_bytes(cut[: len(cut) * 2 // 3])
    names = ["0_empty.mp4", "0_text.mp4", "1_cut.mp4", "1_gone.mp4"]
    report = check_dataset({"train": listed(planted, *names, *sound(planted))})
    assert found(report) == [("unreadable", "train", name) for name in names]
    reasons = [defect.reason for defect in report.defects]
    assert reasons[0] == "the file is empty (0 bytes)"
    assert reasons[3] == "there is no such file"
    assert report.counts == {"unreadable": 4}


def test_short_and_miscounted_videos_are_found(planted):
    write_video(planted / "0_short.mp4", render_motion_clip("moving left", 9, 5, 64))
    videos = listed(planted, "0_short.mp4", *sound(planted))
    wrong = dataclasses.replace(videos[1], num_frames=25)
    right = dataclasses.replace(videos[2], num_frames=20)
    videos = VideoList([videos[0], wrong, right, *videos.records[3:]], LABELS)
    report = check_dataset({"train": videos})
    assert found(report) == [("short", "train", "0_short.mp4"), ("miscounted", "train", "0_0.mp4")]
    assert report.defects[0].reason == "5 frames; a clip needs 8"
    assert report.defects[1].reason == "the list says 25 frames, the video has 20"
    assert check_dataset({"train": videos}, min_frames=5).counts == {"miscounted": 1}
    assert check_dataset({"train": videos}, min_frames=30).counts["short"] == 5


def test_copies_are_found_also_under_another_name_and_encoding(planted):
    shutil.copy(planted / "0_0.mp4", planted / "0_renamed.mp4")
    reencode_video(planted / "1_1.mp4", planted / "1_again.avi")
    names = [*sound(planted), "0_renamed.mp4", "1_again.avi", "1_0.mp4"]
    report = check_dataset({"train": listed(planted, *names)})
    assert found(report) == [
        ("duplicate", "train", "0_renamed.mp4"),
        ("duplicate", "train", "1_again.avi"),
        ("duplicate", "train", "1_0.mp4"),
    ]
    assert report.defects[0].reason == f"shows the same pictures as {planted / '0_0.mp4'}"
    assert report.defects[1].other == str(planted / "1_1.mp4")
    assert report.defects[2].reason == f"is the same file as {planted / '1_0.mp4'}"


def test_leaks_between_lists_are_found(planted):
    shutil.copy(planted / "0_0.mp4", planted / "0_leak.mp4")
    splits = {
        "train": listed(planted, *sound(planted)),
        "val": listed(planted, "0_leak.mp4", "1_1.mp4", "1_3.mp4"),
        "test": listed(planted, "1_3.mp4"),
    }
    report = check_dataset(splits)
    assert found(report) == [
        ("leak", "val", "0_leak.mp4"),
        ("leak", "val", "1_1.mp4"),
        ("leak", "test", "1_3.mp4"),
    ]
    assert report.defects[0].reason.endswith("0_0.mp4 in train")
    assert report.defects[2].reason.endswith("1_3.mp4 in val")


def test_one_video_as_two_classes_is_a_conflict(planted):
    videos = listed(planted, *sound(planted), ("0_0.mp4", 1))
    report = check_dataset({"train": videos})
    assert found(report) == [("conflict", "train", "0_0.mp4")]
    assert report.defects[0].reason.startswith("is of class zooming in, and is the same file as")
    assert report.defects[0].reason.endswith("of class moving left")
    both = check_dataset({"train": listed(planted, *sound(planted)), "val": videos[-1:]})
    assert {kind for kind, *_ in found(both)} == {"leak", "conflict"}


def test_classes_that_do_not_count_from_0_are_found(videos):
    records = [VideoRecord(str(videos / f"{n}_{s}.mp4"), 2 * n + 1) for n in (0, 1) for s in (0, 1)]
    (defect,) = check_dataset({"train": VideoList(records)}).defects
    assert (defect.kind, defect.label) == ("class", 0)
    assert defect.reason == "classes count from 0, and 0 and 1 more have no video"


def test_classes_that_training_never_sees_are_found(videos):
    splits = {
        "train": listed(videos, "0_0.mp4", "0_1.mp4", labels=(*LABELS, "zooming out")),
        "val": listed(videos, "1_0.mp4", labels=(*LABELS, "zooming out")),
    }
    report = check_dataset(splits)
    assert [(d.kind, d.split, d.label) for d in report.defects] == [
        ("class", "val", 1),
        ("class", "train", 2),
    ]
    assert report.defects[1].reason == "class zooming out has no video in train"
    assert report.classes["zooming in"] == {"train": 0, "val": 1}

    other = {
        "train": listed(videos, "0_0.mp4"),
        "val": listed(videos, "0_1.mp4", labels=("a", "b")),
    }
    reasons = [defect.reason for defect in check_dataset(other).defects]
    assert "val names other classes than the list before it" in reasons


def damaged_copy(source, target):
    """Zeroes a few packets in the middle: frames that the index lists and no decoder shows."""
    import av

    with av.open(str(source)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    content = bytearray(source.read_bytes())
    position, size = packets[len(packets) // 2]
    content[position : position + size] = bytes(size)
    target.write_bytes(content)


def test_damaged_frames_are_found(planted):
    damaged_copy(planted / "0_2.mp4", planted / "0_damaged.mp4")
    videos = listed(planted, "0_damaged.mp4", *sound(planted))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = check_dataset({"train": videos}, every_frame=True)
    assert found(report) == [("damaged", "train", "0_damaged.mp4")]
    assert report.defects[0].reason == "1 of 20 frames are damaged"
    assert caught == []


def test_every_frame_gives_the_same_answer_for_sound_videos(videos):
    splits = {"train": listed(videos, *sound(videos), "0_0.mp4")}
    seen = []
    report = check_dataset(splits, every_frame=True, advance=lambda: seen.append(1))
    assert report == check_dataset(splits, workers=1)
    assert report.counts == {"duplicate": 1}
    assert len(seen) == 5


def test_lists_without_classes_are_checked_too(videos):
    bare = VideoList([str(videos / "0_0.mp4"), str(videos / "0_1.mp4")])
    report = check_dataset({"test": bare})
    assert report.defects == []
    assert report.classes == {}
