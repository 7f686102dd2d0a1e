"""Lists of videos with several tags: read strictly, split so that every tag is in both parts."""

import numpy as np
import pytest

from keras_video.applications import TaggedVideo, TagList


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_file_gives_videos_tags_and_splits(tmp_path):
    path = write(
        tmp_path / "tags.csv",
        "\ufeffvideo,note,tags,split\n"
        "a b.mp4,x,zoom|red, train\n"
        '"c,d.mp4",, red | 猫 |red,test\n'
        "https://host/e.mp4,,,\n",
    )
    tags = TagList.read(path)
    assert tags.labels == ("red", "zoom", "猫")
    assert tags[0] == TaggedVideo(str(tmp_path / "a b.mp4"), ("zoom", "red"), "train")
    assert tags[1].tags == ("red", "猫")
    assert tags[2] == TaggedVideo("https://host/e.mp4", ())
    np.testing.assert_array_equal(tags.targets(), [[1, 1, 0], [1, 0, 1], [0, 0, 0]])
    assert len(tags.subset("train")) == 1 and tags.subset("val") is None
    assert tags.subset("train").labels == tags.labels


def test_a_list_comes_back_as_it_was_written(tmp_path):
    (tmp_path / "lists").mkdir()
    tags = TagList([TaggedVideo(str(tmp_path / "a.mp4"), ("x", "y"), "val")])
    tags.write(tmp_path / "lists" / "tags.csv")
    again = TagList.read(tmp_path / "lists" / "tags.csv")
    assert again[0].tags == ("x", "y") and again[0].split == "val"
    assert (tmp_path / "a.mp4").samefile is not None
    assert again[0].source.endswith("../a.mp4")


def test_labels_of_one_name_keep_both_numbers(tmp_path):
    tags = TagList([TaggedVideo("a.mp4", ("cat",))], labels=("dog", "cat", "bird", "cat"))
    assert tags.labels == ("dog", "cat", "bird", "cat")
    assert tags.numbers(tags[0]) == (1,)
    assert tags.targets().shape == (1, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "header must name the columns video and tags"),
        ("path,tags\n", "line 1: the header"),
        ("video,tags\n", "no videos"),
        ("video,tags\n,red\n", "line 2: there is no video"),
        ("video,tags\na.mp4,red,blue\n", "line 2: more fields"),
        ("video,tags,split\na.mp4,red,training\n", "line 2: split is train, val or test"),
        ("video,tags\na.mp4,red\na.mp4,blue\n", "a.mp4' in more than one"),
    ],
)
def test_files_of_another_form_are_named_with_the_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        TagList.read(write(tmp_path / "tags.csv", text))


def test_unreadable_files_and_unknown_tags_are_errors(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        TagList.read(tmp_path / "missing.csv")
    (tmp_path / "bytes.csv").write_bytes(b"video,tags\n\xff\xfe,a\n")
    with pytest.raises(ValueError, match="cannot be read"):
        TagList.read(tmp_path / "bytes.csv")
    with pytest.raises(ValueError, match="Did you mean 'red'.*'rad'"):
        TagList([TaggedVideo("a.mp4", ("rad",))], labels=("red", "blue"))


def random_list(count, tags, seed):
    rng = np.random.default_rng(seed)
    rates = np.linspace(0.02, 0.6, tags)
    return TagList(
        [
            TaggedVideo(
                f"{i}.mp4", tuple(f"tag{j}" for j in np.flatnonzero(rng.random(tags) < rates))
            )
            for i in range(count)
        ],
        labels=[f"tag{j}" for j in range(tags)],
    )


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_every_tag_keeps_its_share_in_both_parts(fraction):
    tags = random_list(200, 12, seed=3)
    train, val = tags.split(fraction, seed=0)
    assert len(val) == round(fraction * 200) and len(train) + len(val) == 200
    assert {v.source for v in train}.isdisjoint(v.source for v in val)
    total = tags.targets().sum(axis=0)
    assert np.abs(val.targets().sum(axis=0) - fraction * total).max() <= 2.5
    assert [v.source for v in tags.split(fraction, seed=0)[1]] == [v.source for v in val]
    assert [v.source for v in tags.split(fraction, seed=1)[1]] != [v.source for v in val]


def test_two_videos_of_a_tag_come_into_two_parts():
    videos = [TaggedVideo(f"{i}.mp4", ("rare",) if i < 2 else ("common",)) for i in range(10)]
    train, val = TagList(videos).split(0.5, seed=0)
    assert train.targets().sum(axis=0).tolist() == val.targets().sum(axis=0).tolist()
    with pytest.raises(ValueError, match="fraction=1"):
        TagList(videos).split(1)
