"""The data sets of a recipe: lists or folders below one root, sampled and augmented as it says."""

import os
from pathlib import Path

from ml_collections import ConfigDict

from keras_video.data.transforms import RandomFlip, mirrored_labels
from keras_video.data.video_list import VideoList
from keras_video.presets.label_files import load_labels
from keras_video.training.recipe_config import ConfigError


def make_video_data(config: ConfigDict, train_options: dict, val_options: dict) -> tuple:
    """Makes the data sets that `config.data` describes.

    Args:
        config: of the recipe.
        train_options: arguments of a data set for training that follow from the run: batch size,
            shard, seed and so on.
        val_options: the same for validation.

    Returns:
        Two `VideoDataset`s; the second is `None` where the recipe has no validation.

    Raises:
        ConfigError: there are no videos where the config says.

    Example:

    >>> options = {"batch_size": 16, "one_hot": True}
    >>> train, val = make_video_data(config, {**options, "training": True}, options)
    """
    from keras_video.data import VideoDataset
    from keras_video.training.recipe_model import clip_frames, make_preprocessor

    data = config.data
    if len(data.arguments):
        raise ConfigError(
            "Only recipes that make their data themselves have arguments for it. "
            f"Received: config.data.arguments.{next(iter(data.arguments))}"
        )
    train_videos, val_videos = read_videos(config)
    shared = {
        "preprocessor": make_preprocessor(config),
        "num_frames": clip_frames(config),
        "workers": data.workers,
        "prefetch": data.prefetch,
        "max_failures": data.max_failures,
        "decoder": data.decoder,
        "index_cache": data.index_cache,
    }
    train = VideoDataset(
        train_videos,
        sampler=data.sampling,
        transforms=_with_mirrored_labels(data.transforms, train_videos.labels),
        batch_transform=data.batch_transform,
        **shared,
        **train_options,
    )
    if val_videos is None:
        return train, None
    return train, VideoDataset(val_videos, sampler=data.val_sampling, **shared, **val_options)


def read_videos(config: ConfigDict) -> tuple[VideoList, VideoList | None]:
    """Finds the videos for training and validation.

    Below `config.data.root` lie the lists `train.list` and `val.list`, as `keras-video dataset
    prepare` writes them; or the folders `train` and `val` with a folder for each class; or only a
    folder for each class, of which a share is put aside for validation, always the same one.
    `config.data.train` and `config.data.val` name other lists or folders.

    Returns:
        Lists with the same labels; the second is `None` where the recipe has no validation.

    Raises:
        ConfigError: there is nothing, or the two know different classes.
    """
    data = config.data
    if not data.root:
        raise ConfigError(
            "Say where the videos are, --config.data.root=FOLDER: a folder with train.list and "
            "val.list, as `keras-video dataset prepare` writes them, or with one folder of videos "
            "for each class."
        )
    train_path, val_path = (_find(data.root, name) for name in (data.train, data.val))
    if train_path is None:
        return _split_folder(data)
    train = _read(train_path, data, None)
    if not data.val:
        return _named(train), None
    if val_path is None:
        raise ConfigError(
            f"There is no {data.val} for validation in {data.root}; --config.data.val= trains "
            "without. Received: "
            f"data.root={data.root!r}, data.val={data.val!r}"
        )
    val = _read(val_path, data, train.labels)
    if val.labels != train.labels:
        raise ConfigError(
            "The classes of training and validation differ; their lists need one labels.txt. "
            f"Received: {_classes(train)} in {train_path}, {_classes(val)} in {val_path}"
        )
    count = max(train.num_classes or 0, val.num_classes or 0)
    return _named(train, count), _named(val, count)


def _find(root: str, name: str) -> Path | None:
    """A list or folder; `train.list` may also be the folder `train`."""
    if not name:
        return None
    for path in (Path(root, name), Path(root, name).with_suffix("")):
        if path.is_file() or path.is_dir():
            return path
    return None


def _read(path: Path, data: ConfigDict, labels: tuple | None) -> VideoList:
    if path.is_dir():
        return VideoList.from_folder(path, labels)
    # Lists elsewhere have paths that start from the root.
    below = Path(data.root).resolve() in path.resolve().parents
    videos = VideoList.read(path, None if below else data.root)
    if videos.labels is None and data.labels is not None:
        videos = VideoList(videos, load_labels(data.labels))
    return videos


def _split_folder(data: ConfigDict) -> tuple[VideoList, VideoList | None]:
    try:
        if data.train != "train.list":
            raise ValueError("nothing is there")
        videos = VideoList.from_folder(data.root)
    except ValueError as error:
        raise ConfigError(
            f"There are no videos for training: {os.path.join(data.root, data.train)} is neither a "
            "list nor a folder, and data.root has no folder of videos for each class. Received: "
            f"data.root={data.root!r}, data.train={data.train!r}"
        ) from error
    if not data.val or not data.val_fraction:
        return videos, None
    return videos.split(data.val_fraction)


def _named(videos: VideoList, count: int = 0) -> VideoList:
    """The list with names for its classes; numbers, where it has none."""
    from keras_video.training.recipe_model import numbered

    if videos.num_classes is None:
        raise ConfigError(
            f"Training needs videos with a class. Received: {videos[0].source} without one"
        )
    if videos.labels is not None:
        return videos
    return VideoList(videos, numbered(max(count, videos.num_classes)))


def _classes(videos: VideoList) -> str:
    return f"{videos.num_classes} classes{'' if videos.labels else ' without names'}"


def _with_mirrored_labels(transforms: tuple | None, labels: tuple) -> list | None:
    """The transforms; mirroring swaps the classes "left" and "right"."""
    if transforms is None:
        return None
    swaps = mirrored_labels(labels)
    return [
        RandomFlip(transform.probability, swaps)
        if isinstance(transform, RandomFlip) and transform.label_map is None
        else transform
        for transform in transforms
    ]
