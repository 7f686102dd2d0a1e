"""YouTube-8M's records, `tf.train.SequenceExample` and `tf.train.Example`, as features."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_video.data.feature_file import StoredFeatures
from keras_video.data.wire_format import (
    LENGTH,
    WireFormatError,
    field,
    read_floats,
    read_integers,
    read_messages,
    read_varint,
    varint,
)

_BYTES, _FLOATS, _INTEGERS = 1, 2, 3  # Fields of tf.train.Feature.
_CONTEXT, _LISTS = 1, 2  # Of SequenceExample; an Example has its features where the context is.
_IDS, _LABELS = ("id", "video_id"), "labels"


def parse_example(data) -> StoredFeatures:
    """Reads a record of YouTube-8M, frame-level or video-level.

    Args:
        data: bytes of a `tf.train.SequenceExample` with the context `id` (or `video_id`) and
            `labels` and a feature list for each modality, one `bytes` (8-bit codes) or list of
            floats a frame; or of a `tf.train.Example`, whose lists of floats are features of one
            frame, such as `mean_rgb`.

    Returns:
        `StoredFeatures`; arrays `(frames, channels)` uint8 or float32.

    Raises:
        WireFormatError: it is no such record.

    Example:

    >>> stored = parse_example(read_record("train0000.tfrecord"))
    >>> {name: array.shape for name, array in stored.arrays.items()}
    {'audio': (255, 128), 'rgb': (255, 1024)}

    Reference:
        https://research.google.com/youtube8m/download.html
    """
    context, arrays, is_sequence = {}, {}, False
    for features in read_messages(data, _CONTEXT):
        context |= _read_map(features)
    for lists in read_messages(data, _LISTS):
        is_sequence = True
        for name, frames in _read_map(lists).items():
            arrays[name] = _read_frames(name, frames)
    if not is_sequence:
        for name, feature in context.items():
            for value in read_messages(feature, _FLOATS):
                if len(floats := read_floats(value)):
                    arrays[name] = floats[None]
    # Maps have no order of their own.
    arrays = dict(sorted(arrays.items()))
    return StoredFeatures(_id_of(context), arrays, _labels_of(context))


def peek_example(head: bytes, size: int) -> tuple[str | None, list[int] | None, int] | None:
    """Id, labels and number of frames of a record, from its first bytes.

    Args:
        head: the first bytes of a record.
        size: of the whole record.

    Returns:
        `None` where that takes the whole record: if it is short, or in another order than usual.
    """
    try:
        tag, position = read_varint(head, 0)
        length, position = read_varint(head, position)
        end = position + length
        if tag != _CONTEXT << 3 | LENGTH or end >= min(size, len(head)):
            return None
        context = _read_map(head[position:end])
        # The feature lists, the first of them, its name and its frames, the first frame.
        tag, position = read_varint(head, end)
        if tag != _LISTS << 3 | LENGTH:
            return None
        length, position = read_varint(head, position)
        if position + length != size:
            return None
        for expected in (1, 1):
            tag, position = read_varint(head, position)
            length, position = read_varint(head, position)
            if tag != expected << 3 | LENGTH:
                return None
        position += length
        tag, position = read_varint(head, position)
        frames, start = read_varint(head, position)
        _, position = read_varint(head, start)
        length, position = read_varint(head, position)
        frame = position - start + length
        if tag != 2 << 3 | LENGTH or frames % frame:
            return None
    except WireFormatError:
        return None
    return _id_of(context), _labels_of(context), frames // frame


def make_example(
    name: str, arrays: Mapping[str, np.ndarray], labels: Sequence[int] | None
) -> bytes:
    """Writes a frame-level record in YouTube-8M's form.

    Args:
        name: of the video.
        arrays: name of each modality -> array `(frames, channels)`, uint8 or floats.
        labels: class numbers, `None` where they are not known.

    Returns:
        Bytes of a `tf.train.SequenceExample`.

    Example:

    >>> make_example("one", {"rgb": np.zeros((300, 1024), "uint8")}, [3, 17])
    b'...'
    """
    encoded = name.encode("utf-8", "surrogateescape")
    context = _map_entry("id", field(_BYTES, field(1, encoded)))
    if labels is not None:
        packed = b"".join(varint(int(label)) for label in labels)
        context += _map_entry(_LABELS, field(_INTEGERS, field(1, packed) if packed else b""))
    lists = b"".join(_map_entry(name, _frames(array)) for name, array in arrays.items())
    return field(_CONTEXT, context) + field(_LISTS, lists)


def _map_entry(name: str, value: bytes) -> bytes:
    return field(1, field(1, name.encode()) + field(2, value))


def _frames(array: np.ndarray) -> bytes:
    """A `FeatureList`: the same few bytes before each row."""
    codes = array.dtype == np.uint8
    rows = array if codes else np.ascontiguousarray(array, "<f4").view(np.uint8)
    size = varint(rows.shape[1])
    value = bytes([1 << 3 | LENGTH]) + size
    value = bytes([(_BYTES if codes else _FLOATS) << 3 | LENGTH]) + _size(value, rows) + value
    value = bytes([1 << 3 | LENGTH]) + _size(value, rows) + value
    before = np.broadcast_to(np.frombuffer(value, np.uint8), (len(rows), len(value)))
    return np.concatenate([before, rows], axis=1).tobytes()


def _size(before: bytes, rows: np.ndarray) -> bytes:
    return varint(len(before) + rows.shape[1])


def _read_map(data) -> dict[str, memoryview]:
    found = {}
    for entry in read_messages(data, 1):
        name = b"".join(map(bytes, read_messages(entry, 1))).decode("utf-8", "replace")
        found[name] = next(read_messages(entry, 2), memoryview(b""))
    return found


def _id_of(context: Mapping) -> str | None:
    for name in _IDS:
        for value in read_messages(context.get(name, b""), _BYTES):
            for text in read_messages(value, 1):
                return bytes(text).decode("utf-8", "surrogateescape")
    return None


def _labels_of(context: Mapping) -> tuple[int, ...] | None:
    if _LABELS not in context:
        return None
    for value in read_messages(context[_LABELS], _INTEGERS):
        return tuple(read_integers(value))
    return ()


def _read_frames(name: str, data: memoryview) -> np.ndarray:
    """All frames at once, if each begins with the same bytes as the first: the usual case."""
    if not len(data):
        return np.zeros((0, 0), np.uint8)
    start, stride, kind = _first_frame(data)
    table = np.frombuffer(data, np.uint8)
    if kind is not None and not len(table) % stride:
        table = table.reshape(-1, stride)
        if (table[:, :start] == table[0, :start]).all():
            rows = table[:, start:]
            return rows if kind == _BYTES else np.ascontiguousarray(rows).view("<f4")
    frames = [_read_frame(frame) for frame in read_messages(data, 1)]
    if not frames:
        raise WireFormatError(f"{name}: the record is no example: a list without frames")
    kinds = {(frame.dtype, len(frame)) for frame in frames}
    if len(kinds) > 1:
        widths = sorted({len(frame) for frame in frames})
        raise WireFormatError(f"{name}: the frames differ in their widths or types: {widths[:5]}")
    return np.stack(frames)


def _first_frame(data: memoryview) -> tuple[int, int, int | None]:
    """Where its numbers start, where it ends, and their kind; no kind if it is not as usual."""
    tag, position = read_varint(data, 0)
    size, position = read_varint(data, position)
    end = position + size
    # A `Feature` with one field, its list, with one field, the numbers.
    tags = [tag]
    for _ in range(2):
        tag, position = read_varint(data, position)
        size, position = read_varint(data, position)
        tags.append(tag)
        if tag & 7 != LENGTH or position + size != end:
            return 0, end, None
    kind = tags[1] >> 3
    usual = tags[0] == tags[2] == 1 << 3 | LENGTH and kind in (_BYTES, _FLOATS)
    if not usual or (kind == _FLOATS and size % 4):
        return 0, end, None
    return position, end, kind


def _read_frame(data: memoryview) -> np.ndarray:
    for value in read_messages(data, _BYTES):
        for codes in read_messages(value, 1):
            return np.frombuffer(codes, np.uint8)
    for value in read_messages(data, _FLOATS):
        return read_floats(value)
    return np.zeros(0, np.uint8)
