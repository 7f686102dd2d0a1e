"""`ArrayDataset`: arrays in memory, batches out, as `VideoDataset` does it with videos."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from keras_video.data.array_tree import arrays_of, map_arrays
from keras_video.data.batch_dataset import BatchDataset
from keras_video.data.batch_shape import (
    BatchShape,
    BatchShapes,
    check_at,
    sampler_at,
    transforms_at,
)
from keras_video.data.clip_loader import LoadedClip
from keras_video.data.dataset_profile import StageTimes
from keras_video.data.epoch_order import EpochOrder, default_last_batch
from keras_video.data.sample_loader import SampleLoader
from keras_video.data.samplers import sample_interval
from keras_video.data.transforms.compose import Compose
from keras_video.data.video_failures import FailureLog


class ArrayDataset(BatchDataset):
    """Shuffles, augments and batches clips, or features, that are in memory.

    Order, shards, the last batch, position and augmentation are those of `VideoDataset`, so one
    can stand for the other in training: batches are `(clips, labels)`, `(clips,)` without labels,
    `(clips, labels, weights)` where the last one is padded with zeros.

    Args:
        clips: array `(samples, ...)`, or anything with a length and numbered entries of one shape,
            such as a memory-mapped file: clips `(time, height, width, 3)`, feature vectors, ...; or
            a dict or tuple of them, such as features and their masks.
        labels: class numbers `(samples,)`; or other targets, floats `(samples, ...)`, such as rows
            with several classes at once, or a dict or tuple of them; or `None`.
        batch_size: samples in a batch (of this shard).
        transforms: callables `(clip, rng) -> clip`, in order; see `VideoDataset`. A sample of
            several arrays comes as the dict or tuple that it is.
        batch_transform: callable `(clips, one_hot_labels, rng) -> (clips, one_hot_labels)`, such as
            `MixUp`; training only, makes labels one-hot.
        training: a new order each epoch; `batch_transform`.
        one_hot: class numbers as one-hot vectors.
        num_classes: by default one more than the highest class number, or the width of rows.
        label_names: the classes' names in order of their numbers.
        seed: of everything random.
        num_shards: number of input pipelines that share the data set, for several workers.
        shard_index: which of them this is.
        last_batch: `"drop"`, `"keep"` or `"pad"`; see `VideoDataset`.
        shuffle: a new order each epoch, by default in training.
        workers: threads that load samples, by default 1: enough unless transforms take long.
        prefetch: batches to load ahead.
        shapes: see `VideoDataset`. Clips of fewer frames are taken from any place of the sample.

    Attributes:
        labels: tuple of the classes' names, or `None`.

    Raises:
        ValueError: no samples, another number of labels, or labels that are no numbers.

    Example:

    >>> clips = np.zeros((100, 8, 64, 64, 3), "uint8")
    >>> train = ArrayDataset(clips, np.arange(100) % 4, batch_size=16, training=True,
    ...                      transforms=[RandomFlip()])
    >>> clips, labels = next(iter(train))
    >>> clips.shape, labels.shape
    ((16, 8, 64, 64, 3), (16,))
    """

    def __init__(
        self,
        clips: Sequence | dict | tuple,
        labels=None,
        *,
        batch_size: int = 16,
        transforms: Sequence[Callable] = (),
        batch_transform: Callable | None = None,
        training: bool = False,
        one_hot: bool = False,
        num_classes: int | None = None,
        label_names: Iterable[str] | None = None,
        seed: int = 0,
        num_shards: int = 1,
        shard_index: int = 0,
        last_batch: str | None = None,
        shuffle: bool | None = None,
        workers: int = 1,
        prefetch: int = 2,
        shapes: BatchShapes | None = None,
    ):
        self.labels = None if label_names is None else tuple(label_names)
        if num_classes is None and self.labels is not None:
            num_classes = len(self.labels)
        records = _Samples(clips, labels, num_classes)
        if last_batch is None:
            last_batch = default_last_batch(len(records), batch_size, num_shards, training)
        order = EpochOrder(
            len(records),
            batch_size,
            shuffle=training if shuffle is None else shuffle,
            seed=seed,
            num_shards=num_shards,
            shard_index=shard_index,
            last_batch=last_batch,
            shapes=shapes,
        )
        failures, times = FailureLog(0, len(records)), StageTimes()
        samples = SampleLoader(
            _Transforming(transforms),
            records,
            order,
            failures,
            times,
            substitute=False,
            one_hot=records.numbered and (one_hot or batch_transform is not None),
            batch_transform=batch_transform if training else None,
            weigh=last_batch == "pad",
            workers=workers,
        )
        super().__init__(order, samples, failures, times, training=training, prefetch=prefetch)


class _Sample(NamedTuple):
    """One entry of the arrays, as a data set's record."""

    source: str
    clip: np.ndarray | dict | tuple
    label: int | np.ndarray | dict | tuple | None


class _Samples:
    """Arrays as a list of records."""

    def __init__(self, clips, labels, num_classes: int | None):
        sizes = {len(array) if hasattr(array, "__len__") else 0 for array in arrays_of(clips)}
        if len(sizes) != 1 or sizes == {0}:
            raise ValueError(
                "A data set needs samples, equally many in each of its arrays. "
                f"Received: clips={clips!r:.80}"
            )
        (self._size,) = sizes
        self._clips, self._labels = clips, None
        self.numbered, self.num_classes = False, num_classes
        if labels is not None:
            self._labels = map_arrays(self._checked, labels)
            self._set_classes(num_classes)
        elif num_classes is not None:
            raise ValueError(
                f"Without `labels` there are no classes. Received: num_classes={num_classes!r}"
            )

    def _checked(self, labels) -> np.ndarray:
        labels = np.asarray(labels)
        if not labels.ndim or len(labels) != self._size:
            raise ValueError(
                "There must be a label for each sample. "
                f"Received: {self._size} samples, labels of shape {labels.shape}"
            )
        if labels.dtype.kind not in "iuf":
            raise ValueError(
                "`labels` are class numbers, or other targets as floats. "
                f"Received: labels of shape {labels.shape}, dtype={labels.dtype}"
            )
        return labels

    def _set_classes(self, num_classes: int | None) -> None:
        labels = self._labels
        if not isinstance(labels, np.ndarray):
            return
        self.numbered = labels.dtype.kind in "iu" and labels.ndim == 1
        if self.numbered:
            low, high = int(labels.min()), int(labels.max())
            self.num_classes = high + 1 if num_classes is None else num_classes
            if low < 0 or high >= self.num_classes:
                raise ValueError(
                    f"Class numbers go from 0 to {self.num_classes - 1}. "
                    f"Received: labels from {low} to {high}"
                )
        elif labels.ndim == 2:
            self.num_classes = labels.shape[1]
            if num_classes not in (None, self.num_classes):
                raise ValueError(
                    f"Rows of `labels` have {self.num_classes} classes. "
                    f"Received: num_classes={num_classes!r}"
                )

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: int) -> _Sample:
        clip = map_arrays(lambda array: np.asarray(array[index]), self._clips)
        label = None
        if self._labels is not None:
            label = map_arrays(lambda array: array[index], self._labels)
        return _Sample(f"sample {index}", clip, label)


class _Transforming:
    """What `ClipLoader` is for videos."""

    def __init__(self, transforms: Sequence[Callable], sampler: Callable | None = None):
        self._transform, self._sampler = Compose(transforms), sampler
        self._others: dict[BatchShape, _Transforming] = {}

    def at(self, shape: BatchShape) -> "_Transforming":
        """The same in another shape."""
        if shape not in self._others:
            sampler = sampler_at(functools.partial(sample_interval, frame_interval=1), shape)
            transforms = transforms_at(self._transform.transforms, shape)
            self._others[shape] = _Transforming(
                [*transforms, check_at(shape)],
                functools.partial(_sample_frames, sampler, shape.num_frames),
            )
        return self._others[shape]

    def load(self, record: _Sample, rng: np.random.Generator) -> LoadedClip:
        clip = record.clip if self._sampler is None else self._sampler(record.clip, rng)
        clip, label = self._transform.call_with_label(clip, record.label, rng)
        return LoadedClip(clip, label, 0.0, 0.0)


def _sample_frames(
    sampler: Callable, num_frames: int, clip: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    (indices,) = sampler(len(clip), num_frames, 1, rng=rng)
    return clip[indices]
