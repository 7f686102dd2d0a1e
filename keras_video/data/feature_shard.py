"""`list_shard`: what is in a TFRecord file of features, looked up once."""

import json
import os
import time
import warnings
import zlib
from pathlib import Path

import numpy as np

from keras_video.data.feature_example import parse_example, peek_example
from keras_video.data.feature_file import FeaturePlace
from keras_video.data.feature_list import FeatureList, ListedFeatures
from keras_video.data.feature_read_error import FeatureReadError
from keras_video.data.tfrecord_file import read_record, scan_records
from keras_video.data.whole_file import whole_file
from keras_video.data.wire_format import WireFormatError

INDEX_FOLDER = ".feature_index"
_FORMAT = 1
# Id and labels of a frame-level record, and how many frames there are; a video-level record.
_PEEK = 8192
# A file that changed so recently may change again without a new time stamp.
_SETTLED_SECONDS = 2


def list_shard(path: str, index_cache: str | os.PathLike | bool = True) -> FeatureList:
    """Lists the records of a TFRecord file of YouTube-8M's form.

    Only the beginnings of records are read, and what was found is kept in a small file, used while
    the shard has the same size and time of change. Where a shard is cut off or damaged, the last
    record of the list is the place: reading it says what is wrong.

    Args:
        path: the shard.
        index_cache: `True` keeps the index in a folder `.feature_index` beside the shard, a path in
            that folder, `False` nowhere.

    Raises:
        FeatureReadError: there is no such file.
    """
    path = os.fspath(path)
    if index_cache is False:
        return _scan(path)[0]
    entry = _Entry(path, None if index_cache is True else os.fspath(index_cache))
    found = entry.load()
    if found is None:
        found, whole = _scan(path)
        if whole:
            entry.store(found)
    return found


def _scan(path: str) -> tuple[FeatureList, bool]:
    """The records, and whether all of the file could be followed."""
    listed, names = [], ()
    try:
        for number, head in enumerate(scan_records(path, peek=_PEEK)):
            place = FeaturePlace(path, head.offset)
            try:
                if not number:
                    names = tuple(parse_example(read_record(path, head.offset)).arrays)
                listed.append(_list_record(place, names, head))
            # It may be the only bad one: the reader will say so when its turn comes.
            except (FeatureReadError, WireFormatError):
                listed.append(ListedFeatures(place, names, _name_of(place), None, 0))
    except FeatureReadError as error:
        place = FeaturePlace.parse(error.path)
        if not place.is_shard or not os.path.exists(path):
            raise
        listed.append(ListedFeatures(place, names, _name_of(place), None, 0))
        return FeatureList(_with_names(listed)), False
    return FeatureList(_with_names(listed)), True


def _list_record(place: FeaturePlace, names: tuple[str, ...], head) -> ListedFeatures:
    found = peek_example(head.data, head.size)
    if found is None:
        stored = parse_example(read_record(place.path, place.offset))
        lengths = [len(array) for array in stored.arrays.values()]
        found = stored.id, stored.labels, max(lengths, default=0)
    name, labels, length = found
    return ListedFeatures(place, names, name or _name_of(place), labels, length)


def _with_names(listed: list[ListedFeatures]) -> list[ListedFeatures]:
    """A shard whose first record is bad has modalities all the same."""
    if any(record.names for record in listed):
        names = next(record.names for record in listed if record.names)
    else:
        names = _first_names(listed) or ("rgb",)
    return [record._replace(names=names) for record in listed]


def _first_names(listed: list[ListedFeatures]) -> tuple[str, ...]:
    for record in listed:
        try:
            return tuple(parse_example(read_record(*record.place[:2])).arrays)
        except (FeatureReadError, WireFormatError):
            continue
    return ()


def _name_of(place: FeaturePlace) -> str:
    return f"{Path(place.path).stem}#{place.offset}"


class _Entry:
    """Where the index of a shard, as it is now, is kept."""

    def __init__(self, path: str, folder: str | None):
        self._path = path
        absolute = os.path.abspath(path)
        name = os.path.basename(path)
        if folder is None:
            folder = os.path.join(os.path.dirname(absolute), INDEX_FOLDER)
        else:
            # Shards of several folders may have one name.
            name = f"{zlib.crc32(os.fsencode(os.path.dirname(absolute))):08x}-{name}"
        self._file = Path(folder) / f"{name}.index"
        try:
            status = os.stat(path)
        except OSError:
            self._stamp = None
        else:
            self._stamp = [_FORMAT, name, status.st_size, status.st_mtime_ns]

    def load(self) -> FeatureList | None:
        """The index that was kept for the shard as it is, or `None`."""
        if self._stamp is None:
            return None
        try:
            head, _, body = self._file.read_bytes().partition(b"\n")
            facts = json.loads(head)
            if facts["stamp"] != self._stamp or facts["checksum"] != zlib.crc32(body):
                return None
            arrays, position = {}, 0
            for name, dtype, count in facts["arrays"]:
                arrays[name] = np.frombuffer(body, dtype, count, position).copy()
                position += arrays[name].nbytes
            return FeatureList.from_columns([(self._path, tuple(facts["names"]))], arrays)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store(self, found: FeatureList) -> None:
        """Keeps an index, unless the shard is being written."""
        if self._stamp is None or time.time() - self._stamp[3] / 1e9 < _SETTLED_SECONDS:
            return
        files, arrays = found.to_columns()
        (names,) = {names for _, names in files}
        body = b"".join(array.tobytes() for array in arrays.values())
        described = [(name, array.dtype.str, len(array)) for name, array in arrays.items()]
        facts = {"stamp": self._stamp, "names": names, "arrays": described}
        facts["checksum"] = zlib.crc32(body)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self._file) as temporary:
                temporary.write_bytes(json.dumps(facts).encode() + b"\n" + body)
        except OSError as error:
            warnings.warn(
                f"{self._file.parent}: cannot keep indexes of shards: {error.strerror or error}. "
                "They are looked through each time; give another folder, or `index_cache=False`.",
                stacklevel=2,
            )
