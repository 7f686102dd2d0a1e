"""`BatchDataset`: what data sets share: passes over batches, and a position in them."""

import functools
from collections.abc import Iterator

import keras
import numpy as np

from keras_video._compat import is_building_symbolically
from keras_video.data.array_tree import map_arrays
from keras_video.data.batch_stream import BatchStream
from keras_video.data.dataset_profile import DatasetProfile, StageTimes
from keras_video.data.epoch_order import EpochOrder
from keras_video.data.sample_loader import SampleLoader
from keras_video.data.video_failures import FailureLog, VideoFailure


class BatchDataset(keras.utils.PyDataset):
    """Batches in an order that is a function of (seed, epoch), loaded ahead, that can be resumed.

    The base of `VideoDataset`, `FeatureDataset` and `ArrayDataset`, for `model.fit` and for your
    own loops.

    Args:
        order: which records make which batch.
        samples: loads them.
        failures: where records that cannot be read are noted.
        times: where `samples` adds seconds.
        training: whether each pass is an epoch of its own.
        prefetch: batches to load ahead.
    """

    def __init__(
        self,
        order: EpochOrder,
        samples: SampleLoader,
        failures: FailureLog,
        times: StageTimes,
        *,
        training: bool,
        prefetch: int,
    ):
        super().__init__(workers=1)
        if order.shapes is not None and not training:
            raise ValueError(
                "Only training has a schedule of shapes: give `shapes` with `training=True`. "
                "Received: training=False"
            )
        self._order, self._samples = order, samples
        self._failures, self._times = failures, times
        self.training = training
        self._prefetch = prefetch
        self._epoch = self._start = self._position = 0  # `_position`: batches handed out
        self._stream: BatchStream | None = None
        self._new_pass = True
        self._in_epoch = self._rest_done = self._shapes_only = False

    @property
    def batch_size(self) -> int:
        return self._order.batch_size

    @property
    def last_batch(self) -> str:
        return self._order.last_batch

    @property
    def seed(self) -> int:
        return self._order.seed

    @property
    def num_records(self) -> int:
        """Records of the whole data set, of all shards."""
        return self._order.num_records

    @property
    def num_classes(self) -> int | None:
        """Number of classes, `None` for records without one."""
        return self._samples.num_classes

    @property
    def failures(self) -> tuple[VideoFailure, ...]:
        """The videos that could not be read so far."""
        return self._failures.failures

    @property
    def varies(self) -> bool:
        """Whether the shape of batches changes."""
        return self._order.shapes is not None

    @property
    def epoch(self) -> int:
        """The epoch under way, or just completed."""
        return self._epoch

    @property
    def batches_in_epoch(self) -> int:
        """Batches of a whole epoch, the one under way; after `restore`, `len(ds)` is its rest."""
        return self.batches_in(self._epoch)

    def batches_in(self, epoch: int) -> int:
        """Batches of any epoch, from 0: they differ where the shapes of batches do."""
        return self._order.batches_in(epoch)

    def base_batches(self, epoch: int) -> range:
        """The numbers of an epoch's batches of its base shape: all, where shapes do not differ."""
        return self._order.base_batches(epoch)

    def num_splits(self, epoch: int) -> int:
        """Sub-batches of batch normalisation that an epoch's batches are made for."""
        shape = self._order.shape(epoch, 0)
        return 1 if shape is None else shape.num_splits

    def __len__(self) -> int:
        epoch, start = self._coming()
        return self.batches_in(epoch) - start

    # Keras reads this when a pass begins, and asks for batches in a random order of its own. The
    # order here is random already: a pass gets batch after batch, whatever their numbers.
    @property
    def num_batches(self) -> int:
        self._new_pass = True
        return len(self)

    def __getitem__(self, index: int) -> tuple:
        """The next batch in a pass of Keras; elsewhere batch `index` of the epoch under way."""
        if not 0 <= index < len(self):
            raise IndexError(f"Batches go from 0 to {len(self) - 1}. Received: index={index}")
        if not self._in_epoch and (self._shapes_only or self._stream is None or self._new_pass):
            epoch, start = self._coming()
            return self.batch(start + (0 if self._shapes_only else index), epoch)
        if self._new_pass or self._stream is None or self._stream.finished:
            self._begin()
        return self._next()

    def __iter__(self) -> Iterator[tuple]:
        """The batches of an epoch, or of the rest of it after `restore`."""
        self._begin()
        stream = self._stream
        try:
            while not stream.finished:
                yield self._next()
                if self._stream is not stream:
                    raise RuntimeError(
                        "Another pass over this data set began in the middle of this one; finish "
                        "one before the next, or make a data set for each."
                    )
        finally:
            stream.close()

    def batch(self, index: int, epoch: int | None = None) -> tuple:
        """Batch `index` of an epoch, by default of the one under way; changes no position."""
        epoch = self._epoch if epoch is None else epoch
        return self._samples.load_batch(epoch, index)

    def record_indices(self, index: int, epoch: int | None = None) -> np.ndarray:
        """Numbers of the records in batch `index` of an epoch, -1 where it is filled up."""
        return self._order.batch(self._epoch if epoch is None else epoch, index)

    def on_epoch_begin(self) -> None:
        if self._rest_done:
            raise RuntimeError(
                "The first epoch after `restore` is the rest of the one that was interrupted, and "
                "shorter than the others: give it a `fit` of its own, "
                "`model.fit(ds, initial_epoch=e, epochs=e + 1)`, and go on with another. "
                "Received: more epochs in one `fit`"
            )
        self._in_epoch = not is_building_symbolically()
        self._shapes_only = not self._in_epoch

    def on_epoch_end(self) -> None:
        # `fit` calls this once before its first epoch, too.
        self._rest_done = self._in_epoch and self._start > 0 == self._coming()[1]
        self._in_epoch = self._shapes_only = False

    def state(self, *, epoch: int | None = None, batch: int | None = None) -> dict:
        """The position, for `restore`, as plain numbers that JSON can hold.

        Args:
            epoch: `ds.epoch` by default.
            batch: how many batches of that epoch are done; by default those handed out. Keras
                asks for batches ahead of its steps, so a callback of `fit` counts itself:
                `ds.state(batch=batch + 1)` in `on_train_batch_end`.
        """
        epoch = self._epoch if epoch is None else epoch
        batch = self._position if batch is None else batch
        if batch >= self.batches_in(epoch):
            epoch, batch = epoch + 1, 0
        return {**self._order.identity(), "epoch": epoch, "batch": batch}

    def restore(self, state: dict) -> None:
        """Goes to a position: the next batch is the one that followed it.

        The next pass is the rest of that epoch, `len(ds)` batches; with `model.fit`, give it a
        call of its own, `model.fit(ds, initial_epoch=e, epochs=e + 1)`.

        Raises:
            ValueError: the state is of a data set with other records, order or batches.
        """
        self._order.check_identity(state)
        self._stop()
        self._epoch, self._start = int(state["epoch"]), int(state["batch"])
        self._position = self._start
        self._new_pass, self._rest_done = True, False

    def profile(self, batches: int | None = None, verbose: bool = True) -> DatasetProfile:
        """Says where the time goes: into decoding, the host's other work, or the device.

        Args:
            batches: load so many now and measure that; the position stays. By default, what was
                handed out since the last profile counts, or ten batches if that is nothing.
            verbose: print the profile.

        Example:

        >>> model.fit(train)
        >>> train.profile().bottleneck
        'decode'
        """
        if batches is not None or not self._times.batches:
            self._times.reset()
            stop = min(batches or 10, self.batches_in_epoch)
            self._samples.forget()
            stream = self._make_stream(0, stop)
            while not stream.finished:
                stream.next()
        profile = self._times.profile(self._samples.workers)
        self._times.reset()
        if verbose:
            print(profile)
        return profile

    def signature(self) -> tuple:
        """Shape and dtype of batches, as `keras.KerasTensor`s; an axis that varies is `None`."""
        fixed = self.batch_size if self.last_batch != "keep" else None
        return map_arrays(
            lambda array: keras.KerasTensor((fixed, *array.shape[1:]), array.dtype.name),
            self.batch(0),
        )

    def to_tf_data(self, device: str | None = None):
        """This data set as a `tf.data.Dataset`, in the same order; each pass is an epoch.

        Its cardinality is known, except after `restore` in mid-epoch. Replicas may split batches,
        `strategy.experimental_distribute_dataset`; workers are given shards. With `device`, such
        as `"/GPU:0"`, the next batch is copied there ahead of time.
        """
        from keras_video.data.tf_data import make_tf_data

        return make_tf_data(self, None if self._coming()[1] else len(self), device)

    def close(self) -> None:
        """Ends the threads. The data set can be used again: then it starts new ones."""
        self._stop()
        self._samples.close()

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_stream": None, "_new_pass": True}

    def _coming(self) -> tuple[int, int]:
        """Epoch and first batch of the next pass: this epoch again where it is not complete."""
        if self._position < self.batches_in_epoch:
            return self._epoch, self._start
        return self._epoch + (self._order.shuffle or self.training), 0

    def _begin(self) -> None:
        self._stop()
        self._epoch, self._start = self._coming()
        self._position = self._start
        self._new_pass = False
        self._stream = self._make_stream(self._start, self.batches_in_epoch)

    def _make_stream(self, start: int, stop: int) -> BatchStream:
        submit = functools.partial(self._samples.submit, self._epoch)
        collect = functools.partial(self._samples.collect, self._epoch)
        return BatchStream(submit, collect, start, stop, self._prefetch, self._times)

    def _next(self) -> tuple:
        batch = self._stream.next()
        self._position = self._stream.position
        return batch

    def _stop(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
