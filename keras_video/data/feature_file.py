"""From a place, `x.npy` or `x.tfrecord#4711`, to the features that are stored there."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_video.data.feature_read_error import FeatureNotFoundError, FeatureReadError
from keras_video.data.tfrecord_file import read_record
from keras_video.data.wire_format import WireFormatError

FEATURE_SUFFIXES = (".npy", ".pkl", ".pickle", ".tfrecord")
_PLACE = re.compile(r"(?P<path>.*)#(?P<offset>\d+)(?::(?P<number>\d+))?", re.DOTALL)


class StoredFeatures(NamedTuple):
    """What is stored of a video.

    Attributes:
        id: what it is called, `None` where nothing says it.
        arrays: name of each modality -> array `(time, channels)` as it is stored. Where the file
            has but one and no name for it, the name is `None`.
        labels: class numbers, or `None` where there are none.
    """

    id: str | None
    arrays: Mapping[str | None, np.ndarray]
    labels: tuple[int, ...] | None


class FeaturePlace(NamedTuple):
    """A place in parts: file, first byte, and number in a list that begins there."""

    path: str
    offset: int = 0
    number: int | None = None

    @classmethod
    def parse(cls, place: str) -> "FeaturePlace":
        """Takes `x.pkl#0:3` apart."""
        match = _PLACE.fullmatch(place)
        if match is None:
            return cls(place)
        number = match["number"]
        return cls(match["path"], int(match["offset"]), None if number is None else int(number))

    def __str__(self) -> str:
        if self.number is not None:
            return f"{self.path}#{self.offset}:{self.number}"
        return f"{self.path}#{self.offset}" if self.offset or self.is_shard else self.path

    @property
    def suffix(self) -> str:
        return os.path.splitext(self.path)[1].lower()

    @property
    def is_shard(self) -> bool:
        return self.suffix == ".tfrecord"


def load_features(place: str) -> StoredFeatures:
    """Reads the features at a place.

    Args:
        place: see `FeatureRecord`.

    Raises:
        FeatureReadError: they cannot be read.

    Example:

    >>> load_features("feats/one.npy").arrays[None].shape
    (300, 2048)
    """
    # These say what is stored, by the classes of this module.
    from keras_video.data.feature_example import parse_example
    from keras_video.data.feature_pickles import load_pickle

    where = FeaturePlace.parse(place)
    try:
        if where.suffix == ".npy":
            return StoredFeatures(Path(where.path).stem, {None: _load_npy(where.path)}, None)
        if where.is_shard:
            return parse_example(read_record(where.path, where.offset))
        if where.suffix in FEATURE_SUFFIXES:
            return load_pickle(where)
    except WireFormatError as error:
        raise FeatureReadError(place, error) from error
    except FileNotFoundError:
        raise FeatureNotFoundError(place, "there is no such file") from None
    except OSError as error:
        raise FeatureReadError(place, error.strerror or error) from error
    raise FeatureReadError(place, f"features are in files with a suffix of {FEATURE_SUFFIXES}")


def _load_npy(path: str) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        if not os.path.getsize(path):
            raise FeatureReadError(path, "the file is empty (0 bytes)") from error
        raise FeatureReadError(path, f"this is no whole .npy file of numbers: {error}") from error
