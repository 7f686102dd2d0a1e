"""YouTube-8M's TFRecords: read as TensorFlow reads them, found again, and never trusted."""

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from keras_video.data import FeatureDataset, FeatureReadError, dequantize, read_feature_list
from keras_video.data.feature_example import make_example, parse_example, peek_example
from keras_video.data.feature_file import StoredFeatures, load_features
from keras_video.data.feature_loader import load_record
from keras_video.data.feature_shards import write_feature_shards
from keras_video.data.tfrecord_file import read_record, scan_records, write_records
from keras_video.data.wire_format import WireFormatError

GOLDEN = Path(__file__).parents[1] / "golden" / "youtube8m" / "features.npz"
WIDTHS = {"audio": 3, "rgb": 5}


def video(number, length=None):
    rng = np.random.default_rng(number)
    length = 4 + number if length is None else length
    arrays = {name: rng.integers(0, 256, (length, c), np.uint8) for name, c in WIDTHS.items()}
    return StoredFeatures(f"vid{number}", arrays, (number % 4, 7))


def sequence_example(stored):
    """As YouTube-8M's authors write it, by TensorFlow."""
    import tensorflow as tf

    example = tf.train.SequenceExample()
    example.context.feature["id"].bytes_list.value.append(stored.id.encode())
    example.context.feature["labels"].int64_list.value.extend(stored.labels)
    for name, array in stored.arrays.items():
        frames = example.feature_lists.feature_list[name]
        for row in array:
            frames.feature.add().bytes_list.value.append(row.tobytes())
    return example


def write_shard(path, records):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return path


@pytest.fixture
def shards(tmp_path):
    """Two shards of six videos, as TensorFlow writes them."""
    examples = [sequence_example(video(number)).SerializeToString() for number in range(12)]
    write_shard(tmp_path / "train0000.tfrecord", examples[:6])
    write_shard(tmp_path / "train0001.tfrecord", examples[6:])
    return tmp_path


def assert_same(found, expected):
    assert (found.id, found.labels) == (expected.id, expected.labels)
    assert set(found.arrays) == set(expected.arrays)
    for name, array in expected.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


# === records ===


def test_frame_level_records_are_what_tensorflow_wrote():
    for number in (0, 3):
        assert_same(
            parse_example(sequence_example(video(number)).SerializeToString()), video(number)
        )
    long = StoredFeatures("x" * 300, {"rgb": np.ones((400, 1024), np.uint8)}, tuple(range(50)))
    assert_same(parse_example(sequence_example(long).SerializeToString()), long)


def test_tensorflow_reads_what_is_written_here():
    import tensorflow as tf

    for stored in (video(2), video(0)._replace(labels=())):
        written = make_example(stored.id, stored.arrays, stored.labels)
        assert tf.train.SequenceExample.FromString(written) == sequence_example(stored)
        assert_same(parse_example(written), stored)
    numbers = np.array([3, 3861])
    assert parse_example(make_example("a", {}, numbers)).labels == (3, 3861)
    floats = {"features": np.linspace(-1, 1, 12, dtype=np.float64).reshape(3, 4)}
    written = make_example("f", floats, None)
    example = tf.train.SequenceExample.FromString(written)
    frame = example.feature_lists.feature_list["features"].feature[2].float_list.value
    np.testing.assert_array_equal(np.array(frame, np.float32), floats["features"][2].astype("f4"))
    found = parse_example(written)
    assert found.labels is None and found.arrays["features"].dtype == np.float32
    np.testing.assert_array_equal(found.arrays["features"], floats["features"].astype("f4"))


def test_video_level_records_are_one_frame_of_floats():
    import tensorflow as tf

    example = tf.train.Example()
    example.features.feature["id"].bytes_list.value.append(b"abcd")
    example.features.feature["labels"].int64_list.value.extend([3861, 0])
    example.features.feature["mean_rgb"].float_list.value.extend([0.5, -0.25])
    example.features.feature["mean_audio"].float_list.value.extend([1.0])
    found = parse_example(example.SerializeToString())
    assert (found.id, found.labels) == ("abcd", (3861, 0))
    assert {name: array.tolist() for name, array in found.arrays.items()} == {
        "mean_audio": [[1.0]],
        "mean_rgb": [[0.5, -0.25]],
    }


def test_unusual_but_valid_records_are_read():
    import tensorflow as tf

    stored = video(1)
    example = sequence_example(stored)
    # The older name of the id; frames with an empty field before them; negative numbers.
    del example.context.feature["id"]
    example.context.feature["video_id"].bytes_list.value.append(b"old")
    example.context.feature["labels"].int64_list.value[0] = -1
    found = parse_example(example.SerializeToString())
    assert found.id == "old" and found.labels == (-1, 7)
    # Lists before the context, by joining two messages.
    lists, context = tf.train.SequenceExample(), tf.train.SequenceExample()
    lists.feature_lists.CopyFrom(example.feature_lists)
    context.context.CopyFrom(example.context)
    data = lists.SerializeToString() + context.SerializeToString()
    assert peek_example(data, len(data)) is None
    assert_same(parse_example(data), stored._replace(id="old", labels=(-1, 7)))
    # Numbers that are not packed, as other writers may have it.
    unpacked = bytes.fromhex("0a12 0a10 0a06 6c6162656c73 1206 1a04 0803 0811".replace(" ", ""))
    assert parse_example(unpacked).labels == (3, 17)


def test_frames_of_different_widths_are_an_error():
    example = sequence_example(video(1))
    example.feature_lists.feature_list["rgb"].feature[2].bytes_list.value[0] = b"123456"
    with pytest.raises(WireFormatError, match=r"rgb: the frames differ .* \[5, 6\]"):
        parse_example(example.SerializeToString())


def test_damaged_records_end_in_one_kind_of_error():
    data = sequence_example(video(3)).SerializeToString()
    rng = np.random.default_rng(0)
    for _ in range(400):
        broken = bytearray(data[: rng.integers(1, len(data) + 1)])
        for place in rng.integers(0, len(broken), 3):
            broken[place] = rng.integers(256)
        try:
            parse_example(bytes(broken))
            peek_example(bytes(broken[:60]), len(broken))
        except WireFormatError:
            pass


def test_the_beginning_of_a_record_tells_what_a_list_needs():
    for number in range(4):
        data = sequence_example(video(number, 50)).SerializeToString()
        assert peek_example(data[:200], len(data)) == (f"vid{number}", (number % 4, 7), 50)
        assert peek_example(data[:20], len(data)) is None
    empty = sequence_example(video(1, 0)).SerializeToString()
    assert {name: len(array) for name, array in parse_example(empty).arrays.items()} == {
        "audio": 0,
        "rgb": 0,
    }


# === files ===


def test_records_are_found_by_their_place(shards):
    path = str(shards / "train0000.tfrecord")
    heads = list(scan_records(path, peek=10))
    assert len(heads) == 6 and all(len(head.data) == 10 for head in heads)
    for number in (5, 0, 3):
        assert_same(load_features(f"{path}#{heads[number].offset}"), video(number))


def test_tensorflow_reads_the_files_that_are_written_here(tmp_path):
    import tensorflow as tf

    records = [b"", b"abc", bytes(100_000)]
    with open(tmp_path / "a.tfrecord", "wb") as file:
        write_records(file, records)
    found = tf.data.TFRecordDataset(str(tmp_path / "a.tfrecord")).as_numpy_iterator()
    assert list(found) == records


def test_a_list_of_shards_knows_ids_labels_and_lengths(shards):
    records = read_feature_list(shards / "train*.tfrecord", index_cache=False)
    assert len(records) == 12 and records.highest_label == 7
    assert records.lengths.tolist() == list(range(4, 16))
    for number, record in enumerate(records):
        assert (record.id, record.labels) == (f"vid{number}", (number % 4, 7))
        assert set(record.features) == {"audio", "rgb"}
        arrays = load_record(record, record.features)
        np.testing.assert_array_equal(arrays["rgb"], video(number).arrays["rgb"])
    assert [record.id for record in records[3:9:2]] == ["vid3", "vid5", "vid7"]
    chosen = records.select([11, 0])
    assert [record.labels for record in chosen] == [(3, 7), (0, 7)] and len(chosen.paths) == 2
    with pytest.raises(IndexError):
        records[12]


def age(path):
    """Makes a file old enough for its index to be kept."""
    os.utime(path, ns=(10**18, 10**18))


def test_the_index_is_kept_while_the_shard_stays_the_same(shards, monkeypatch):
    for path in shards.glob("*.tfrecord"):
        age(path)
    first = list(read_feature_list(shards))
    assert sorted(path.name for path in (shards / ".feature_index").iterdir()) == [
        "train0000.tfrecord.index",
        "train0001.tfrecord.index",
    ]

    def refuse(*arguments, **options):
        raise OSError("the shards are not looked through again")

    with monkeypatch.context() as patch:
        patch.setattr("keras_video.data.feature_shard.scan_records", refuse)
        assert list(read_feature_list(shards)) == first
    write_shard(shards / "train0001.tfrecord", [sequence_example(video(1)).SerializeToString()])
    assert [record.id for record in read_feature_list(shards)][6:] == ["vid1"]
    index = shards / ".feature_index" / "train0000.tfrecord.index"
    index.write_bytes(index.read_bytes()[:-1] + b"?")
    assert list(read_feature_list(shards))[:6] == first[:6]


def test_indexes_in_a_folder_of_their_own_are_not_mixed_up(shards, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write_shard(other / "train0000.tfrecord", [sequence_example(video(9)).SerializeToString()])
    for path in (shards / "train0000.tfrecord", other / "train0000.tfrecord"):
        age(path)
    for _ in range(2):
        kept = tmp_path / "kept"
        assert len(read_feature_list(shards / "train0000.tfrecord", index_cache=kept)) == 6
        (record,) = read_feature_list(other, index_cache=kept)
        assert record.id == "vid9"
    assert len(list(kept.iterdir())) == 2 and not (shards / ".feature_index").exists()


def test_where_no_index_can_be_kept_there_is_a_warning(shards):
    age(shards / "train0000.tfrecord")
    (shards / ".feature_index").write_text("")
    with pytest.warns(UserWarning, match="cannot keep indexes"):
        assert len(read_feature_list(shards / "train0000.tfrecord")) == 6


# === damage ===


def damage(shards):
    """Plants a wrong byte in record 2 of the first shard, and cuts off the second after 4."""
    first, second = shards / "train0000.tfrecord", shards / "train0001.tfrecord"
    heads = [list(scan_records(str(path))) for path in (first, second)]
    data = bytearray(first.read_bytes())
    data[heads[0][2].offset + 60] ^= 1
    first.write_bytes(data)
    second.write_bytes(second.read_bytes()[: heads[1][4].offset + 50])


def test_bad_records_of_shards_are_failures_with_path_and_reason(shards, caplog):
    damage(shards)
    records = read_feature_list(shards)
    assert len(records) == 11
    with caplog.at_level(logging.WARNING, "keras_video"):
        data = FeatureDataset(records, num_classes=8, batch_size=4)
        batches = list(data)
    assert [failure.index for failure in data.failures] == [2, 10]
    flipped, cut = data.failures
    assert "train0000.tfrecord#" in flipped.source and "checksum" in flipped.reason
    assert "train0001.tfrecord#" in cut.source and "cut off; the file ends at" in cut.reason
    good = np.concatenate([inputs["rgb_mask"].any(1) for inputs, _ in batches])
    assert np.flatnonzero(~good).tolist() == [2, 10]


def test_a_damaged_beginning_of_a_record_is_named(shards):
    path = shards / "train0000.tfrecord"
    offset = list(scan_records(str(path)))[3].offset
    data = bytearray(path.read_bytes())
    data[offset + 1] ^= 4
    path.write_bytes(data)
    records = read_feature_list(path)
    assert len(records) == 4
    with pytest.raises(FeatureReadError, match=f"tfrecord#{offset}: no record begins here"):
        load_features(records[3].source)


def test_files_that_are_no_shards_are_named(tmp_path):
    for name, content in (("empty", b""), ("text", b"<html>404 Not Found</html>" * 9)):
        (tmp_path / f"{name}.tfrecord").write_bytes(content)
    records = read_feature_list(tmp_path)
    assert [record.features for record in records] == [
        {"rgb": f"{tmp_path}/empty.tfrecord#0"},
        {"rgb": f"{tmp_path}/text.tfrecord#0"},
    ]
    with pytest.raises(FeatureReadError, match="empty"):
        load_features(records[0].source)
    with pytest.raises(FeatureReadError, match="no record begins here"):
        load_features(records[1].source)
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_record(str(tmp_path / "none.tfrecord"))
    with pytest.raises(FeatureReadError, match="not one record can be read"):
        FeatureDataset(records)


def test_a_bad_shard_at_the_start_is_a_failure_with_its_own_reason(shards):
    (shards / "train0000.tfrecord").write_bytes(b"")
    for features in (None, ("rgb", "audio"), {"audio": 3, "rgb": 5}):
        data = FeatureDataset(
            read_feature_list(shards), num_classes=8, features=features, batch_size=7
        )
        assert sorted(data.features) == ["audio", "rgb"] and len(list(data)) == 1
        (failure,) = data.failures
        assert "train0000.tfrecord#0" in failure.source and "is empty" in failure.reason
    with pytest.raises(ValueError, match="has no 'flow'"):
        FeatureDataset(read_feature_list(shards), num_classes=8, features=["flow"])
    (shards / "some.list").write_text("train0000.tfrecord\ntrain0009.tfrecord\n")
    with pytest.raises(FileNotFoundError, match="train0009.tfrecord: there is no such file"):
        read_feature_list(shards / "some.list")


# === the whole way ===


def test_a_data_set_of_shards_gives_codes_masks_and_labels(shards):
    data = FeatureDataset(
        read_feature_list(shards), num_classes=8, batch_size=3, training=True, length_step=4
    )
    assert data.features == WIDTHS
    seen = []
    for inputs, labels in data:
        for row in range(3):
            length = int(inputs["rgb_mask"][row].sum())
            stored = video(length - 4)
            seen.append(length - 4)
            np.testing.assert_array_equal(inputs["rgb"][row, :length], stored.arrays["rgb"])
            np.testing.assert_array_equal(inputs["audio"][row, :length], stored.arrays["audio"])
            assert np.flatnonzero(labels[row]).tolist() == sorted(set(stored.labels))
    assert sorted(seen) == list(range(12))


def test_own_features_are_written_and_read_alike(tmp_path):
    stored = [video(number) for number in range(5)]
    stored[3] = stored[3]._replace(labels=())
    report = write_feature_shards(stored, tmp_path / "out", name="val", records_per_shard=2)
    assert [os.path.basename(path) for path in report.paths] == [
        f"val000{number}.tfrecord" for number in range(3)
    ]
    assert report.written == 5 and not report.failures
    records = read_feature_list(tmp_path / "out")
    for record, expected in zip(records, stored, strict=True):
        assert record.labels == expected.labels
        assert_same(load_features(record.source), expected)
    again = write_feature_shards(records, tmp_path / "again")
    assert again.written == 5
    with pytest.raises(ValueError, match="has shards of this name.*val0000"):
        write_feature_shards(stored, tmp_path / "out", name="val")


def test_what_cannot_be_written_is_reported(tmp_path):
    bad = StoredFeatures("flat", {"rgb": np.zeros(3, np.uint8)}, None)
    missing = read_feature_list_of(tmp_path)
    report = write_feature_shards([video(1), bad, *missing], tmp_path / "out")
    assert report.written == 1
    assert [source for source, _ in report.failures] == ["flat", f"{tmp_path}/gone.npy"]
    assert "(3,)" in report.failures[0][1] and "no such file" in report.failures[1][1]


def read_feature_list_of(folder):
    (folder / "a.list").write_text("gone.npy 1\n")
    return read_feature_list(folder / "a.list")


def test_codes_become_the_references_features():
    golden = np.load(GOLDEN)
    low, high = -2.0, 2.0
    for name in ("rgb", "audio"):
        features, real = golden[name], golden[f"{name}_mask"][:, 0].astype(bool)
        steps = (features[real].astype(np.float64) - low - (high - low) / 512) * 255 / (high - low)
        codes = steps.round().astype(np.uint8)
        assert np.abs(steps - codes).max() < 1e-5 and len(np.unique(codes)) > 200
        np.testing.assert_array_equal(dequantize(codes), features[real])
        np.testing.assert_array_equal(dequantize(codes.astype(np.float32)), features[real])
        assert not features[~real].any()
    assert dequantize(np.array([0, 255]), (0.0, 1.0)).tolist() == [1 / 512, 1 + 1 / 512]
    with pytest.raises(ValueError, match="low and a higher"):
        dequantize(codes, (2.0, -2.0))


def test_the_references_padding_and_labels(tmp_path):
    """`FeatureDecoder` pads to a fixed length and makes rows of labels; so does a data set."""
    golden = np.load(GOLDEN)
    arrays = {name: golden[name][golden[f"{name}_mask"][:, 0] > 0] for name in ("rgb", "audio")}
    labels = tuple(np.flatnonzero(golden["labels"]).tolist())
    write_feature_shards([StoredFeatures("golden", arrays, labels)], tmp_path)
    data = FeatureDataset(
        read_feature_list(tmp_path), num_classes=3862, max_frames=24, length_step=24
    )
    inputs, targets = data.batch(0)
    for name in ("rgb", "audio"):
        np.testing.assert_array_equal(inputs[name][0], golden[name])
        np.testing.assert_array_equal(inputs[f"{name}_mask"][0], golden[f"{name}_mask"][:, 0])
    np.testing.assert_array_equal(targets[0], golden["labels"])
