"""Writes features as TFRecord files of YouTube-8M's form."""

import dataclasses
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_video.data.feature_example import make_example
from keras_video.data.feature_file import StoredFeatures
from keras_video.data.feature_loader import handed_out_as, load_record
from keras_video.data.feature_read_error import FeatureReadError
from keras_video.data.feature_record import FeatureRecord
from keras_video.data.parallel_map import parallel_map
from keras_video.data.tfrecord_file import write_records
from keras_video.data.whole_file import whole_file


@dataclasses.dataclass(frozen=True)
class FeatureShardsReport:
    """What `write_feature_shards` did.

    Args:
        paths: the shards.
        written: number of records in them.
        failures: source and reason of each record that could not be read.
    """

    paths: list[str]
    written: int
    failures: list[tuple[str, str]]


def write_feature_shards(
    records: Iterable[FeatureRecord | StoredFeatures],
    folder: str | os.PathLike,
    *,
    name: str = "train",
    records_per_shard: int = 1000,
    workers: int | None = None,
) -> FeatureShardsReport:
    """Writes features into frame-level TFRecords, as YouTube-8M's are, `train0000.tfrecord`.

    `read_feature_list` and YouTube-8M's own readers read them. uint8 is stored as it is, floats as
    float32. A shard appears under its name when it is complete. A record that cannot be read is
    left out and reported.

    Args:
        records: of `read_feature_list`, or `StoredFeatures(id, arrays, labels)` in memory.
        folder: where the shards go; made if there is none.
        name: what the files' names begin with.
        records_per_shard: records in a file.
        workers: threads that read, by default the number of cores.

    Returns:
        A `FeatureShardsReport`.

    Raises:
        ValueError: the folder has shards of this name, or a number is out of range.
        OSError: a file cannot be written, for example because the disk is full.

    Example:

    >>> video = StoredFeatures("one", {"rgb": np.zeros((300, 1024), "uint8")}, (3, 17))
    >>> write_feature_shards([video], "shards/").paths
    ['shards/train0000.tfrecord']
    """
    if not hasattr(records_per_shard, "__index__") or records_per_shard < 1:
        raise ValueError(
            "`records_per_shard` must be a whole number from 1. "
            f"Received: records_per_shard={records_per_shard!r}"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    there = sorted(folder.glob(f"{name}[0-9]*.tfrecord"))
    if there:
        raise ValueError(
            "The folder has shards of this name. Delete them, or choose another folder or `name`. "
            f"Received: folder={str(folder)!r} with {there[0].name}"
        )
    report = FeatureShardsReport([], 0, [])
    written = 0
    examples = _read(parallel_map(_example, records, workers), report.failures)
    for number in itertools.count():
        part = list(itertools.islice(examples, 1))
        if not part:
            break
        path = folder / f"{name}{number:04d}.tfrecord"
        with whole_file(path) as temporary, open(temporary, "wb") as file:
            rest = itertools.islice(examples, records_per_shard - 1)
            for example in itertools.chain(part, rest):
                write_records(file, [example])
                written += 1
        report.paths.append(str(path))
    return dataclasses.replace(report, written=written)


def _read(examples, failures: list):
    for example in examples:
        if isinstance(example, FeatureReadError):
            failures.append((example.path, example.reason))
        else:
            yield example


def _example(record: FeatureRecord | StoredFeatures) -> bytes | FeatureReadError:
    try:
        if isinstance(record, FeatureRecord):
            arrays = load_record(record, record.features)
            record = StoredFeatures(record.id, arrays, record.labels)
        arrays = {name: _checked(record, name, array) for name, array in record.arrays.items()}
        return make_example(record.id or "", arrays, record.labels)
    except FeatureReadError as error:
        return error


def _checked(record: StoredFeatures, name: str | None, array) -> np.ndarray:
    array = np.asarray(array)
    if not name or array.ndim != 2 or not array.size or handed_out_as(array.dtype) is None:
        raise FeatureReadError(
            str(record.id),
            f"features have a name and are 8-bit codes or floats of shape (frames, channels). "
            f"Received: {name!r}, {array.dtype}, {array.shape}",
        )
    return array
