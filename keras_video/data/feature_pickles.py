"""The pickles of features that PaddleVideo's `tf2pkl.py` and `split_yt8m.py` write."""

import functools
import os
import threading
from pathlib import Path

import numpy as np

from keras_video.data.feature_file import FeaturePlace, StoredFeatures
from keras_video.data.feature_list import ListedFeatures
from keras_video.data.feature_read_error import FeatureNotFoundError, FeatureReadError
from keras_video.presets.restricted_unpickler import RestrictedUnpickler, UnsafePickleError

_MODALITIES = {"feature": "rgb", "audio": "audio"}
_LOCK = threading.Lock()


def load_pickle(place: FeaturePlace) -> StoredFeatures:
    """Reads one video of a file of pickles, by an unpickler that builds arrays and nothing else.

    A video is a dict of `feature` (which is the modality `rgb`) and `audio`, arrays `(frames,
    channels)`; and perhaps of `video`, its name, `label`, class numbers, and `nframes`, how many
    of the frames count. Keys may be text or bytes, as Python 2 wrote them.

    Args:
        place: the file, where the pickle begins, and the number of the video if it holds a list
            (whole lists are read; the last one is kept in memory).

    Raises:
        FeatureReadError: there is none, it is damaged, or asks for more than arrays.
    """
    if place.number is None:
        content, _ = _load(place.path, place.offset)
    else:
        stamp = _stamp(place.path)
        with _LOCK:
            content = _load_list(place.path, place.offset, stamp)
        if not isinstance(content, list) or place.number >= len(content):
            raise FeatureReadError(str(place), "there is no such video in the list")
        content = content[place.number]
    return _features_of(content, place)


def list_pickles(path: str) -> list[ListedFeatures]:
    """Lists the videos of a file: of one pickle after the other, each a dict or a list of dicts.

    What cannot be read is the last of the list: reading it says what is wrong.
    """
    path = os.fspath(path)
    listed, offset = [], 0
    try:
        _, size = _stamp(path)
    except FeatureReadError:
        return [_bad(FeaturePlace(path), listed)]
    while offset < size or not listed:
        place = FeaturePlace(path, offset)
        try:
            content, offset = _load(path, offset)
        except FeatureReadError:
            return [*listed, _bad(place, listed)]
        if isinstance(content, list):
            places = [place._replace(number=number) for number in range(len(content))]
        else:
            places, content = [place], [content]
        for place, video in zip(places, content, strict=True):
            try:
                stored = _features_of(video, place)
            except FeatureReadError:
                listed.append(_bad(place, listed))
                continue
            names = tuple(stored.arrays)
            length = max(map(len, stored.arrays.values()))
            name = stored.id or Path(str(place)).name
            listed.append(ListedFeatures(place, names, name, stored.labels, length))
    return listed


def _bad(place: FeaturePlace, before: list[ListedFeatures]) -> ListedFeatures:
    names = before[-1].names if before else tuple(_MODALITIES.values())
    return ListedFeatures(place, names, Path(str(place)).name, None, 0)


def _stamp(path: str) -> tuple[int, int]:
    """Time of change and size."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise FeatureNotFoundError(path, "there is no such file") from None
    return status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=1)
def _load_list(path: str, offset: int, stamp: tuple):
    return _load(path, offset)[0]


def _load(path: str, offset: int) -> tuple[object, int]:
    """What is pickled at a byte of a file, and the byte after it."""
    place = FeaturePlace(path, offset)
    _, size = _stamp(path)
    if not size:
        raise FeatureReadError(str(place), "the file is empty (0 bytes)")
    with open(path, "rb") as file:
        file.seek(offset)
        try:
            return RestrictedUnpickler(file).load(), file.tell()
        except UnsafePickleError as error:
            raise FeatureReadError(str(place), f"the pickle is refused: {error}") from error
        except OSError:
            raise
        # A damaged pickle raises nearly anything: EOFError, KeyError, IndexError, ...
        except Exception as error:
            raise FeatureReadError(
                str(place), f"the pickle is damaged or cut off: {type(error).__name__}: {error}"
            ) from error


def _features_of(content, place: FeaturePlace) -> StoredFeatures:
    if not isinstance(content, dict):
        raise FeatureReadError(
            str(place), f"a video is pickled as a dict. Received: {type(content).__name__}"
        )
    video = {_text(key): value for key, value in content.items()}
    arrays = {name: video[key] for key, name in _MODALITIES.items() if key in video}
    if not arrays or not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise FeatureReadError(
            str(place), f"a video has arrays `feature` and `audio`. Received: {sorted(video)}"
        )
    try:
        labels = video.get("label")
        labels = None if labels is None else tuple(map(int, np.ravel(labels)))
        if "nframes" in video:
            arrays = {name: array[: int(video["nframes"])] for name, array in arrays.items()}
    except (TypeError, ValueError, IndexError) as error:
        raise FeatureReadError(
            str(place), f"`label` and `nframes` are whole numbers: {error}"
        ) from error
    name = video.get("video")
    return StoredFeatures(None if name is None else _text(name), arrays, labels)


def _text(value) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)
