"""`FeatureLoader`: one record in, its features out, checked."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from keras_video.data.clip_loader import LoadedClip
from keras_video.data.feature_file import StoredFeatures, load_features
from keras_video.data.feature_read_error import FeatureReadError
from keras_video.data.feature_record import FeatureRecord

SAMPLING = ("first", "even")


class Modality(NamedTuple):
    """What all records have in common: the number of channels, and how they are handed out."""

    channels: int
    dtype: np.dtype


class LabelledRecord(NamedTuple):
    """A `FeatureRecord` as `SampleLoader` wants its records.

    Attributes:
        record: the record.
        num_classes: number of classes, or `None` for data without labels.
    """

    record: FeatureRecord
    num_classes: int | None

    @property
    def source(self) -> str:
        return self.record.source

    @property
    def label(self) -> np.ndarray | None:
        """The classes as zeros and ones; those that are out of range are left out."""
        if self.num_classes is None:
            return None
        row = np.zeros(self.num_classes, np.float32)
        row[[label for label in self.record.labels or () if 0 <= label < self.num_classes]] = 1
        return row


class LabelledRecords(Sequence):
    """`FeatureRecord`s as `SampleLoader` wants its records."""

    def __init__(self, records: Sequence[FeatureRecord], num_classes: int | None):
        self._records, self.num_classes = records, num_classes

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> LabelledRecord:
        return LabelledRecord(self._records[index], self.num_classes)


class FeatureLoader:
    """Reads a record's features and makes sure that they are what all others are.

    Args:
        records: the data set.
        modalities: the names of the modalities, perhaps with their channels; by default those of
            the first record that can be read.
        max_frames: features of more frames are cut, `None` for no limit.
        sampling: which ones stay, `"first"` or `"even"`.
        num_classes: labels go from 0 to below; `None` for data without labels.

    Attributes:
        modalities: name -> `Modality`.

    Raises:
        ValueError: the first record has not the modalities that are asked for.
        FeatureReadError: not one record can be read.
    """

    def __init__(
        self,
        records: Sequence[FeatureRecord],
        modalities: Mapping[str, int] | Sequence[str] | None,
        max_frames: int | None,
        sampling: str,
        num_classes: int | None,
    ):
        self.max_frames, self.sampling, self.num_classes = max_frames, sampling, num_classes
        self.modalities = _find_modalities(records, modalities)

    def load(self, labelled: LabelledRecord, rng: np.random.Generator) -> LoadedClip:
        """Loads the features of a record, name -> array `(time, channels)`.

        Raises:
            FeatureReadError: they cannot be read, or are not what they should be.
        """
        started = time.perf_counter()
        record = labelled.record
        stored = load_record(record, self.modalities)
        read = time.perf_counter()
        self._check_labels(record)
        features = {
            name: self._prepared(record, name, stored[name], modality)
            for name, modality in self.modalities.items()
        }
        done = time.perf_counter()
        return LoadedClip(features, labelled.label, read - started, done - read)

    def _check_labels(self, record: FeatureRecord) -> None:
        if self.num_classes is None:
            return
        if record.labels is None:
            raise FeatureReadError(record.source, "it has no labels, as others have")
        wrong = [label for label in record.labels if not 0 <= label < self.num_classes]
        if wrong:
            raise FeatureReadError(
                record.source,
                f"its labels should be from 0 to {self.num_classes - 1}. Received: {wrong}",
            )

    def _prepared(
        self, record: FeatureRecord, name: str, array: np.ndarray, modality: Modality
    ) -> np.ndarray:
        def failure(reason: str) -> FeatureReadError:
            return FeatureReadError(record.features[name], f"{name}: {reason}")

        if array.ndim != 2 or array.shape[1] != modality.channels or not len(array):
            raise failure(
                f"features should have the shape (frames, {modality.channels}). "
                f"Received: {array.shape}"
            )
        if handed_out_as(array.dtype) != modality.dtype:
            raise failure(f"features should be {modality.dtype}. Received: {array.dtype}")
        if self.max_frames is not None and len(array) > self.max_frames:
            array = array[: self.max_frames] if self.sampling == "first" else self._spread(array)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise failure("some features are NaN or infinite")
        return np.asarray(array, modality.dtype)

    def _spread(self, array: np.ndarray) -> np.ndarray:
        """Frames from the middles of equal parts."""
        middles = (np.arange(self.max_frames) + 0.5) * (len(array) / self.max_frames)
        return array[middles.astype(np.int64)]


def handed_out_as(dtype: np.dtype) -> np.dtype | None:
    """8-bit codes stay what they are, floats become float32; `None` for what is neither."""
    if dtype == np.uint8:
        return dtype
    return np.dtype(np.float32) if dtype.kind == "f" else None


def load_record(record: FeatureRecord, names) -> dict[str, np.ndarray]:
    """Reads modalities of a record as they are stored, each file once.

    Raises:
        FeatureReadError: a file cannot be read, or has no such modality.
    """
    files: dict[str, StoredFeatures] = {}
    arrays = {}
    for name in names:
        place = record.features.get(name)
        if place is None:
            # Where nothing can be read, that is the reason, and not what it is listed with.
            load_features(record.source)
            raise FeatureReadError(
                record.source, f"it has no {name!r}. Received: {sorted(record.features)}"
            )
        if place not in files:
            files[place] = load_features(place)
        stored = files[place].arrays
        array = stored.get(name, stored.get(None))
        if array is None:
            raise FeatureReadError(place, f"there is no {name!r}. Received: {sorted(stored)}")
        arrays[name] = array
    return arrays


def _find_modalities(records, wanted) -> dict[str, Modality]:
    """Looks at the first record that can be read."""
    widths = dict(wanted) if isinstance(wanted, Mapping) else {}
    first_error = None
    for record in records:
        names = list(record.features if wanted is None else wanted)
        missing = [name for name in names if name not in record.features]
        try:
            if missing:
                load_features(record.source)
                raise ValueError(
                    f"{record.source} has no {missing[0]!r}: `features` names modalities that "
                    f"records have. Received: features={wanted!r}, a record with "
                    f"{sorted(record.features)}"
                )
            arrays = load_record(record, names)
            found = {name: _modality(record, name, arrays[name]) for name in names}
        except FeatureReadError as error:
            first_error = first_error or error
            continue
        for name, modality in found.items():
            if widths.get(name, modality.channels) != modality.channels:
                raise ValueError(
                    f"{record.features[name]} has {modality.channels} channels of {name!r}. "
                    f"Received: features={wanted!r}"
                )
        return found
    raise FeatureReadError(
        first_error.path, f"not one record can be read, this one because: {first_error.reason}"
    ) from first_error


def _modality(record: FeatureRecord, name: str, array: np.ndarray) -> Modality:
    dtype = handed_out_as(array.dtype)
    if array.ndim != 2 or not array.size or dtype is None:
        raise FeatureReadError(
            record.features[name],
            f"{name}: features are 8-bit codes or floats of shape (frames, channels). "
            f"Received: {array.dtype}, {array.shape}",
        )
    return Modality(array.shape[1], dtype)
