"""Where a recipe finds its videos, and what it makes of them."""

import shutil

import numpy as np
import pytest
from dataset_videos import number_of, write_folder

from keras_video.data import VideoList, VideoPreprocessor
from keras_video.data.transforms import MixUp, RandomCrop, RandomFlip, ShortSideScale
from keras_video.training.recipe_config import ConfigError, default_config
from keras_video.training.recipe_data import make_video_data, read_videos
from keras_video.training.recipe_model import clip_frames, make_preprocessor


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("videos") / "all", ("wink left", "wink right"), 5)


@pytest.fixture
def lists(folder, tmp_path):
    """As `keras-video dataset prepare` writes them."""
    train, val = VideoList.from_folder(folder).split(0.2)
    train.write(tmp_path / "train.list")
    val.write(tmp_path / "val.list")
    return tmp_path


def config_of(root, **fields):
    config = default_config()
    config.model.arguments.num_frames = 4
    config.preprocessor.update(short_side=40, crop_size=32)
    config.data.update(root=str(root), **fields)
    return config


def read(root, **fields):
    return read_videos(config_of(root, **fields))


def test_the_lists_below_the_root(lists):
    train, val = read(lists)
    assert (len(train), len(val)) == (8, 2)
    assert train.labels == val.labels == ("wink left", "wink right")
    assert read(lists, val="")[1] is None
    assert len(read(lists, train="val.list")[0]) == 2


def test_a_folder_of_classes_is_split_the_same_way_each_time(folder):
    train, val = read(folder)
    assert (len(train), len(val)) == (8, 2) and not set(train.records) & set(val.records)
    assert read(folder) == (train, val)
    assert len(read(folder, val_fraction=0.4)[1]) == 4
    for none in ({"val_fraction": 0.0}, {"val": ""}):
        train, val = read(folder, **none)
        assert len(train) == 10 and val is None


def test_folders_for_training_and_validation(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "train")
    shutil.copytree(folder / "wink right", tmp_path / "val" / "wink right")
    train, val = read(tmp_path)
    assert (len(train), len(val)) == (10, 5) and {record.label for record in val} == {1}
    assert read(tmp_path, train="train", val="val")[0] == train


def test_lists_elsewhere_start_from_the_root(folder, tmp_path):
    (tmp_path / "mine.txt").write_text("wink left/0.mp4 0\nwink right/1.mp4 1\n")
    train, val = read(folder, train=str(tmp_path / "mine.txt"), val="")
    assert train[1].source == str(folder / "wink right" / "1.mp4")


def test_classes_without_names_get_those_that_the_recipe_knows_or_their_numbers(folder, tmp_path):
    (tmp_path / "train.list").write_text(f"{folder}/wink left/0.mp4 0\n")
    (tmp_path / "val.list").write_text(f"{folder}/wink right/0.mp4 2\n")
    train, val = read(tmp_path)
    assert train.labels == val.labels == ("0", "1", "2")
    train, val = read(tmp_path, labels="ucf101")
    assert train.labels == val.labels and len(train.labels) == 101


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"root": ""}, "--config.data.root=FOLDER"),
        ({"root": "/nowhere"}, "no videos for training.*data.root='/nowhere'"),
        ({"train": "tarin.list"}, "tarin.list is neither a list nor a folder"),
        ({"val": "vall.list"}, "no vall.list for validation.*--config.data.val="),
        ({"arguments": {"clips": 3}}, "Only recipes that make.*config.data.arguments.clips"),
    ],
)
def test_nothing_there(lists, change, message):
    config = config_of(lists)
    config.data.update(change)
    with pytest.raises(ConfigError, match=message):
        make_video_data(config, {}, {})


def test_lists_of_other_classes_are_refused(folder, lists, tmp_path):
    VideoList(read(lists)[1], ["a", "b"]).write(tmp_path / "other" / "val.list")
    with pytest.raises(ConfigError, match="differ; .*2 classes in .*train.list, 2 classes in"):
        read(lists, val="other/val.list")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "train.list").write_text(f"{folder}/wink left/0.mp4\n")
    with pytest.raises(ConfigError, match="needs videos with a class"):
        read(tmp_path / "bare", val="")


def test_training_is_augmented_as_the_recipe_says_and_validation_is_not(lists):
    transforms = (ShortSideScale(36), RandomCrop(32), RandomFlip(1.0))
    config = config_of(lists, transforms=transforms, sampling="dense", val_sampling="uniform")
    config.data.batch_transform = MixUp(0.2)
    options = {"batch_size": 2, "one_hot": True}
    train, val = make_video_data(config, {**options, "training": True}, options)
    clips, labels = train.batch(0)
    assert clips.shape == (2, 4, 32, 32, 3) and labels.shape == (2, 2)
    clips, labels = val.batch(0)
    assert [number_of(clip) // 5 for clip in clips] == labels.argmax(-1).tolist() == [0, 1]
    assert train.preprocessor == VideoPreprocessor(num_frames=4, short_side=40, crop_size=32)


def test_mirroring_swaps_left_and_right(lists):
    config = config_of(lists, transforms=(ShortSideScale(32), RandomFlip(1.0)))
    train, _ = make_video_data(config, {"batch_size": 8, "training": True}, {"batch_size": 8})
    clips, labels = train.batch(0)
    shown = np.array([number_of(clip[:, :, ::-1]) // 5 for clip in clips])
    assert labels.tolist() == (1 - shown).tolist()


def test_frames_and_preprocessing_come_from_the_recipe_else_from_the_preset():
    config = default_config()
    assert clip_frames(config) == make_preprocessor(config).num_frames == 8
    config.model.arguments.num_frames = 3
    assert clip_frames(config) == make_preprocessor(config).num_frames == 3
    config.preprocessor.update(num_frames=25, crop="ten")
    assert clip_frames(config) == 3 and make_preprocessor(config).num_frames == 25
    config = default_config()
    config.model.preset = "tsn_k400"
    assert clip_frames(config) == 25 and make_preprocessor(config).crop == "ten"
    config.preprocessor.crop = "center"
    assert make_preprocessor(config).describe().endswith("center crop 224")
    config.model.arguments.num_frames = 5
    assert clip_frames(config) == make_preprocessor(config).num_frames == 5
