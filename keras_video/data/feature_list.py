"""`FeatureList`: the records of a data set of features, millions of them in little memory."""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from keras_video.data.feature_file import FeaturePlace
from keras_video.data.feature_record import FeatureRecord

_UNKNOWN = -1
_COLUMNS = ("_file", "_offset", "_number", "lengths", "_id", "_count", "_label")


class ListedFeatures(NamedTuple):
    """A record as readers of files list it.

    Attributes:
        place: where it is.
        names: of the modalities at this place.
        id: what it is called.
        labels: class numbers, or `None`.
        length: number of frames, `None` where it is not known.
    """

    place: FeaturePlace
    names: tuple[str, ...]
    id: str
    labels: Sequence[int] | None
    length: int | None


class FeatureList(Sequence):
    """`FeatureRecord`s, made when they are asked for; `read_feature_list` makes the list.

    A record takes about 60 bytes. A slice, and `select`, is a list again.

    Args:
        listed: the records.

    Attributes:
        lengths: number of frames of each record, int32 array, -1 where it is not known.

    Example:

    >>> records = read_feature_list("yt8m/train*.tfrecord")
    >>> records[0]
    FeatureRecord(id='eXbF', features={'audio': 'yt8m/train0000.tfrecord#0', ...}, length=255)
    >>> rng = np.random.default_rng(0)
    >>> some = records.select(rng.permutation(len(records))[:1000])
    """

    def __init__(self, listed: Iterable[ListedFeatures] = ()):
        listed = list(listed)
        files = {}
        for record in listed:
            files.setdefault((record.place.path, record.names), len(files))
        self._files = list(files)
        self._file = np.array([files[r.place.path, r.names] for r in listed], np.int32)
        self._offset = np.array([r.place.offset for r in listed], np.int64)
        numbers = [_UNKNOWN if r.place.number is None else r.place.number for r in listed]
        self._number = np.array(numbers, np.int32)
        lengths = [_UNKNOWN if r.length is None else r.length for r in listed]
        self.lengths = np.array(lengths, np.int32)
        self._id = np.array([r.id.encode("utf-8", "surrogateescape") for r in listed], bytes)
        counts = [_UNKNOWN if r.labels is None else len(r.labels) for r in listed]
        self._count = np.array(counts, np.int32)
        chained = itertools.chain.from_iterable(r.labels or () for r in listed)
        self._label = np.fromiter(chained, np.int64)
        self._start_labels()

    @classmethod
    def concatenate(cls, lists: Iterable["FeatureList"]) -> "FeatureList":
        """The records of all lists, one list after the other."""
        lists = list(lists)
        if not lists:
            return cls()
        found = cls.__new__(cls)
        found._files = [file for part in lists for file in part._files]
        starts = np.cumsum([0] + [len(part._files) for part in lists])
        shifted = [part._file + start for part, start in zip(lists, starts, strict=False)]
        found._file = np.concatenate(shifted).astype(np.int32)
        for name in _COLUMNS[1:]:
            setattr(found, name, np.concatenate([getattr(part, name) for part in lists]))
        found._start_labels()
        return found

    @classmethod
    def from_columns(cls, files: list, columns: dict[str, np.ndarray]) -> "FeatureList":
        """The list of which these are `to_columns`."""
        found = cls.__new__(cls)
        found._files = list(files)
        for name in _COLUMNS:
            setattr(found, name, columns[name.strip("_")])
        found._start_labels()
        return found

    def to_columns(self) -> tuple[list[tuple[str, tuple[str, ...]]], dict[str, np.ndarray]]:
        """The files, with the modalities in each, and the columns of numbers, to be kept."""
        return self._files, {name.strip("_"): getattr(self, name) for name in _COLUMNS}

    def __len__(self) -> int:
        return len(self._file)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.select(range(len(self))[index])
        index = range(len(self))[index]
        path, names = self._files[self._file[index]]
        number = None if self._number[index] == _UNKNOWN else int(self._number[index])
        place = str(FeaturePlace(path, int(self._offset[index]), number))
        labels = None
        if self._count[index] != _UNKNOWN:
            start, stop = self._first[index : index + 2]
            labels = tuple(self._label[start:stop].tolist())
        length = None if self.lengths[index] == _UNKNOWN else int(self.lengths[index])
        name = self._id[index].decode("utf-8", "surrogateescape")
        return FeatureRecord(name, dict.fromkeys(names, place), labels, length)

    @property
    def paths(self) -> list[str]:
        """The files, each once."""
        return list(dict.fromkeys(path for path, _ in self._files))

    @property
    def highest_label(self) -> int | None:
        """The highest class number, `None` where no record has a label."""
        return int(self._label.max()) if len(self._label) else None

    def select(self, indices: Iterable[int]) -> "FeatureList":
        """The records with these numbers, in this order."""
        indices = np.array(list(indices), np.int64)
        found = type(self).__new__(type(self))
        found._files = self._files
        for name in _COLUMNS[:-1]:
            setattr(found, name, getattr(self, name)[indices])
        parts = [self._label[self._first[i] : self._first[i + 1]] for i in indices]
        found._label = np.concatenate([np.arange(0), *parts])
        found._start_labels()
        return found

    def _start_labels(self) -> None:
        """Where the labels of each record begin, and the end of the last."""
        counts = np.maximum(self._count, 0)
        self._first = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
