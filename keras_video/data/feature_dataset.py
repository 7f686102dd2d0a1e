"""`FeatureDataset`: batches of features and their masks, of videos of any length."""

from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np

from keras_video._compat import is_asking_for_signature
from keras_video.data.batch_dataset import BatchDataset
from keras_video.data.dataset_profile import StageTimes
from keras_video.data.epoch_order import default_last_batch
from keras_video.data.feature_loader import SAMPLING, FeatureLoader, LabelledRecords
from keras_video.data.feature_record import FeatureRecord
from keras_video.data.feature_samples import FeatureSamples
from keras_video.data.length_order import LengthOrder
from keras_video.data.video_failures import FailureLog


class FeatureDataset(BatchDataset):
    """Batches of stored features for models such as `AttentionLSTM`, with several labels a video.

    Batches are `(inputs, labels)`, without labels `(inputs,)`, where the last one is padded
    `(inputs, labels, weights)`. For each modality, `inputs` has its features, `(batch, time,
    channels)`, and under its name with `_mask` which steps are real, `(batch, time)` of bools;
    padding is zeros after them. Labels are zeros and ones, float32 `(batch, num_classes)`. 8-bit
    codes stay uint8, a quarter of the bytes (see `dequantize`); floats become float32.

    In training, records of similar length come in a batch together. All modalities of a batch are
    padded to one length, a multiple of `length_step`, so a model is compiled for a handful of
    lengths, no more. For the rest (order, shards, the last batch, position) it is a `VideoDataset`.

    **Bad records** cannot be read, have other modalities, widths or types than the first, labels
    out of range, or features that are no numbers. `failures` names each with the reason. In
    training the next record takes its place. In evaluation zeros do, with full weight and a mask
    that says that nothing is there: an error. More than `max_failures` end the run with
    `TooManyFailuresError`.

    Args:
        records: `FeatureRecord`s, such as `read_feature_list` finds.
        num_classes: number of classes, by default that of `label_names`. Needed where records
            have labels.
        features: names of the modalities to use, or a dict of names and channels; by default
            those of the first record.
        batch_size: records in a batch (of this shard).
        training: a new order each epoch, lengths in buckets.
        max_frames: of longer features, so many are used; `None` for all. Defaults to 300.
        sampling: which ones: `"first"` (default, as YouTube-8M's starter code) or `"even"`, from
            the middles of equal parts.
        length_step: batches have a length that is a multiple of this. Defaults to 60.
        bucketed: records of similar length in a batch, by default in training. Without a random
            order, it sorts the records by length.
        label_names: the classes' names in order of their numbers.
        shuffle: a new order each epoch, by default in training.
        last_batch: `"drop"`, `"keep"` or `"pad"`; see `VideoDataset`.
        seed: of the order.
        num_shards: number of input pipelines that share the data set, for several workers.
        shard_index: which of them this is.
        workers: threads that read, by default the number of cores.
        prefetch: batches to load ahead.
        max_failures: records that may fail, by default 1 % of them and at least 10.

    Attributes:
        records: the records.
        features: name of each modality -> number of channels.
        labels: tuple of the classes' names, or `None`.

    Raises:
        ValueError: arguments that do not fit together.
        FeatureReadError: not one record can be read.

    Example:

    >>> records = read_feature_list("yt8m/train*.tfrecord")
    >>> train = FeatureDataset(records, num_classes=3862, batch_size=128, training=True)
    >>> inputs, labels = next(iter(train))
    >>> {name: array.shape for name, array in inputs.items()}
    {'audio': (128, 240, 128), 'audio_mask': (128, 240), 'rgb': (128, 240, 1024), ...}
    """

    def __init__(
        self,
        records: Iterable[FeatureRecord],
        *,
        num_classes: int | None = None,
        features: Mapping[str, int] | Sequence[str] | None = None,
        batch_size: int = 128,
        training: bool = False,
        max_frames: int | None = 300,
        sampling: str = "first",
        length_step: int = 60,
        bucketed: bool | None = None,
        label_names: Iterable[str] | None = None,
        shuffle: bool | None = None,
        last_batch: str | None = None,
        seed: int = 0,
        num_shards: int = 1,
        shard_index: int = 0,
        workers: int | None = None,
        prefetch: int = 2,
        max_failures: int | None = None,
    ):
        records = records if isinstance(records, Sequence) else tuple(records)
        if not len(records):
            raise ValueError("A data set needs records. Received: 0 records")
        for name, value, optional in (
            ("length_step", length_step, False),
            ("max_frames", max_frames, True),
        ):
            if not (optional and value is None):
                _check_positive(name, value)
        if sampling not in SAMPLING:
            raise ValueError(f"`sampling` must be one of {SAMPLING}. Received: {sampling!r}")
        if isinstance(features, str) or (features is not None and not len(features)):
            raise ValueError(
                "`features` are the names of modalities, such as ('rgb', 'audio'). "
                f"Received: features={features!r}"
            )
        self.labels = None if label_names is None else tuple(label_names)
        num_classes = _number_of_classes(records, num_classes, self.labels)
        self.records = records
        loader = FeatureLoader(records, features, max_frames, sampling, num_classes)
        self.features = {name: found.channels for name, found in loader.modalities.items()}
        if last_batch is None:
            last_batch = default_last_batch(len(records), batch_size, num_shards, training)
        order = LengthOrder(
            _lengths(records),
            batch_size,
            step=length_step,
            longest=max_frames,
            bucketed=training if bucketed is None else bucketed,
            shuffle=training if shuffle is None else shuffle,
            seed=seed,
            num_shards=num_shards,
            shard_index=shard_index,
            last_batch=last_batch,
        )
        failures, times = FailureLog(max_failures, len(records), check=None), StageTimes()
        samples = FeatureSamples(
            loader,
            LabelledRecords(records, num_classes),
            order,
            failures,
            times,
            substitute=training,
            one_hot=False,
            batch_transform=None,
            weigh=last_batch == "pad",
            workers=workers,
        )
        self._modalities = loader.modalities
        super().__init__(order, samples, failures, times, training=training, prefetch=prefetch)

    def signature(self) -> tuple:
        size = self.batch_size if self.last_batch != "keep" else None
        inputs = {}
        for name, (channels, dtype) in self._modalities.items():
            inputs[name] = keras.KerasTensor((size, None, channels), dtype.name)
            inputs[f"{name}_mask"] = keras.KerasTensor((size, None), "bool")
        if self.num_classes is None:
            return (inputs,)
        labels = keras.KerasTensor((size, self.num_classes), "float32")
        if self.last_batch != "pad":
            return inputs, labels
        return inputs, labels, keras.KerasTensor((size,), "float32")

    def __getitem__(self, index: int) -> tuple:
        # Keras takes the shape of two batches for that of all, and lengths differ.
        if is_asking_for_signature():
            return self.signature()
        return super().__getitem__(index)


def _check_positive(name: str, value) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ValueError(f"`{name}` must be a whole number from 1. Received: {name}={value!r}")


def _number_of_classes(records, num_classes: int | None, names: tuple | None) -> int | None:
    """`None` where no record has a label."""
    if num_classes is not None:
        _check_positive("num_classes", num_classes)
        if names is not None and len(names) != num_classes:
            raise ValueError(
                "There must be a name for each class. "
                f"Received: num_classes={num_classes}, {len(names)} label_names"
            )
    elif names is not None:
        num_classes = len(names)
    if hasattr(records, "highest_label"):
        highest = records.highest_label
    else:
        highest = max((max(record.labels) for record in records if record.labels), default=None)
    if highest is None:
        return None
    if num_classes is None:
        raise ValueError(
            "Records with labels need `num_classes`, which must not depend on the labels that "
            f"happen to occur. Received: num_classes=None, labels up to {highest}"
        )
    return num_classes


def _lengths(records) -> list[int] | np.ndarray:
    """Lengths of the records, -1 where they are not known."""
    if hasattr(records, "lengths"):
        return records.lengths
    return [-1 if record.length is None else record.length for record in records]
