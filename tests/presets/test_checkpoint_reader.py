"""Checkpoints are read as arrays; nothing that a file asks for is ever run."""

import collections
import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_video.presets import PresetError, read_checkpoint

ARRAYS = {
    "float32": np.arange(6, dtype="float32").reshape(2, 3),
    "float64": np.linspace(0, 1, 4),
    "float16": np.ones((2, 1, 2), "float16"),
    "int64": np.array([3, -1]),
    "uint8": np.array([0, 255], "uint8"),
    "bool": np.array([True, False]),
    "empty": np.zeros((0, 3), "float32"),
    "scalar": np.array(2.5, "float32"),
    "big endian": np.arange(3, dtype=">f4"),
    "column major": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
}


def write(path, content, protocol=2):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_come_back_exactly(tmp_path, protocol):
    path = write(tmp_path / "a.pdparams", ARRAYS, protocol)
    tensors = read_checkpoint(path)
    assert list(tensors) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(tensors[name], array)
        assert tensors[name].dtype == array.dtype.newbyteorder("=")
        assert tensors[name].flags.c_contiguous and tensors[name].flags.writeable


def test_paddle_s_own_forms_are_known(tmp_path):
    weight = np.ones((2, 2), "float32")

    class Parameter:
        """Paddle 2.1 and later pickle a parameter as tuple((name, array))."""

        def __reduce__(self):
            return tuple, (("linear_0.w_0", weight),)

    content = collections.OrderedDict(
        [("old", weight), ("new", Parameter()), ("StructuredToParameterName@@", {"old": "w"})]
    )
    tensors = read_checkpoint(write(tmp_path / "a.pdparams", content))
    assert list(tensors) == ["old", "new"]
    np.testing.assert_array_equal(tensors["new"], weight)


def test_pickles_of_numpy_1_are_read(tmp_path):
    data = pickle.dumps({"a": np.ones(2, "float32")}, protocol=2)
    old = data.replace(b"numpy._core", b"numpy.core")
    (tmp_path / "a.pdparams").write_bytes(old)
    np.testing.assert_array_equal(read_checkpoint(tmp_path / "a.pdparams")["a"], [1, 1])


@pytest.mark.parametrize("name_length", range(100, 109))
def test_safetensors_are_recognised_whatever_their_length(tmp_path, name_length):
    array = np.arange(3, dtype="float32")
    path = tmp_path / "a.safetensors"
    save_file({"n" * name_length: array}, path)
    np.testing.assert_array_equal(read_checkpoint(path)["n" * name_length], array)


def test_bfloat16_comes_as_float32(tmp_path):
    import ml_dtypes

    save_file({"a": np.array([1.5, -2], ml_dtypes.bfloat16)}, tmp_path / "a.safetensors")
    tensor = read_checkpoint(tmp_path / "a.safetensors")["a"]
    assert tensor.dtype == "float32"
    np.testing.assert_array_equal(tensor, [1.5, -2])


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hostile(trap):
    """Pickles that would create the file `trap`, each in its own way."""
    touch = f"open({str(trap)!r}, 'w')"
    return {
        "os.system": Calls(os.system, f"touch {trap}"),
        "builtins.eval": Calls(eval, touch),
        "builtins.exec": Calls(exec, touch),
        "builtins.open": Calls(open, str(trap), "w"),
        "builtins.getattr": Calls(getattr, Calls(__import__, "os"), "system"),
        "inside an array": np.array([Calls(eval, touch)], dtype=object),
        "numpy.load": Calls(np.load, str(trap)),
        "numpy.memmap": Calls(np.memmap, str(trap), "float32", "w+", 0, (1,)),
        "as a dict's state": Calls(collections.defaultdict, Calls(eval, touch)),
    }


@pytest.mark.parametrize("case", hostile("x"))
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_hostile_pickle_does_not_run(tmp_path, case, protocol):
    trap = tmp_path / "trap"
    content = {"weight": np.ones(2, "float32"), "bad": hostile(trap)[case]}
    path = write(tmp_path / "a.pdparams", content, protocol)
    with pytest.raises(PresetError, match="The checkpoint is refused") as caught:
        read_checkpoint(path)
    assert not trap.exists()
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


RAW = {
    "dotted names": b"\x80\x04\x8c\x05numpy\x8c\x10core.os.system.xx\x93.",
    "a chain of attributes": b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.__new\x93.",
    "an extension code": b"\x80\x02\x82\x01.",
    "a persistent id": b"\x80\x02U\x01aQ.",
    "a called array type": b"\x80\x02cnumpy\nndarray\n)R.",
    "a subclassed array": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n"
    b"cnumpy\ndtype\nK\x00\x85U\x01b\x87R.",
    "new objects of a stand-in": b"\x80\x02cnumpy\ndtype\n)\x81.",
}


@pytest.mark.parametrize("case", RAW)
def test_hand_written_attacks_are_errors(tmp_path, case):
    (tmp_path / "a.pdparams").write_bytes(RAW[case])
    with pytest.raises(PresetError, match="The checkpoint is (refused|damaged)"):
        read_checkpoint(tmp_path / "a.pdparams")


def test_a_file_cannot_change_the_reader(tmp_path):
    # BUILD with slot state sets attributes on what the file was given.
    attack = b"\x80\x02cnumpy\ndtype\nN}U\x05numpyK\x01s\x86b."
    (tmp_path / "attack.pdparams").write_bytes(attack)
    with pytest.raises(PresetError):
        read_checkpoint(tmp_path / "attack.pdparams")
    path = write(tmp_path / "a.pdparams", {"a": np.ones(2, "float32")})
    np.testing.assert_array_equal(read_checkpoint(path)["a"], [1, 1])


@pytest.mark.parametrize(
    "content, message",
    [
        ([1, 2], "holds a list, not a dict of arrays"),
        ({}, "holds no array"),
        ({"a": "text"}, "'a' hold something else"),
        ({"epoch": 3, "a": np.ones(1)}, "'epoch' hold something else"),
        ({"UnpackBigParamInfor@@": {"a": {}}, "a@@.0": np.ones(1)}, "save .* protocol=4"),
        ({"a": np.array(["text"])}, "only plain numbers"),
        ({"a": np.zeros(1, [("x", "f4")])}, "only plain numbers"),
    ],
)
def test_what_is_no_checkpoint_of_arrays_is_named(tmp_path, content, message):
    path = write(tmp_path / "a.pdparams", content)
    with pytest.raises(PresetError, match=message):
        read_checkpoint(path)


@pytest.mark.parametrize("cut", [3, 40, 150, -1])
def test_a_cut_off_pickle_is_named(tmp_path, cut):
    data = pickle.dumps({"a": np.ones(40)}, protocol=4)
    (tmp_path / "a.pdparams").write_bytes(data[:cut])
    with pytest.raises(PresetError, match="damaged or cut off.*a.pdparams"):
        read_checkpoint(tmp_path / "a.pdparams")


def test_a_cut_off_safetensors_file_is_named(tmp_path):
    save_file({"a": np.ones(40)}, tmp_path / "whole")
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:-4])
    with pytest.raises(PresetError, match="damaged.*cut"):
        read_checkpoint(tmp_path / "cut")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PresetError, match="can't be opened: No such file.*absent.pdparams"):
        read_checkpoint(tmp_path / "absent.pdparams")


def pack(path, members, mode):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz")])
def test_archives_with_one_checkpoint_are_read_without_unpacking(tmp_path, name, mode):
    pickled = pickle.dumps({"fc.w": np.arange(3.0)}, protocol=2)
    members = {"weights/tsn.pdopt": b"no matter", "weights/tsn.pdparams": pickled}
    tensors = read_checkpoint(pack(tmp_path / name, members, mode))
    np.testing.assert_array_equal(tensors["fc.w"], np.arange(3.0))
    assert os.listdir(tmp_path) == [name]


def test_archives_that_hold_no_single_checkpoint_are_refused(tmp_path):
    pickled = pickle.dumps({"fc.w": np.arange(3.0)}, protocol=2)
    with pytest.raises(PresetError, match="one .pdparams file; it holds none"):
        read_checkpoint(pack(tmp_path / "a.tar", {"readme.txt": b"hello"}, "w"))
    two = {"a.pdparams": pickled, "b.pdparams": pickled}
    with pytest.raises(PresetError, match="'a.pdparams', 'b.pdparams'"):
        read_checkpoint(pack(tmp_path / "b.tar", two, "w"))
    whole = pack(tmp_path / "c.tar.gz", {"a.pdparams": pickled}, "w:gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PresetError, match="damaged or cut off"):
        read_checkpoint(tmp_path / "cut.tar.gz")
