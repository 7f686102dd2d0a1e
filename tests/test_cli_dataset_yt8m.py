"""`keras-video dataset yt8m`: each planted defect is found and named."""

import json
import subprocess
import sys

import numpy as np
import pytest

from keras_video.cli import main
from keras_video.data.feature_example import make_example
from keras_video.data.tfrecord_file import scan_records, write_records


def example(name, labels=(3, 3861), frames=4, audio_frames=None, rgb=1024):
    arrays = {
        "rgb": np.full((frames, rgb), 7, np.uint8),
        "audio": np.full((frames if audio_frames is None else audio_frames, 128), 9, np.uint8),
    }
    return make_example(name, arrays, labels)


def write(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        write_records(file, records)


@pytest.fixture
def root(tmp_path):
    """Two shards of training, one of validation and one without labels for testing."""
    for split, number in (("train", 0), ("train", 17), ("validate", 3000), ("test", 1)):
        labels = None if split == "test" else (3, 3861)
        records = [example(f"{split[:2]}{number}{i}", labels) for i in range(5)]
        write(tmp_path / split / f"{split}{number:04d}.tfrecord", records)
    return tmp_path


def check(root, capsys, *arguments):
    code = main(["dataset", "yt8m", str(root), "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_a_part_of_the_set_is_fine(root, capsys):
    assert main(["dataset", "yt8m", str(root)]) == 0
    said = capsys.readouterr().out
    assert "2 of 3844" in said and "Defects: none" in said
    for row in (("train", "10", "40", "2.00"), ("test", "5", "20", "0.00")):
        assert any(all(cell in line for cell in row) for line in said.splitlines())
    code, report = check(root, capsys)
    assert code == 0 and report["ok"] and list(report["splits"]) == ["train", "validate", "test"]
    assert report["splits"]["train"]["records"] == 10
    assert len(report["splits"]["train"]["missing"]) == 3842


def test_one_split_alone(root, capsys):
    (root / "train" / "train0000.tfrecord").write_bytes(b"")
    code, report = check(root, capsys, "--split", "validate")
    assert code == 0 and list(report["splits"]) == ["validate"]


def test_missing_shards_are_defects_of_a_complete_set(root, capsys):
    code, report = check(root, capsys, "--split", "train", "--complete")
    assert code == 1 and report["counts"] == {"missing": 3842}
    assert report["defects"][0]["source"] == "train0001.tfrecord"


def test_the_few_shards_that_miss_are_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("keras_video.data.youtube8m_check.NUM_SHARDS", 4)
    for number in (0, 2):
        write(tmp_path / f"train000{number}.tfrecord", [example(f"v{number}")])
    assert main(["dataset", "yt8m", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "train: 2 shards not there: train0001.tfrecord, train0003.tfrecord" in said


def test_names_of_two_letters(tmp_path, capsys):
    write(tmp_path / "trainAb.tfrecord", [example("a")])
    write(tmp_path / "train07.tfrecord", [example("b")])
    code, report = check(tmp_path, capsys, "--complete")
    assert code == 1 and report["counts"] == {"missing": 3842}
    assert "trainAb.tfrecord" not in {defect["source"] for defect in report["defects"]}


def test_each_planted_defect_is_found(root, capsys):
    train = root / "train"
    write(train / "train9999.tfrecord", [example("name")])
    write(train / "mine.tfrecord", [example("name2")])
    (train / "train0001.tfrecord").write_bytes(b"")
    (train / "train0002.tfrecord").write_bytes(b"<html>Not Found</html>" * 20)
    write(train / "train0003.tfrecord", [example(f"x{i}") for i in range(3)])
    cut = train / "train0003.tfrecord"
    cut.write_bytes(cut.read_bytes()[:-10])
    write(train / "train0004.tfrecord", [example(f"y{i}") for i in range(3)])
    flipped = train / "train0004.tfrecord"
    offset = list(scan_records(str(flipped)))[1].offset
    data = bytearray(flipped.read_bytes())
    data[offset + 2000] ^= 8
    flipped.write_bytes(data)
    records = {
        "unnamed": example(""),
        "unlabelled": example("no labels", None),
        "unlabelled too": example("no label", ()),
        "label": example("high", (5, 3862)),
        "label too": example("low", (-1,)),
        "frames": example("empty", frames=0),
        "frames too": example("uneven", audio_frames=3),
        "features": example("narrow", rgb=1000),
        "features too": make_example("rgb only", {"rgb": np.zeros((2, 1024), np.uint8)}, (1,)),
        "damaged": b"\xff\xff no example",
        "fine": example("fine"),
        "duplicate": example("fine"),
    }
    write(train / "train0005.tfrecord", records.values())
    write(root / "validate" / "validate0000.tfrecord", [example("tr170"), example("new")])
    code, report = check(root, capsys)
    assert code == 1
    assert report["counts"] == {
        "name": 2,
        "unreadable": 3,
        "damaged": 2,
        "unnamed": 1,
        "unlabelled": 2,
        "label": 2,
        "frames": 2,
        "features": 2,
        "duplicate": 1,
        "leak": 1,
    }
    found = {}
    for defect in report["defects"]:
        found.setdefault(defect["kind"], []).append(f"{defect['source']}: {defect['reason']}")
    for kind, words in {
        "name": ("mine.tfrecord", "train9999.tfrecord"),
        "unreadable": (
            "train0001.tfrecord#0: the file is empty",
            "train0002.tfrecord#0: no record begins here",
            "is cut off",
        ),
        "damaged": (f"train0004.tfrecord#{offset}: the record does not have", "no example"),
        "label": ("3861; this has [3862]", "this has [-1]"),
        "frames": ("no frames", "not equally many frames: {'audio': 3, 'rgb': 4}"),
        "features": ("they are {'audio': 128, 'rgb': 1000}", "they are {'rgb': 1024}"),
        "duplicate": ("video fine is also",),
        "leak": ("validate0000.tfrecord#0: video tr170 is also",),
    }.items():
        for text, place in zip(words, found[kind], strict=True):
            assert text in place
    assert main(["dataset", "yt8m", str(root)]) == 1
    said = capsys.readouterr().out
    assert "Defects: 2 name, 3 unreadable" in said


def test_a_quick_look_finds_what_needs_no_checksum(root, capsys):
    path = root / "train" / "train0000.tfrecord"
    offset = list(scan_records(str(path)))[2].offset
    data = bytearray(path.read_bytes())
    data[offset + 3000] ^= 8
    path.write_bytes(data)
    write(root / "train" / "train0001.tfrecord", [example("a", (1, 4000)), example("tr03", None)])
    code, report = check(root, capsys, "--quick")
    assert code == 1 and report["counts"] == {"unlabelled": 1, "label": 1, "duplicate": 1}
    assert report["splits"]["train"]["frames"] == 48
    assert check(root, capsys)[1]["counts"]["damaged"] == 1


def test_video_level_records_are_a_set_of_their_own(root, capsys):
    import tensorflow as tf

    records = []
    for number in range(3):
        record = tf.train.Example()
        record.features.feature["id"].bytes_list.value.append(f"tr0{number}".encode())
        record.features.feature["labels"].int64_list.value.append(number)
        record.features.feature["mean_rgb"].float_list.value.extend([0.5] * 1024)
        record.features.feature["mean_audio"].float_list.value.extend([0.5] * (128 - number // 2))
        records.append(record.SerializeToString())
    write(root / "video" / "train0000.tfrecord", records)
    code, report = check(root, capsys)
    assert code == 1 and report["counts"] == {"features": 1}
    assert report["splits"]["train (video-level)"]["records"] == 3


def test_a_folder_without_shards_is_one_line(tmp_path, capsys):
    assert main(["dataset", "yt8m", str(tmp_path)]) == 2
    assert "There are no shards of train, validate, test" in capsys.readouterr().err
    assert main(["dataset", "yt8m", str(tmp_path / "none")]) == 2
    assert "There is no such folder" in capsys.readouterr().err


def test_the_check_needs_no_framework(root):
    code = (
        "import sys; from keras_video.cli import main; "
        f"main(['dataset', 'yt8m', {str(root)!r}]); "
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
