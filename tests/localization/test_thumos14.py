"""THUMOS 2014's folders of text files."""

import pytest

from keras_video.localization import Action, ActionListError, ActionListWarning, read_thumos14


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Diving_val.txt").write_text(
        "video_validation_0000266  72.8 76.4\nvideo_validation_0000051 1.0 2.5\n\n"
    )
    (tmp_path / "CliffDiving_val.txt").write_text("video_validation_0000266  70.0 76.4\n")
    (tmp_path / "CliffDiving_test.txt").write_text("video_test_0000004 0.1 5.7\r\n")
    (tmp_path / "Ambiguous_val.txt").write_text("video_validation_0000266 1.0 2.0\n")
    return tmp_path


def test_files_of_classes_become_videos(folder):
    videos = read_thumos14(folder)
    assert [(v.video, v.split, v.duration) for v in videos] == [
        ("video_test_0000004", "test", None),
        ("video_validation_0000051", "val", None),
        ("video_validation_0000266", "val", None),
    ]
    assert videos[2].actions == (Action(70.0, 76.4, "CliffDiving"), Action(72.8, 76.4, "Diving"))
    assert len(read_thumos14(folder, split="test")) == 1


def test_ambiguous_intervals_are_left_out_unless_asked_for(folder):
    videos = read_thumos14(folder, split="val", ambiguous=True)
    assert videos[1].actions[0] == Action(1.0, 2.0, "Ambiguous")


def test_durations_are_checked(folder):
    durations = {"video_test_0000004": 5.5}
    with pytest.warns(ActionListWarning, match="from 0.1 to 5.7 of 5.5"):
        (video,) = read_thumos14(folder, split="test", durations=durations)
    assert (video.duration, video.actions[0].end) == (5.5, 5.5)
    with pytest.raises(ActionListError, match="'video_test_0000004' ends after its video"):
        read_thumos14(folder, durations={"video_test_0000004": 4.0})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Run_val.txt", "video_1 3.0\n", "Run_val.txt, line 1.*'video_1 3.0'"),
        ("Run_val.txt", "video_1 1.0 3.0\nvideo_1 a b\n", "Run_val.txt, line 2"),
        ("Run_val.txt", "video_1 3.0 1.0\n", "'Run' of 'video_1' ends at its start"),
        ("Run_val.txt", "video_1 nan 1.0\n", "'Run' of 'video_1' has times"),
        ("Run_val.txt", "video_test_0000004 1.0 2.0\n", "is of val and of test"),
        ("readme.txt", "hello\n", "named <Class>_val.txt.*'readme.txt'"),
    ],
)
def test_other_files_and_lines_are_named(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(ActionListError, match=message):
        read_thumos14(folder)


def test_a_folder_without_annotations_is_named(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ActionListError, match="no folder with files like"):
            read_thumos14(folder)
