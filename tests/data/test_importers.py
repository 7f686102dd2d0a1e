"""Annotations of well-known data sets, as their authors write them, on made-up trees of videos."""

import json
from pathlib import Path

import pytest

import keras_video
from keras_video.data.importers import (
    import_hmdb51,
    import_kinetics,
    import_something_something,
    import_ucf101,
)
from keras_video.data.video_list import VideoList


def tree(root, *files):
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def shown(found):
    return [(Path(record.source).name, record.label) for record in found.videos]


KINETICS = """label,youtube_id,time_start,time_end,split
abseiling,_4YTwq0-73Y,1,11,train
"zumba",zumba-1,120,130,train
air drumming,gone,7,17,train
air drumming,other,7,17,validate
"""


def test_kinetics(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(KINETICS, encoding="utf-8")
    videos = tree(
        tmp_path / "k400", "abseiling/_4YTwq0-73Y_000001_000011.mp4", "zumba-1.mkv", "other.mp4"
    )
    found = import_kinetics(path, videos, split="train")
    assert shown(found) == [("_4YTwq0-73Y_000001_000011.mp4", 0), ("zumba-1.mkv", 2)]
    assert found.videos.labels == ("abseiling", "air drumming", "zumba")
    assert found.missing == ("gone_000007_000017",)
    assert "1 of 3 annotated videos are missing:\n  gone_000007_000017" in found.report()
    assert len(import_kinetics(path, videos).videos) == 3
    names = ["zumba", "air drumming", "abseiling"]
    assert shown(import_kinetics(path, videos, labels=names, split="validate")) == [
        ("other.mp4", 1)
    ]
    with pytest.raises(ValueError, match="Received: split='val'"):
        import_kinetics(path, videos, split="val")
    with pytest.raises(ValueError, match="'abseiling'"):
        import_kinetics(path, videos, labels=["zumba"])


def test_kinetics_without_labels(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text("youtube_id,time_start,time_end,split\nabc,3,13,test\n", encoding="utf-8")
    found = import_kinetics(path, tree(tmp_path / "v", "abc_000003_000013.mp4"))
    assert found.videos[0].label is None


def test_ucf101(tmp_path):
    splits = tmp_path / "ucfTrainTestlist"
    splits.mkdir()
    (splits / "classInd.txt").write_text("1 ApplyEyeMakeup\r\n2 YoYo\r\n", encoding="utf-8")
    (splits / "trainlist02.txt").write_text(
        "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\nYoYo/v_YoYo_g01_c01.avi 2\n"
        "YoYo/v_YoYo_g01_c02.avi 2\n",
        encoding="utf-8",
    )
    (splits / "testlist02.txt").write_text("YoYo/v_YoYo_g25_c01.avi\n", encoding="utf-8")
    videos = tree(
        tmp_path / "UCF-101",
        "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi",
        "YoYo/v_YoYo_g01_c01/img_00001.jpg",
        "YoYo/v_YoYo_g25_c01.mp4",
    )
    found = import_ucf101(splits, videos, split=2)
    assert shown(found) == [("v_ApplyEyeMakeup_g08_c01.avi", 0), ("v_YoYo_g01_c01", 1)]
    assert found.missing == ("v_YoYo_g01_c02",)
    assert shown(import_ucf101(splits, videos, split=2, subset="test")) == [
        ("v_YoYo_g25_c01.mp4", 1)
    ]
    with pytest.raises(ValueError, match="cannot be read"):
        import_ucf101(splits, videos, split=1)
    with pytest.raises(ValueError, match="split=4"):
        import_ucf101(splits, videos, split=4)


def test_hmdb51(tmp_path):
    splits = tmp_path / "testTrainMulti_7030_splits"
    splits.mkdir()
    (splits / "wave_test_split1.txt").write_text("same.avi 2 \nw.avi 1 \nn.avi 0 \n")
    (splits / "brush_hair_test_split1.txt").write_text("same.avi 1 \nb#0.avi 1 \n")
    videos = tree(tmp_path / "v", "brush_hair/same.avi", "brush_hair/b#0.avi", "wave/same.avi")
    found = import_hmdb51(splits, videos)
    assert shown(found) == [("same.avi", 0), ("b#0.avi", 0)]
    assert found.missing == ("w",) and found.videos.labels == ("brush_hair", "wave")
    found = import_hmdb51(splits, videos, subset="test")
    assert Path(found.videos[0].source).parent.name == "wave"
    with pytest.raises(ValueError, match="no files"):
        import_hmdb51(splits, videos, split=3)
    (splits / "wave_test_split1.txt").write_text("what is this\n")
    with pytest.raises(ValueError, match="0, 1 or 2"):
        import_hmdb51(splits, videos)


def test_something_something(tmp_path):
    train, labels = tmp_path / "train.json", tmp_path / "labels.json"
    entries = [
        {"id": "78687", "label": "holding potato next to vicks",
         "template": "Holding [something] next to [something]", "placeholders": ["potato"]},
        {"id": "2", "template": "Approaching [something] with your camera"},
        {"id": "3", "template": "Approaching [something] with your camera"},
    ]  # fmt: skip
    train.write_text(json.dumps(entries), encoding="utf-8")
    labels.write_text(
        json.dumps({"Holding something next to something": "1",
                    "Approaching something with your camera": "0"}),
        encoding="utf-8",
    )  # fmt: skip
    videos = tree(tmp_path / "ssv2", "78687.webm", "2.webm")
    found = import_something_something(train, videos, labels=labels)
    assert shown(found) == [("78687.webm", 1), ("2.webm", 0)] and found.missing == ("3",)
    found.videos.write(tmp_path / "out" / "train.list")
    assert VideoList.read(tmp_path / "out" / "train.list").labels == found.videos.labels
    test = tmp_path / "test.json"
    test.write_text('[{"id": 2}]', encoding="utf-8")
    assert import_something_something(test, videos, labels=labels).videos[0].label is None


def test_importers_are_found_without_an_import_of_their_own():
    assert keras_video.data.importers.import_ucf101 is import_ucf101


def test_nothing_there_or_other_files_are_errors(tmp_path):
    csv = tmp_path / "train.csv"
    csv.write_text(KINETICS, encoding="utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="None of the 4 annotated videos, such as '_4YTwq0"):
        import_kinetics(csv, empty)
    with pytest.raises(ValueError, match="no such folder"):
        import_kinetics(csv, tmp_path / "missing")
    csv.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="with a, b"):
        import_kinetics(csv, empty)
    with pytest.raises(ValueError, match="no JSON"):
        import_something_something(csv, empty, labels=csv)
