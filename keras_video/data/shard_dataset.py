"""Clips from shards of JPEG frames, read by TensorFlow alone, on this machine or on others."""

import os
from collections.abc import Sequence
from pathlib import Path

from keras_video.data.frame_shard import FrameShard

# Shards that take turns in training, and clips (still in JPEG) that are mixed.
_OPEN_SHARDS = 4
_MIXED_CLIPS = 256


def shard_dataset(
    shards: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    num_frames: int = 8,
    crop_size: int = 224,
    training: bool = False,
    flip: bool = True,
    seed: int = 0,
    epochs: int = 1,
    service: str | None = None,
):
    """A `tf.data.Dataset` of clips from `write_frame_shards`, without Python in its steps.

    So workers of the tf.data service can run it, which a `VideoDataset` cannot do: other machines
    then decode for the one with the accelerator. On one machine take `VideoDataset`, which reads
    only the frames of a clip and not all of the video, resizes, augments more, and can be resumed.

    In evaluation, clips are those of `VideoPreprocessor(num_frames=num_frames, short_side=None,
    crop_size=crop_size)`, to the last bit: the middle frames of equal segments, the center crop.
    In training a clip has a random frame of each segment, and its crop is at a random place and
    mirrored at random, alike in all frames: a function of (`seed`, epoch, video), on any number of
    workers.

    With a service, workers take shard after shard from its dispatcher, so each video comes once;
    the order is that in which they are ready. They read the shards under the same paths. When one
    is lost, the data set waits until a worker is started under its address; the clips that it had
    in hand are lost, and the pass ends with an error that counts them.

    Args:
        shards: the `.tfrecord` files, or the folder that holds them. At least as many as workers.
        num_frames: frames of a clip, sampled as by `sample_segment`.
        crop_size: height and width of the clips. Frames must have been stored at this size or
            larger: they are not resized.
        training: random order, frames and crops.
        flip: mirror half of the clips in training.
        seed: of everything random.
        epochs: passes over the shards in one pass over the data set. `fit` for several epochs
            wants them all here and `steps_per_epoch`: each pass over the data set is the same.
        service: address of a tf.data service's dispatcher, such as `"grpc://10.0.0.2:5050"`.

    Returns:
        A `tf.data.Dataset` of pairs of a clip, uint8 `(num_frames, crop_size, crop_size, 3)`, and
        its label, int64, -1 for a video without class. Its cardinality is known.

    Raises:
        VideoDecodeError: a file is not a whole shard.
        ValueError: no shards, or an argument out of range. While reading, TensorFlow raises
            `InvalidArgumentError` for frames smaller than the crop, `DataLossError` for a
            damaged shard, and `FailedPreconditionError` for clips that a lost worker had.

    Example:

    A dispatcher and a worker; the worker's lines run on every machine that is to help.

    >>> from tensorflow.data.experimental import service
    >>> dispatcher = service.DispatchServer(service.DispatcherConfig(port=5050))
    >>> worker = service.WorkerServer(service.WorkerConfig("localhost:5050"))
    >>> clips = shard_dataset("shards/train", training=True, epochs=50, service=dispatcher.target)
    >>> model.fit(clips.batch(16).prefetch(2), epochs=50, steps_per_epoch=len(clips) // 50 // 16)

    Reference:
        https://www.tensorflow.org/api_docs/python/tf/data/experimental/service
    """
    import tensorflow as tf

    for name, value in (("num_frames", num_frames), ("crop_size", crop_size), ("epochs", epochs)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    paths = _find_shards(shards)
    count = sum(len(FrameShard(path)) for path in paths)
    if not count:
        raise ValueError(
            "The shards hold no video: of those they were made of, none could be read. "
            f"Received: shards={shards!r}"
        )
    turns = min(_OPEN_SHARDS, len(paths)) if training else 1

    def shard_of(number):
        """Seed, and path, of the shard that is the `number`-th of all epochs."""
        epoch, place = number // len(paths), number % len(paths)
        order = tf.range(len(paths), dtype=tf.int64)
        epoch_seed = tf.random.fold_in(tf.constant([seed, 0], tf.int64), epoch)
        if training:
            order = tf.random.experimental.stateless_shuffle(order, epoch_seed)
        return tf.random.fold_in(epoch_seed, order[place]), tf.constant(paths)[order[place]]

    def videos_of(shard_seed, path):
        records = tf.data.TFRecordDataset(path).enumerate()
        return records.map(
            lambda number, record: pick(tf.random.fold_in(shard_seed, number), record)
        )

    def pick(video_seed, record):
        """The clip's pictures, not yet decoded: what is mixed is small."""
        features = {
            "frames": tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True),
            "label": tf.io.FixedLenFeature([], tf.int64, default_value=-1),
        }
        example = tf.io.parse_single_example(record, features)
        length = tf.shape(example["frames"], tf.int64)[0]
        indices = _segment_indices(length, num_frames, video_seed if training else None)
        return video_seed, tf.gather(example["frames"], indices), example["label"]

    def decode(video_seed, pictures, label):
        clip = tf.map_fn(
            lambda picture: tf.io.decode_jpeg(picture, channels=3, dct_method="INTEGER_ACCURATE"),
            pictures,
            fn_output_signature=tf.TensorSpec((None, None, 3), tf.uint8),
        )
        clip = _crop(clip, crop_size, video_seed if training else None)
        if training and flip:
            mirrored = tf.random.stateless_uniform((), tf.random.fold_in(video_seed, 2)) < 0.5
            clip = tf.cond(mirrored, lambda: tf.reverse(clip, [2]), lambda: clip)
        return tf.ensure_shape(clip, (num_frames, crop_size, crop_size, 3)), label

    # Workers divide the numbers of this range among them.
    data = tf.data.Dataset.range(epochs * len(paths)).map(shard_of)
    data = data.interleave(videos_of, cycle_length=turns, num_parallel_calls=turns)
    if training:
        data = data.shuffle(_MIXED_CLIPS, seed=seed, reshuffle_each_iteration=False)
    data = data.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    if service is not None:
        distribute = tf.data.experimental.service.distribute
        data = data.apply(distribute(tf.data.experimental.service.ShardingPolicy.DYNAMIC, service))
    return data.apply(tf.data.experimental.assert_cardinality(epochs * count))


def _find_shards(shards) -> list[str]:
    """Absolute paths: a worker may have another working directory."""
    if isinstance(shards, (str, os.PathLike)):
        given = Path(shards)
        found = sorted(given.glob("*.tfrecord")) if given.is_dir() else [given]
    else:
        found = list(shards)
    if not found:
        raise ValueError(f"There are no shards. Received: shards={shards!r}")
    return [os.path.abspath(path) for path in found]


def _segment_indices(length, num_frames: int, seed):
    """As `sample_segment` has them; a seed takes the place of its generator."""
    import tensorflow as tf

    segments = tf.range(num_frames, dtype=tf.int64)
    segment = tf.cast(length, tf.float64) / num_frames
    share = tf.constant(0.5, tf.float64)
    if seed is not None:
        share = tf.random.stateless_uniform([num_frames], seed, dtype=tf.float64)
    spread = tf.cast(segment * share + segment * tf.cast(segments, tf.float64), tf.int64)
    spread = tf.minimum(spread, length - 1)
    if seed is None:
        return spread
    size = length // num_frames
    drawn = segments * size + tf.cast(tf.cast(size, tf.float64) * share, tf.int64)
    return tf.where(length >= num_frames, drawn, spread)


def _crop(clip, size: int, seed):
    """The square that `center_crop` takes, or with a seed one at a random place."""
    import tensorflow as tf

    margin = tf.shape(clip)[1:3] - size
    fits = tf.debugging.assert_non_negative(
        margin, f"Frames are smaller than `crop_size`={size}: take a smaller one"
    )
    with tf.control_dependencies([fits]):
        if seed is None:
            start = tf.cast(tf.round(tf.cast(margin, tf.float32) / 2), tf.int32)
        else:
            share = tf.random.stateless_uniform([2], tf.random.fold_in(seed, 1))
            start = tf.cast(tf.cast(margin + 1, tf.float32) * share, tf.int32)
        return clip[:, start[0] : start[0] + size, start[1] : start[1] + size]
