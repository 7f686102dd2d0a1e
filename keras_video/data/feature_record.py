"""`FeatureRecord`: one video of a data set of features."""

import dataclasses
import os
from collections.abc import Iterable, Mapping


@dataclasses.dataclass(frozen=True)
class FeatureRecord:
    """Where the features of a video are, and its classes. Nothing is opened yet.

    Args:
        id: what the video is called.
        features: name of each modality -> where it is: `x.npy`; `x.pkl` or `x.tfrecord#4711`, the
            file and the byte at which the record begins; `x.pkl#0:3`, the entry of a list that
            begins there. A file with several modalities is named by each, and read once.
        labels: class numbers from 0, none, one or several; or `None` where they are not known.
        length: number of frames (steps in time), where it is known. It decides which records come
            into a batch together, and is not checked.

    Raises:
        ValueError: no features, or numbers that are none.

    Example:

    >>> FeatureRecord("one", {"rgb": "feats/one.npy"}, labels=(3, 17), length=300)
    FeatureRecord(id='one', features={'rgb': 'feats/one.npy'}, labels=(3, 17), length=300)
    """

    id: str
    features: Mapping[str, str]
    labels: tuple[int, ...] | None = None
    length: int | None = None

    def __post_init__(self):
        if not isinstance(self.features, Mapping) or not self.features:
            raise ValueError(
                f"{self.id}: `features` names where each modality is, such as "
                f"{{'rgb': 'one.npy'}}. Received: features={self.features!r}"
            )
        features = {name: os.fspath(place) for name, place in self.features.items()}
        object.__setattr__(self, "features", features)
        if self.labels is not None:
            if not isinstance(self.labels, Iterable) or isinstance(self.labels, str | bytes):
                raise ValueError(
                    f"{self.id}: `labels` are class numbers, or None. "
                    f"Received: labels={self.labels!r}"
                )
            labels = tuple(self.labels)
            if not all(hasattr(label, "__index__") for label in labels):
                raise ValueError(
                    f"{self.id}: `labels` are whole numbers. Received: labels={self.labels!r}"
                )
            object.__setattr__(self, "labels", tuple(map(int, labels)))
        if self.length is not None and (not hasattr(self.length, "__index__") or self.length < 0):
            raise ValueError(
                f"{self.id}: `length` is a whole number from 0, or None. "
                f"Received: length={self.length!r}"
            )

    @property
    def source(self) -> str:
        """Where the record is, for messages: the place of its first modality."""
        return next(iter(self.features.values()))
