"""`VideoDataset`: videos in, batches out, for `model.fit`, `evaluate` and `predict`."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

import keras
import numpy as np

from keras_video._compat import is_building_symbolically
from keras_video.data.batch_stream import BatchStream
from keras_video.data.clip_loader import make_loader
from keras_video.data.dataset_profile import DatasetProfile, StageTimes
from keras_video.data.epoch_order import EpochOrder
from keras_video.data.preset_preprocessing import load_preprocessing, preset_labels
from keras_video.data.sample_loader import SampleLoader
from keras_video.data.video_failures import FailureLog, VideoFailure
from keras_video.data.video_list import VideoList


class VideoDataset(keras.utils.PyDataset):
    """Decodes, samples, augments and batches videos in threads, on every backend of Keras.

    Batches are `(clips, labels)`; `(clips,)` for videos without class. Clips are `(batch, time,
    height, width, 3)`, RGB from 0 to 255, `uint8` unless a transform makes floats of them; labels
    are int32, or one-hot float32 with `one_hot`.

    **Order.** Everything random is a function of (`seed`, epoch, record): not of the number of
    workers, and not of what else was read. Each pass over the data set is an epoch. `model.fit`
    gets the batches in the data set's own order, also with its default of `shuffle=True`.

    **Last batch.** `"drop"` it, the rule in training where there is another one; `"keep"` it
    shorter, the rule in evaluation; or `"pad"` it with black clips, the rule for shards. Padded
    data sets add weights to batches, `(clips, labels, weights)`, 0 for black clips. Then compile
    with `weighted_metrics`, as Keras does not weigh `metrics`; it divides the loss by all clips.
    Replicas need padding where a shorter batch would leave one of them without clips.

    **Bad videos.** A video that cannot be read is tried once more, then logged with its path and
    the reason. In training the next one of the epoch's order takes its place. In evaluation a
    black clip does, with full weight: an error, unless the model answers black with just that
    class. `failures` names them; `evaluate_videos` counts each as wrong without exception.
    More than `max_failures` such videos end the run with `TooManyFailuresError`.

    Args:
        records: a `VideoList`, or `VideoRecord`s.
        preset: a preset's name, directory or `hf://` address: sampling, sizes and crops are those
            that its model wants. Nothing else of it is read.
        preprocessor: a `VideoPreprocessor` instead of a preset's.
        sampler: a name (see `keras_video.data.samplers`) or a callable, instead of the
            preprocessor's sampling.
        num_frames: frames of a clip, by default the preprocessor's.
        transforms: callables `(clip, rng) -> clip` on uint8 clips of all sampled frames, in
            place of the preprocessor's resizing and cropping.
        batch_transform: callable `(clips, one_hot_labels, rng) -> (clips, one_hot_labels)`, such
            as `MixUp`; training only, makes labels one-hot.
        training: random order, random sampling, augmentation.
        all_views: in evaluation, the preprocessor's views on an axis after the batch's, instead of
            one clip and the center crop. `evaluate_videos` averages over views.
        batch_size: videos in a batch (of this shard).
        labels: the classes' names in order of their numbers, by default those of the list.
        one_hot: labels as one-hot vectors.
        shuffle: a new order each epoch, by default in training.
        last_batch: `"drop"`, `"keep"` or `"pad"`, see above.
        seed: of everything random.
        num_shards: number of input pipelines that share the data set, for several workers.
        shard_index: which of them this is.
        workers: threads that load clips, by default the number of cores.
        prefetch: batches to load ahead; memory holds that many and two more.
        max_failures: videos that may fail, by default 1 % of them and at least 10.
        decoder: see `open_video`; by default the preprocessor's, or `"pyav"`.
        index_cache: a folder, best beside the videos, in which the frame indexes of long videos
            are kept: later epochs and runs need not read all their packets again. By default
            nothing is kept. See `IndexCache`.

    Attributes:
        records: the `VideoList`.
        labels: tuple of the classes' names, or `None`; `model.labels = ds.labels` takes them on
            into a preset.
        preprocessor: how the model's videos are prepared for prediction, or `None`;
            `model.preprocessor = ds.preprocessor` takes it on.

    Raises:
        ValueError: arguments that do not fit together.

    Example:

    >>> train = VideoDataset.from_folder("videos/train", preset="pp_tsm_k400", training=True)
    >>> val = VideoDataset.from_folder("videos/val", preset="pp_tsm_k400", labels=train.labels)
    >>> model = PPTSM.from_preset("pp_tsm_k400", num_classes=len(train.labels))
    >>> model.labels = train.labels
    >>> model.compile("sgd", SparseCategoricalCrossentropy(from_logits=True))
    >>> model.fit(train, validation_data=val, epochs=10)
    """

    def __init__(
        self,
        records: Iterable,
        *,
        preset: str | os.PathLike | None = None,
        preprocessor: Callable | None = None,
        sampler: str | Callable | None = None,
        num_frames: int | None = None,
        transforms: Sequence[Callable] | None = None,
        batch_transform: Callable | None = None,
        training: bool = False,
        all_views: bool = False,
        batch_size: int = 16,
        labels: Iterable[str] | None = None,
        one_hot: bool = False,
        shuffle: bool | None = None,
        last_batch: str | None = None,
        seed: int = 0,
        num_shards: int = 1,
        shard_index: int = 0,
        workers: int | None = None,
        prefetch: int = 2,
        max_failures: int | None = None,
        decoder: str | None = None,
        index_cache: str | os.PathLike | None = None,
    ):
        super().__init__(workers=1)
        if not isinstance(records, VideoList) or labels is not None:
            known = getattr(records, "labels", None)
            records = VideoList(records, known if labels is None else labels)
        if not len(records):
            raise ValueError("A data set needs videos. Received: 0 records")
        if preset is not None:
            if preprocessor is not None:
                raise ValueError(
                    "Give a `preset` or a `preprocessor`, not both. "
                    f"Received: preset={preset!r}, preprocessor={preprocessor!r}"
                )
            preprocessor, _ = load_preprocessing(preset)
        self.records, self.labels = records, records.labels
        self.preprocessor, self.training = preprocessor, training
        if last_batch is None:
            full = len(records) >= batch_size * num_shards
            spread = "keep" if num_shards == 1 else "pad"
            last_batch = "drop" if training and full else spread
        self._order = EpochOrder(
            len(records),
            batch_size,
            shuffle=training if shuffle is None else shuffle,
            seed=seed,
            num_shards=num_shards,
            shard_index=shard_index,
            last_batch=last_batch,
        )
        self._failures = FailureLog(max_failures, len(records))
        self._times = StageTimes()
        loader = make_loader(
            preprocessor,
            sampler=sampler,
            num_frames=num_frames,
            transforms=transforms,
            labels=self.labels,
            training=training,
            all_views=all_views,
            decoder=decoder,
            index_cache=index_cache,
        )
        self._samples = SampleLoader(
            loader,
            records,
            self._order,
            self._failures,
            self._times,
            substitute=training,
            one_hot=one_hot or batch_transform is not None,
            batch_transform=batch_transform if training else None,
            weigh=last_batch == "pad",
            workers=workers,
        )
        self._prefetch = prefetch
        self._epoch = self._start = self._position = 0  # `_position`: batches handed out
        self._stream: BatchStream | None = None
        self._new_pass = True
        self._in_epoch = self._rest_done = self._shapes_only = False

    @classmethod
    def from_folder(cls, root: str | os.PathLike, *, labels=None, **arguments) -> "VideoDataset":
        """A data set of a folder that has one folder of videos for each class.

        Args:
            root: the folder, see `VideoList.from_folder`.
            labels: the classes' names in order of their numbers; by default the folders' names,
                sorted. `"preset"` takes those of the preset, to test a trained model.
            **arguments: of `VideoDataset`.
        """
        if isinstance(labels, str):
            labels = preset_labels(arguments.get("preset"), labels)
        return cls(VideoList.from_folder(root, labels), **arguments)

    @classmethod
    def from_list(
        cls, path: str | os.PathLike, *, root=None, labels=None, **arguments
    ) -> "VideoDataset":
        """A data set of a list of videos.

        Args:
            path: the list, see `VideoList.read`.
            root: the folder that its paths start from.
            labels: the classes' names, by default those of a `labels.txt` next to the list.
            **arguments: of `VideoDataset`.
        """
        return cls(VideoList.read(path, root, labels), **arguments)

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
    def failures(self) -> tuple[VideoFailure, ...]:
        """The videos that could not be read so far."""
        return self._failures.failures

    @property
    def epoch(self) -> int:
        """The epoch under way, or just completed."""
        return self._epoch

    @property
    def batches_in_epoch(self) -> int:
        """Batches of a whole epoch; after `restore`, `len(ds)` is what is left of it."""
        return self._order.num_batches

    def __len__(self) -> int:
        return self._order.num_batches - self._coming()[1]

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
        if batch >= self._order.num_batches:
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
            stop = min(batches or 10, self._order.num_batches)
            self._samples.forget()
            stream = self._make_stream(0, stop)
            while not stream.finished:
                stream.next()
        profile = self._times.profile(self._samples.workers)
        self._times.reset()
        if verbose:
            print(profile)
        return profile

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
        if self._position < self._order.num_batches:
            return self._epoch, self._start
        return self._epoch + (self._order.shuffle or self.training), 0

    def _begin(self) -> None:
        self._stop()
        self._epoch, self._start = self._coming()
        self._position = self._start
        self._new_pass = False
        self._stream = self._make_stream(self._start, self._order.num_batches)

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
