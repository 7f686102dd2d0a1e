"""`VideoDataset`: videos in, batches out, for `model.fit`, `evaluate` and `predict`."""

import os
from collections.abc import Callable, Iterable, Sequence

from keras_video.data.batch_dataset import BatchDataset
from keras_video.data.batch_shape import BatchShapes
from keras_video.data.clip_loader import make_loader
from keras_video.data.dataset_profile import StageTimes
from keras_video.data.epoch_order import EpochOrder, default_last_batch
from keras_video.data.preset_preprocessing import load_preprocessing, preset_labels
from keras_video.data.sample_loader import SampleLoader
from keras_video.data.video_failures import FailureLog
from keras_video.data.video_list import VideoList


class VideoDataset(BatchDataset):
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
        shapes: a schedule of clips of other shapes than `num_frames` and the crop of `transforms`,
            in batches as many times larger: `keras_video.training.Multigrid`. Then transforms and
            the distance between frames follow the shape of the batch, and epochs differ in their
            number of batches. Training only, with `Trainer`: one call of `model.fit` takes clips of
            one length.
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
        shapes: BatchShapes | None = None,
    ):
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
        self.preprocessor = preprocessor
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
        failures, times = FailureLog(max_failures, len(records)), StageTimes()
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
        samples = SampleLoader(
            loader,
            records,
            order,
            failures,
            times,
            substitute=training,
            one_hot=one_hot or batch_transform is not None,
            batch_transform=batch_transform if training else None,
            weigh=last_batch == "pad",
            workers=workers,
        )
        super().__init__(order, samples, failures, times, training=training, prefetch=prefetch)

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
