"""`SampleLoader`: clips of records, in threads, put together as batches."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from keras_video.data.array_tree import map_arrays
from keras_video.data.clip_loader import ClipLoader
from keras_video.data.dataset_profile import StageTimes
from keras_video.data.epoch_order import EpochOrder
from keras_video.data.video_decode_error import VideoDecodeError
from keras_video.data.video_failures import FailureLog, VideoFailure
from keras_video.data.video_list import VideoList

# Keras looks at two batches before it starts; they need not be loaded twice.
_KEPT_BATCHES = 2


class _Sample(NamedTuple):
    """A clip; `None` where there is none, and its weight says whether that counts."""

    clip: np.ndarray | None
    label: int | np.ndarray | None
    weight: float


class SampleLoader:
    """Loads the samples of batches side by side, in threads.

    Decoders and resizers release Python's lock, so threads use all cores as worker processes do;
    and they start at once and hand over clips without a copy.

    Args:
        loader: makes a clip of a record.
        records: the data set.
        order: which records make which batch.
        failures: where videos that cannot be read are noted.
        times: where seconds are added.
        substitute: another video takes the place of one that cannot be read; else black.
        one_hot: labels as one-hot vectors.
        batch_transform: see `VideoDataset`.
        weigh: append weights of the samples to a batch.
        workers: number of threads, by default the number of cores.
    """

    unread = "counted as wrong: a black clip takes its place"

    def __init__(
        self,
        loader: ClipLoader,
        records: VideoList,
        order: EpochOrder,
        failures: FailureLog,
        times: StageTimes,
        *,
        substitute: bool,
        one_hot: bool,
        batch_transform: Callable | None,
        weigh: bool,
        workers: int | None,
    ):
        if workers is not None and (isinstance(workers, bool) or workers < 1):
            raise ValueError(
                f"`workers` must be a whole number from 1. Received: workers={workers!r}"
            )
        self._loader, self._records, self._order = loader, records, order
        self._failures, self._times = failures, times
        self._substitute, self._weigh = substitute, weigh
        self._batch_transform = batch_transform
        self.num_classes, self._one_hot = records.num_classes, one_hot
        if one_hot and self.num_classes is None:
            raise ValueError("One-hot labels need videos with classes. Received: none with a class")
        self.workers = workers or _num_cores()
        self._blank = self._blank_label = None
        self._start()

    def _start(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, int], tuple] = OrderedDict()

    def __getstate__(self):
        return {k: v for k, v in self.__dict__.items() if k not in ("_pool", "_lock", "_kept")}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._start()

    def submit(self, epoch: int, index: int) -> list[Future]:
        """Starts to load a batch's samples."""
        with self._lock:
            if (epoch, index) in self._kept:
                return []
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.workers, "keras_video_load")
            pool = self._pool
        shape, places = self._order.shape(epoch, index), self._order.places(epoch, index)
        loader = self._loader if shape is None else self._loader.at(shape)
        return [pool.submit(self._load, epoch, place, loader) for place in places]

    def collect(self, epoch: int, index: int, samples: list[_Sample]) -> tuple:
        """Makes a batch of its samples."""
        with self._lock:
            kept = self._kept.pop((epoch, index), None)
        return self._batch(epoch, index, samples) if kept is None else kept

    def load_batch(self, epoch: int, index: int) -> tuple:
        """Loads one batch, and keeps it for a stream that asks for it soon."""
        count = self._order.batches_in(epoch)
        if not 0 <= index < count:
            raise IndexError(f"Batches go from 0 to {count - 1}. Received: {index}")
        futures = self.submit(epoch, index)
        batch = self.collect(epoch, index, [future.result() for future in futures])
        with self._lock:
            self._kept[epoch, index] = batch
            while len(self._kept) > _KEPT_BATCHES:
                self._kept.popitem(last=False)
        return batch

    def forget(self) -> None:
        """Drops the batches that were kept."""
        with self._lock:
            self._kept.clear()

    def close(self) -> None:
        """Ends the threads; the next batch starts new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
            self._kept.clear()
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _load(self, epoch: int, place: int, loader: ClipLoader) -> _Sample:
        shard = self._order.shard(epoch)
        if place >= len(shard):
            return _Sample(None, self._no_label(), 0.0)
        for step in range(len(shard)):
            index = int(shard[(place + step) % len(shard)])
            sample = self._try_twice(epoch, index, loader)
            if sample is not None:
                return sample
            if not self._substitute:
                return _Sample(None, self._records[index].label, 1.0)
        raise VideoDecodeError(
            self._records[index].source, "not one video that this process loads is readable"
        )

    def _try_twice(self, epoch: int, index: int, loader: ClipLoader) -> _Sample | None:
        record = self._records[index]
        for attempt in range(2):
            rng = np.random.default_rng([self._order.seed, epoch, 0, index])
            try:
                loaded = loader.load(record, rng)
            except (VideoDecodeError, OSError) as error:
                if attempt:
                    self._note(error, index, epoch)
            except Exception as error:
                error.add_note(f"While loading {record.source}")
                raise
            else:
                self._times.add(
                    clips=1, decode=loaded.decode_seconds, transform=loaded.transform_seconds
                )
                return _Sample(loaded.clip, loaded.label, 1.0)
        return None

    def _note(self, error: Exception, index: int, epoch: int) -> None:
        source = self._records[index].source
        reason = getattr(error, "reason", None) or " ".join(str(error).split())
        if self._substitute:
            consequence = "the next video of the epoch takes its place"
        else:
            consequence = self.unread
        self._failures.add(VideoFailure(index, source, reason, epoch), consequence)

    def _batch(self, epoch: int, index: int, samples: list[_Sample]) -> tuple:
        clips = self._stack(samples)
        if samples[0].label is None:
            return (clips,)
        labels = map_arrays(_stack_labels, *self._filled_up(samples))
        if self._one_hot:
            labels = np.eye(self.num_classes, dtype=np.float32)[labels]
        if self._batch_transform is not None:
            order = self._order
            rng = np.random.default_rng([order.seed, epoch, 2, index, order.shard_index])
            clips, labels = self._batch_transform(clips, labels, rng)
        if not self._weigh:
            return clips, labels
        return clips, labels, np.array([sample.weight for sample in samples], np.float32)

    def _stack(self, samples: list[_Sample]):
        clips = [sample.clip for sample in samples]
        if any(clip is None for clip in clips):
            known = next((clip for clip in clips if clip is not None), None)
            blank = self._any_blank() if known is None else map_arrays(np.zeros_like, known)
            clips = [blank if clip is None else clip for clip in clips]
        elif self._blank is None:
            self._keep_blank(samples[0])
        return map_arrays(_stack_clips, *clips)

    def _filled_up(self, samples: list[_Sample]) -> list:
        """The labels; where there is no record, zeros of the form that transforms give them."""
        labels = [sample.label for sample in samples]
        if all(sample.weight for sample in samples):
            return labels
        known = next((sample.label for sample in samples if sample.clip is not None), None)
        blank = self._blank_label if known is None else map_arrays(np.zeros_like, known)
        return [
            label if sample.weight else blank for label, sample in zip(labels, samples, strict=True)
        ]

    def _keep_blank(self, sample: _Sample) -> None:
        self._blank = map_arrays(np.zeros_like, sample.clip)
        if sample.label is not None:
            self._blank_label = map_arrays(np.zeros_like, sample.label)

    def _no_label(self):
        label = self._records[0].label
        return label if label is None else map_arrays(np.zeros_like, label)

    def _any_blank(self):
        """A black clip of the shape that the data set's clips have."""
        if self._blank is None:
            for index in range(len(self._records)):
                sample = self._try_twice(0, index, self._loader)
                if sample is not None:
                    self._keep_blank(sample)
                    break
            else:
                raise VideoDecodeError(self._records[0].source, "not one video is readable")
        return self._blank


def _stack_clips(*clips: np.ndarray) -> np.ndarray:
    shapes = {clip.shape for clip in clips}
    if len(shapes) > 1:
        raise ValueError(
            "The clips of a batch must have one shape: `transforms` must end with a crop or a "
            f"resize to a fixed size. Received: shapes={sorted(shapes)[:4]}"
        )
    return np.stack(clips)


def _stack_labels(*labels) -> np.ndarray:
    stacked = np.array(labels)
    return stacked.astype(np.float32 if stacked.dtype.kind == "f" else np.int32)


def _num_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
