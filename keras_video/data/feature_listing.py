"""`read_feature_list`: from what a user types to the records of a data set of features."""

import glob
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_video.data.feature_file import FEATURE_SUFFIXES, FeaturePlace
from keras_video.data.feature_list import FeatureList, ListedFeatures
from keras_video.data.feature_pickles import list_pickles
from keras_video.data.feature_read_error import FeatureNotFoundError
from keras_video.data.feature_shard import list_shard
from keras_video.data.parallel_map import parallel_map

_SUFFIXES = "|".join(re.escape(suffix) for suffix in FEATURE_SUFFIXES)
# The last suffix counts: folders may have names such as "x.npy files".
_LINE = re.compile(rf"(?P<path>.+(?:{_SUFFIXES}))(?P<labels>(?:\s+\S+)*)", re.IGNORECASE)


def read_feature_list(
    source: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    root: str | os.PathLike | None = None,
    name: str = "rgb",
    index_cache: str | os.PathLike | bool = True,
    workers: int | None = None,
) -> FeatureList:
    """Lists the features of a file, a folder, a pattern, or a list of files.

    - `.tfrecord`: YouTube-8M's records, frame-level or video-level, see `parse_example`. They are
      looked through once, and an index is kept.
    - `.pkl`, `.pickle`: PaddleVideo's, see `load_pickle`. They are read as a whole to be listed, so
      for large sets convert them, `write_feature_shards(read_feature_list("pkl/"), "shards/")`.
    - `.npy`: one array `(frames, channels)` of floats or 8-bit codes.
    - Any other file is a list: a line `x.npy 3 17` has a file and its class numbers, or a file
      alone; pickles and TFRecords have their labels inside. Paths may contain spaces. Empty lines,
      and those that start with `#`, are left out.

    What cannot be read is listed, too: a `FeatureDataset` names it among its `failures`.

    Args:
        source: a path; a folder, whose files with a suffix of features are taken; a pattern with
            `*`, `?`, `[...]` and `**`; or several of these. The order is that of the names.
        root: the folder that a list's relative paths start from, by default the list's own.
        name: what to call the features of `.npy` files.
        index_cache: where to keep the indexes of TFRecord files: `True` in a folder
            `.feature_index` beside them, a path there, `False` nowhere.
        workers: threads that look into files, by default the number of cores.

    Returns:
        A `FeatureList`, a sequence of `FeatureRecord`s.

    Raises:
        FeatureNotFoundError: there is nothing.
        ValueError: a line that is none; the message names it.

    Example:

    >>> records = read_feature_list("feats/train.list")
    >>> records[0]
    FeatureRecord(id='one', features={'rgb': 'feats/one.npy'}, labels=(3, 17), length=300)
    """
    if isinstance(source, str | os.PathLike):
        paths = _find_files(os.fspath(source))
    else:
        paths = [path for each in source for path in _find_files(os.fspath(each))]
    found = [line for path in paths for line in _lines_of(path, root)]
    listed = parallel_map(lambda line: _list_file(*line, name, index_cache), found, workers)
    return FeatureList.concatenate(_in_few_lists(listed))


def _find_files(source: str) -> list[str]:
    if os.path.isdir(source):
        found = [
            str(path)
            for path in sorted(Path(source).iterdir())
            if path.suffix.lower() in FEATURE_SUFFIXES and not path.name.startswith(".")
        ]
        if not found:
            raise FeatureNotFoundError(
                source, f"no features in this folder, files with a suffix of {FEATURE_SUFFIXES}"
            )
        return found
    if os.path.exists(source):
        return [source]
    if glob.has_magic(source):
        found = [match for match in sorted(glob.glob(source, recursive=True))]
        found = [match for match in found if os.path.isfile(match)]
        if not found:
            raise FeatureNotFoundError(source, "no file matches this pattern")
        return found
    raise FeatureNotFoundError(source, "no such file or folder")


def _lines_of(path: str, root) -> list[tuple[str, tuple[int, ...] | None]]:
    """The files that a file stands for: itself, or those that it lists, with their labels."""
    if path.lower().endswith(FEATURE_SUFFIXES):
        return [(path, None)]
    root = os.path.dirname(path) if root is None else os.fspath(root)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"A list of features is text in UTF-8, other files have a suffix of {FEATURE_SUFFIXES}."
            f" Received: {path}: {error}"
        ) from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        labels = match and match["labels"].split()
        if match is None or not all(label.isdecimal() for label in labels):
            raise ValueError(
                "A line has a file of features and class numbers, such as `one.npy 3 17`. "
                f"Received: {path}, line {number}: {line!r}"
            )
        labels = tuple(map(int, labels)) or None
        if labels and not match["path"].lower().endswith(".npy"):
            raise ValueError(
                "Pickles and TFRecords have their labels inside, a line has none for them. "
                f"Received: {path}, line {number}: {line!r}"
            )
        found.append((os.path.join(root, match["path"]), labels))
    if not found:
        raise ValueError(f"The list has no lines. Received: {path}")
    return found


def _in_few_lists(listed: Iterable[FeatureList | ListedFeatures]) -> Iterator[FeatureList]:
    for single, group in itertools.groupby(listed, lambda part: isinstance(part, ListedFeatures)):
        if single:
            yield FeatureList(group)
        else:
            yield from group


def _list_file(
    path: str, labels: tuple[int, ...] | None, name: str, index_cache
) -> FeatureList | ListedFeatures:
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".tfrecord":
        return list_shard(path, index_cache)
    if suffix != ".npy":
        return FeatureList(list_pickles(path))
    return ListedFeatures(FeaturePlace(path), (name,), Path(path).stem, labels, npy_length(path))


def npy_length(path: str) -> int:
    """Number of frames of a file, from its first bytes; 0 where they cannot be read."""
    try:
        return len(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError, TypeError):
        return 0
