"""Lists of videos: from folders, from files, split, written and read again."""

from collections import Counter
from pathlib import Path

import pytest

from keras_video.data.video_list import VideoList
from keras_video.data.video_record import VideoRecord


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.fixture
def folder(tmp_path):
    for name in ("zebra/b.mp4", "zebra/a.MKV", "ant hill/deep er/one.avi", "ant hill/notes.txt",
                 "ant hill/.hidden.mp4", "empty/readme.md", ".cache/x.mp4",
                 "bird/clip/img_00001.jpg", "bird/clip/img_00002.jpg"):  # fmt: skip
        touch(tmp_path / "videos" / name)
    return tmp_path / "videos"


def names(videos):
    return [Path(record.source).name for record in videos]


def test_a_folder_for_each_class_is_a_list(folder):
    videos = VideoList.from_folder(folder)
    assert videos.labels == ("ant hill", "bird", "zebra")
    assert names(videos) == ["one.avi", "clip", "a.MKV", "b.mp4"]
    assert [record.label for record in videos] == [0, 1, 2, 2]
    assert videos.num_classes == 3


def test_given_labels_fix_the_numbers(folder):
    videos = VideoList.from_folder(folder, labels=["zebra", "other", "ant hill", "bird"])
    assert [record.label for record in videos] == [2, 3, 0, 0]
    with pytest.raises(ValueError, match="Received: 'ant hill', 'bird'"):
        VideoList.from_folder(folder, labels=["zebra"])


def test_a_folder_without_classes_is_refused(tmp_path):
    touch(tmp_path / "one.mp4")
    with pytest.raises(ValueError, match="a folder of videos for each class"):
        VideoList.from_folder(tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        VideoList.from_folder(tmp_path / "missing")


def test_lists_are_read_line_by_line(tmp_path):
    path = tmp_path / "train.list"
    path.write_text(
        "# a comment\n\na b/my video 7.mp4 3\nframes/one 120 4\nshard.tfrecord#12 0\n"
        "/data/x.mp4 1\ns3://bucket/y.mp4 2\ntabbed name.mp4\t5\nno suffix 6\n",
        encoding="utf-8",
    )
    videos = VideoList.read(path, root="root")
    assert list(videos) == [
        VideoRecord("root/a b/my video 7.mp4", 3),
        VideoRecord("root/frames/one", 4, 120),
        VideoRecord("root/shard.tfrecord#12", 0),
        VideoRecord("/data/x.mp4", 1),
        VideoRecord("s3://bucket/y.mp4", 2),
        VideoRecord("root/tabbed name.mp4", 5),
        VideoRecord("root/no suffix", 6),
    ]
    assert VideoList.read(path, root="s3://b/")[0].source == "s3://b/a b/my video 7.mp4"
    assert VideoList.read(path)[0].source == str(tmp_path / "a b/my video 7.mp4")


def test_a_list_without_classes(tmp_path):
    path = tmp_path / "test.list"
    path.write_text("a.mp4\nb c.mp4\n", encoding="utf-8")
    videos = VideoList.read(path)
    assert [record.label for record in videos] == [None, None] and videos.num_classes is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.mp4 1\n\nb.mp4\n", "line 3: no class number .* 1 of 2 lines have one.*'b.mp4'"),
        ("a.mp4,1\n", "line 1: .*space or tab, without a comma"),
        ("a.mp4 -1\n", "line 1: .*label=-1"),
        ("\n", "empty"),
    ],
)
def test_lists_that_make_no_sense_are_refused(tmp_path, text, message):
    path = tmp_path / "bad.list"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        VideoList.read(path)
    with pytest.raises(ValueError, match="cannot be read"):
        VideoList.read(tmp_path / "missing.list")


def test_what_is_written_is_read_again(folder, tmp_path):
    videos = VideoList.from_folder(folder)
    videos = VideoList([*videos, VideoRecord(str(folder / "bird/clip"), 1, 2)], videos.labels)
    inside, outside = folder / "all.list", tmp_path / "lists" / "all.list"
    for path in (inside, outside):
        videos.write(path)
        again = VideoList.read(path)
        assert [record.label for record in again] == [record.label for record in videos]
        assert [Path(r.source).resolve() for r in again] == [
            Path(r.source).resolve() for r in videos
        ]
        assert again.labels == videos.labels
        assert again[-1].num_frames == 2
    assert "ant hill/deep er/one.avi 0" in inside.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "name",
    [
        "#1/a.mp4",
        "клип 5",
        "clip 5",
        "a\u2028b\x85.mp4",
        " a  b.mp4",
        "a\tb.mp4",
        "a,0.mp4",
        "a#0 7",
    ],
)
@pytest.mark.parametrize("num_frames", [None, 30])
def test_odd_names_come_back_as_they_are(tmp_path, name, num_frames):
    records = [VideoRecord(str(tmp_path / "in" / name), 3, num_frames)]
    records.append(VideoRecord(str(tmp_path / name.strip()), 1, num_frames))
    VideoList(records).write(tmp_path / "all.list")
    assert VideoList.read(tmp_path / "all.list").records == tuple(records)


@pytest.mark.parametrize("name", ["a\nb.mp4", "a.mp4 ", "bad\udcff.mp4"])
def test_names_that_no_list_can_hold_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="Rename the video. Received"):
        VideoList([VideoRecord(name)]).write(tmp_path / "all.list")
    assert not (tmp_path / "all.list").exists()


def test_lists_of_spreadsheets_are_read(tmp_path):
    (tmp_path / "all.list").write_bytes(b"\xef\xbb\xbfa.mp4 0\r\nb.mp4 1\r\n")
    videos = VideoList.read(tmp_path / "all.list", root="")
    assert list(videos) == [VideoRecord("a.mp4", 0), VideoRecord("b.mp4", 1)]


def test_names_of_other_lists_are_not_overwritten(folder):
    videos = VideoList.from_folder(folder)
    videos.write(folder / "all.list")
    with pytest.raises(ValueError, match="names other classes"):
        VideoList(videos, ("a", "b", "c")).write(folder / "other.list")


def test_a_split_keeps_the_proportions_and_depends_on_the_seed():
    sizes = (20, 10, 2, 1)
    records = [VideoRecord(f"{c}/{i}.mp4", c) for c in range(4) for i in range(sizes[c])]
    videos = VideoList(records, "a b c d".split())
    train, val = videos.split(0.2, seed=3)
    assert Counter(r.label for r in val) == {0: 4, 1: 2, 2: 1}
    assert sorted([*train, *val], key=lambda r: r.source) == sorted(videos, key=lambda r: r.source)
    assert (train, val) == videos.split(0.2, seed=3)
    assert val != videos.split(0.2, seed=4)[1]
    assert train.labels == val.labels == ("a", "b", "c", "d")
    with pytest.raises(ValueError, match="Received: fraction=1"):
        videos.split(1)


def test_records_check_their_fields():
    assert VideoRecord(Path("a/b.mp4")).source == str(Path("a/b.mp4"))
    for fields in ({"source": ""}, {"source": "a", "label": 1.5}, {"source": "a", "num_frames": 0}):
        with pytest.raises(ValueError, match="Received"):
            VideoRecord(**fields)


def test_labels_must_cover_the_classes():
    with pytest.raises(ValueError, match="class 2 for 'b'"):
        VideoList([VideoRecord("a", 0), VideoRecord("b", 2)], ["x", "y"])
