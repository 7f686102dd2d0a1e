"""Lists of features: `.npy` files with labels, and PaddleVideo's pickles."""

import io
import pickle
import pickletools
import re

import numpy as np
import pytest

from keras_video.data import FeatureDataset, FeatureList, FeatureReadError, read_feature_list
from keras_video.data.feature_file import FeaturePlace, load_features
from keras_video.data.feature_loader import load_record
from keras_video.data.feature_record import FeatureRecord
from keras_video.data.feature_shards import write_feature_shards


def save(path, length=3, width=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.arange(length * width, dtype=np.float32).reshape(length, width))
    return path


# === lists of .npy files ===


def test_a_line_has_a_path_and_labels(tmp_path):
    for name in ("a.npy", "b c/two 7.npy", "x.npy files 3/d.npy"):
        save(tmp_path / name, length=len(name))
    (tmp_path / "train.list").write_text(
        "\ufeffa.npy 3 17 4\n\n# b.npy 1\nb c/two 7.npy 1 \nx.npy files 3/d.npy\t0\n",
        encoding="utf-8",
    )
    records = read_feature_list(tmp_path / "train.list")
    assert [record.labels for record in records] == [(3, 17, 4), (1,), (0,)]
    assert [record.id for record in records] == ["a", "two 7", "d"]
    assert [record.length for record in records] == [5, 13, 19]
    assert records[1].features == {"rgb": str(tmp_path / "b c" / "two 7.npy")}
    assert load_record(records[1], ["rgb"])["rgb"].shape == (13, 2)


def test_relative_paths_start_from_the_list_or_another_folder(tmp_path):
    save(tmp_path / "feats" / "a.npy")
    (tmp_path / "train.list").write_text("a.npy 3\n")
    (record,) = read_feature_list(tmp_path / "train.list", root=tmp_path / "feats", name="clip")
    assert record == FeatureRecord("a", {"clip": str(tmp_path / "feats/a.npy")}, (3,), 3)
    (record,) = read_feature_list(tmp_path / "train.list")
    assert record.length == 0
    with pytest.raises(FileNotFoundError, match="a.npy: there is no such file"):
        load_features(record.source)


def test_folders_patterns_and_several_sources(tmp_path):
    for number in (2, 1):
        save(tmp_path / "x" / f"{number}.npy")
    save(tmp_path / "y" / "[3].npy")
    (tmp_path / "x" / ".hidden.npy").write_bytes(b"")
    (tmp_path / "x" / "notes.txt").write_text("no features")
    assert [record.id for record in read_feature_list(tmp_path / "x")] == ["1", "2"]
    assert [record.id for record in read_feature_list(f"{tmp_path}/**/*.npy")] == ["1", "2", "[3]"]
    both = read_feature_list([tmp_path / "y" / "[3].npy", tmp_path / "x"])
    assert [record.id for record in both] == ["[3]", "1", "2"]
    assert both[0].labels is None and both.highest_label is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.npy three", "line 2: 'a.npy three'"),
        ("a.npy 3 -1", "file of features and class numbers"),
        ("a.mp4 3", "such as `one.npy 3 17`"),
        ("a.pkl 3", "labels inside.*'a.pkl 3'"),
    ],
)
def test_lines_that_are_none_are_named(tmp_path, line, message):
    (tmp_path / "train.list").write_text(f"a.npy 1\n{line}\n")
    with pytest.raises(ValueError, match=message):
        read_feature_list(tmp_path / "train.list")


def test_sources_with_nothing_in_them_are_errors(tmp_path):
    (tmp_path / "empty.list").write_text("# nothing\n")
    (tmp_path / "clip.mp4").write_bytes(b"\xff\xfe\x00\x9c")
    for source, message in (
        ("empty.list", "has no lines"),
        ("clip.mp4", "text in UTF-8"),
        ("none.list", "no such file or folder"),
        ("*.npy", "no file matches"),
        (".", "no features in this folder"),
    ):
        with pytest.raises(ValueError, match=message):
            read_feature_list(tmp_path / source)


def test_a_place_is_a_path_or_a_path_and_a_byte():
    for text, parts in {
        "x.npy": ("x.npy", 0, None),
        "a#1/x.npy": ("a#1/x.npy", 0, None),
        "x.pkl#12": ("x.pkl", 12, None),
        "x.pkl#0:3": ("x.pkl", 0, 3),
        "x.tfrecord#0": ("x.tfrecord", 0, None),
    }.items():
        place = FeaturePlace.parse(text)
        assert place == parts and str(place) == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": {}}, "where each modality is"),
        ({"features": "a.npy"}, "where each modality is"),
        ({"labels": "12"}, "class numbers, or None"),
        ({"labels": [0.5]}, "whole numbers"),
        ({"length": -1}, "length=-1"),
    ],
)
def test_records_say_what_they_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        FeatureRecord(**{"id": "one", "features": {"rgb": "a.npy"}, **arguments})


def test_lists_of_no_files():
    assert len(FeatureList()) == 0 and len(FeatureList.concatenate([])) == 0
    with pytest.raises(FeatureReadError, match="suffix"):
        load_features("clip.mp4")


# === pickles ===


def video(number, length=4):
    rng = np.random.default_rng(number)
    return {
        "video": f"vid{number}".encode(),
        "feature": rng.integers(0, 256, (length, 6), np.uint8),
        "audio": rng.integers(0, 256, (length, 2), np.uint8),
        "label": [number, 9],
        "nframes": np.int64(length),
    }


def as_python_2(content):
    """The pickle that Python 2 would write: all text, also that of arrays, as bytes."""
    written = io.BytesIO()
    for opcode, argument, _ in pickletools.genops(pickle.dumps(content, 2)):
        if opcode.name == "BINUNICODE" and isinstance(argument, str):
            data = argument.encode("latin1")
            written.write(b"T" + len(data).to_bytes(4, "little") + data)
        else:
            written.write(_reencode(opcode, argument))
    return written.getvalue()


def _reencode(opcode, argument):
    code = opcode.code.encode("latin1")
    if opcode.name == "PROTO":
        return code + bytes([argument])
    if opcode.name in ("BINPUT", "BININT1", "BINGET"):
        return code + bytes([argument])
    if opcode.name == "BININT2":
        return code + argument.to_bytes(2, "little")
    if opcode.name == "BININT":
        return code + argument.to_bytes(4, "little", signed=True)
    if opcode.name == "GLOBAL":
        module, name = argument.split(" ")
        return code + f"{module}\n{name}\n".encode()
    if argument is None:
        return code
    raise NotImplementedError(opcode.name)


def assert_is(stored, number, length=4):
    expected = video(number, length)
    assert (stored.id, stored.labels) == (f"vid{number}", (number, 9))
    np.testing.assert_array_equal(stored.arrays["rgb"], expected["feature"])
    np.testing.assert_array_equal(stored.arrays["audio"], expected["audio"])


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_every_protocol(tmp_path, protocol):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(video(1), protocol))
    (record,) = read_feature_list(tmp_path / "a.pkl")
    assert record.features == {"rgb": f"{tmp_path}/a.pkl", "audio": f"{tmp_path}/a.pkl"}
    assert (record.id, record.labels, record.length) == ("vid1", (1, 9), 4)
    assert_is(load_features(record.source), 1)


def test_pickles_of_python_2_and_of_bytes_keys(tmp_path):
    plain = {**video(2), "video": "vid2", "nframes": 4}
    (tmp_path / "a.pkl").write_bytes(as_python_2(plain))
    bytes_keys = {key.encode(): value for key, value in video(2).items()}
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(bytes_keys, 2))
    for record in read_feature_list(tmp_path):
        assert_is(load_features(record.source), 2)


def test_only_the_frames_that_count_are_read(tmp_path):
    content = {**video(1), "nframes": 2}
    del content["label"], content["video"], content["audio"]
    (tmp_path / "some video.pkl").write_bytes(pickle.dumps(content))
    (record,) = read_feature_list(tmp_path)
    assert record.labels is None and record.length == 2 and record.id == "some video.pkl"
    assert load_features(record.source).arrays["rgb"].shape == (2, 6)


def test_several_pickles_in_a_file_and_lists_of_videos(tmp_path):
    with open(tmp_path / "a.pkl", "wb") as file:
        pickle.dump(video(0), file, 2)
        pickle.dump([video(1), video(2, 7)], file, 2)
        pickle.dump(video(3), file, 4)
    records = read_feature_list(tmp_path)
    assert [record.id for record in records] == ["vid0", "vid1", "vid2", "vid3"]
    assert records.lengths.tolist() == [4, 4, 7, 4]
    for number in (3, 2, 0, 1):
        assert_is(load_features(records[number].source), number, 7 if number == 2 else 4)
    report = write_feature_shards(records, tmp_path / "shards")
    assert report.written == 4
    data = FeatureDataset(read_feature_list(tmp_path / "shards"), num_classes=10, length_step=7)
    assert data.batch(0)[0]["rgb_mask"].sum(1).tolist() == [4, 4, 7, 4]


def test_lists_of_pickles(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(video(1)))
    (tmp_path / "train.list").write_text("gone.pkl\na.pkl\n")
    records = read_feature_list(tmp_path / "train.list")
    assert [record.labels for record in records] == [None, (1, 9)]
    with pytest.raises(FileNotFoundError, match="gone.pkl: there is no such file"):
        load_features(records[0].source)


class Evil:
    def __reduce__(self):
        return print, ("this must not run",)


def test_what_is_no_video_is_named_and_never_run(tmp_path, capsys):
    whole = pickle.dumps(video(1), 2)
    contents = {
        "a cut": whole[:-30],
        "b empty": b"",
        "c evil": pickle.dumps({"feature": Evil()}),
        "d text": pickle.dumps("a text"),
        "e nothing": pickle.dumps({"audio": [1, 2]}),
        "f label": pickle.dumps({**video(1), "label": ["cat"]}),
        "g second": whole + whole[:20],
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.pkl").write_bytes(content)
    records = read_feature_list(tmp_path)
    assert len(records) == 8
    reasons = []
    for record in records:
        try:
            load_features(record.source)
        except FeatureReadError as error:
            reasons.append(error.reason)
    for reason, words in zip(
        reasons,
        (
            "damaged or cut off",
            "empty",
            "refused.*builtins.print",
            "pickled as a dict. Received: str",
            r"arrays `feature` and `audio`. Received: \['audio'\]",
            "whole numbers.*cat",
            "damaged or cut off",
        ),
        strict=True,
    ):
        assert re.search(words, reason), reason
    assert "must not run" not in capsys.readouterr().out
