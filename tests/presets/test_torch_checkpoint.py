"""torch's files are read without torch, and nothing in them but weights is ever built."""

import argparse
import collections
import datetime
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch

from keras_video.presets import PresetError, read_checkpoint

BASE = torch.arange(12.0).reshape(3, 4)
TENSORS = {
    "float32": BASE,
    "float64": BASE.double(),
    "float16": BASE.half(),
    "bfloat16": BASE.bfloat16() / 3,
    "int64": torch.tensor([3, -1]),
    "int32": torch.tensor([3, -1], dtype=torch.int32),
    "int16": torch.tensor([3, -1], dtype=torch.int16),
    "int8": torch.tensor([3, -1], dtype=torch.int8),
    "uint8": torch.tensor([0, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
    "transposed": BASE.T,
    "a part": BASE[1:, ::2],
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
    "parameter": torch.nn.Parameter(BASE + 1),
}


@pytest.fixture(params=["zip", "legacy"])
def save(request, tmp_path):
    """Saves as torch does now, and as it did before 1.6."""

    def save(content, name="a.pth"):
        new = request.param == "zip"
        torch.save(content, tmp_path / name, _use_new_zipfile_serialization=new)
        return tmp_path / name

    return save


def test_tensors_come_back_exactly(save):
    tensors = read_checkpoint(save(TENSORS))
    assert list(tensors) == list(TENSORS)
    for name, tensor in TENSORS.items():
        expected = tensor.detach()
        expected = expected.float() if name == "bfloat16" else expected
        np.testing.assert_array_equal(tensors[name], expected.numpy())
        assert tensors[name].dtype == expected.numpy().dtype
        assert tensors[name].flags.c_contiguous and tensors[name].flags.writeable


def test_tensors_that_share_a_storage_are_apart_afterwards(save):
    tensors = read_checkpoint(save({"a": BASE, "b": BASE, "row": BASE[2]}))
    tensors["a"][:] = 7
    np.testing.assert_array_equal(tensors["b"], BASE.numpy())
    np.testing.assert_array_equal(tensors["row"], BASE[2].numpy())


class Unknown:
    """Pickles by name, as a program's own classes do."""

    def __init__(self):
        self.tensor = BASE


def what_training_saves_besides():
    network = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "optimizer": optimizer.state_dict(),
        "cfg": argparse.Namespace(lr=0.1, name="a"),
        "meta": {"time": datetime.datetime(2020, 1, 2), "unknown": Unknown(), "classes": ("a",)},
        "history": np.array([1.0, 2.0]),
        "best": np.float64(70.5),
        "objects": np.array([Unknown()], dtype=object),
        "function": os.path.join,
        "set": {1, 2},
        "deque": collections.deque([1], maxlen=2),
        "counts": collections.Counter("ab"),
        "best_prec1": torch.tensor(70.5),
    }


@pytest.mark.parametrize("key", ["model_state", "state_dict", "model", "model_state_dict"])
def test_the_state_is_found_among_what_training_saves(save, key):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    path = save({**what_training_saves_besides(), key: network.state_dict()})
    tensors = read_checkpoint(path)
    assert list(tensors) == list(network.state_dict())
    np.testing.assert_array_equal(tensors["0.weight"], network[0].weight.detach().numpy())


def test_the_prefix_of_data_parallelism_goes(save):
    wrapped = {f"module.{name}": tensor for name, tensor in TENSORS.items()}
    assert list(read_checkpoint(save({"state_dict": wrapped}))) == list(TENSORS)
    mixed = {"module.a": BASE, "b": BASE}
    assert list(read_checkpoint(save({"state_dict": mixed}))) == ["module.a", "b"]


class Calls:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call

    def __call__(self):
        """Never called: pickle wants to see something that could be."""


def hostile(trap):
    """Objects whose unpickling would create the file `trap`, each in its own way."""
    touch = f"open({str(trap)!r}, 'w')"
    return {
        "os.system": Calls(os.system, f"touch {trap}"),
        "eval": Calls(eval, touch),
        "open": Calls(open, str(trap), "w"),
        "a chain": Calls(Calls(getattr, Calls(__import__, "os"), "system"), f"touch {trap}"),
        "numpy.memmap": Calls(np.memmap, str(trap), "float32", "w+", 0, (1,)),
        "torch.load": Calls(torch.load, str(trap)),
        "bytes": Calls(torch.storage._load_from_bytes, pickle.dumps(Calls(eval, touch))),
    }


@pytest.mark.parametrize("case", hostile("x"))
def test_a_hostile_file_does_not_run(save, tmp_path, case):
    trap = tmp_path / "trap"
    bad = hostile(trap)[case]
    tensors = read_checkpoint(save({"meta": bad, "state_dict": {"a": BASE}}))
    assert list(tensors) == ["a"]
    with pytest.raises(PresetError, match="'bad' hold something else"):
        read_checkpoint(save({"state_dict": {"a": BASE, "bad": bad}}))
    with pytest.raises(PresetError):
        read_checkpoint(save(bad))
    with pytest.raises(PresetError):
        read_checkpoint(save({"state_dict": bad}))
    assert not trap.exists()


@pytest.mark.parametrize(
    "content, message",
    [
        (torch.nn.Linear(1, 1), "a whole object, torch.nn.modules.linear.Linear, not its weights"),
        ({"model": torch.nn.Linear(1, 1)}, "Linear, under 'model', not its weights"),
        ([BASE], "holds no state dict, neither under model_state"),
        ({"epoch": 3}, "holds no state dict"),
        ({"state_dict": {"a": BASE, "b": "text"}}, "'b' hold something else"),
        ({"state_dict": {"a": BASE.to_sparse()}}, "'a' hold something else"),
        ({"state_dict": {"a": BASE.to(torch.complex64)}}, "('a' hold|a type that isn't read)"),
        ({"state_dict": {"a": BASE.to(torch.float8_e5m2)}}, "('a' hold|a type that isn't read)"),
    ],
)
def test_what_is_no_state_dict_is_named(save, content, message):
    with pytest.raises(PresetError, match=f"{message}.*a.pth"):
        read_checkpoint(save(content))


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.999])
def test_a_cut_off_file_is_named(save, share):
    path = save({"state_dict": TENSORS})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(PresetError, match="damaged or cut off.*a.pth"):
        read_checkpoint(path)


def test_a_file_cut_off_before_an_empty_storage_ends_is_named(save):
    path = save({"a": torch.zeros(0, 3)})
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(PresetError, match="damaged or cut off.*a.pth"):
        read_checkpoint(path)


def rezipped(path, change):
    """The same zip file with other entries."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda e: e.pop("a/data.pkl"), "isn't torch's: it has no data.pkl"),
        (lambda e: e.pop("a/data/0"), "damaged.*the numbers of 'a/data/0' are missing"),
        (lambda e: e.update({"a/data/0": b"1234"}), "damaged.*12 numbers has 4 bytes"),
        (lambda e: e.update({"a/byteorder": b"big"}), "written on a big-endian machine"),
    ],
)
def test_a_zip_that_is_not_whole_is_named(tmp_path, change, message):
    torch.save({"a": BASE}, tmp_path / "a.pth")
    with pytest.raises(PresetError, match=message):
        read_checkpoint(rezipped(tmp_path / "a.pth", change))


def test_a_flipped_bit_is_noticed(tmp_path):
    torch.save({"a": torch.zeros(1000)}, tmp_path / "a.pth")
    data = bytearray((tmp_path / "a.pth").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(PresetError, match="damaged or cut off: BadZipFile"):
        read_checkpoint(tmp_path / "a.pth")


def test_a_zip_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(10**6))
    with pytest.raises(PresetError, match="isn't torch's: it is compressed"):
        read_checkpoint(tmp_path / "a.pth")


def tensor_pickle(size, stride, offset=0, numel=12):
    """The pickle of `{"a": a tensor}` whose description may lie."""
    storage = Storage(("storage", torch.FloatStorage, "0", "cpu", numel))

    class Lie:
        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, (storage, offset, size, stride, False, {})

    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump({"a": Lie()})
    return buffer.getvalue()


class Storage:
    def __init__(self, pid):
        self.pid = pid


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.pid if isinstance(value, Storage) else None


@pytest.mark.parametrize(
    "lie, message",
    [
        ({"size": (4, 4), "stride": (4, 1)}, "reaches beyond its storage of 12 numbers"),
        ({"size": (12,), "stride": (1,), "offset": 1}, "reaches beyond"),
        ({"size": (10**9, 10**9), "stride": (0, 0)}, "reaches beyond"),
        ({"size": (3,), "stride": (-1,), "offset": 5}, "refused: a tensor that isn't made"),
        ({"size": (3, 4), "stride": (1,)}, "refused: a tensor that isn't made"),
        ({"size": ("x",), "stride": (1,)}, "refused: a tensor that isn't made"),
        ({"size": (3,), "stride": (1,), "numel": "x"}, "refused: a storage that isn't made"),
        ({"size": (3,), "stride": (1,), "numel": 10**15}, "damaged.*has 48 bytes"),
    ],
)
def test_a_tensor_that_lies_about_its_size_is_named(tmp_path, lie, message):
    torch.save({"a": BASE}, tmp_path / "a.pth")
    data = tensor_pickle(**lie)
    path = rezipped(tmp_path / "a.pth", lambda entries: entries.update({"a/data.pkl": data}))
    with pytest.raises(PresetError, match=message):
        read_checkpoint(path)


def test_an_old_file_of_another_protocol_is_named(tmp_path):
    data = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1002, {}))
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(PresetError, match="protocol 1002, which isn't read"):
        read_checkpoint(tmp_path / "a.pth")


def test_an_old_file_of_a_big_endian_machine_is_named(tmp_path):
    parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": False})
    (tmp_path / "a.pth").write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
    with pytest.raises(PresetError, match="big-endian"):
        read_checkpoint(tmp_path / "a.pth")


def caffe2(**blobs):
    return pickle.dumps({"blobs": blobs}, protocol=2)


def test_caffe2_s_blobs_are_read(tmp_path):
    weight = np.ones((2, 3), "float32")
    (tmp_path / "a.pkl").write_bytes(caffe2(pred_w=weight, lr=0.1, model_iter=np.array(7)))
    tensors = read_checkpoint(tmp_path / "a.pkl")
    assert list(tensors) == ["pred_w", "lr", "model_iter"]
    np.testing.assert_array_equal(tensors["pred_w"], weight)
    (tmp_path / "a.pkl").write_bytes(caffe2(pred_w=weight, cfg="text"))
    with pytest.raises(PresetError, match="'cfg' hold something else"):
        read_checkpoint(tmp_path / "a.pkl")


def test_a_hostile_caffe2_file_does_not_run(tmp_path):
    trap = tmp_path / "trap"
    bad = Calls(eval, f"open({str(trap)!r}, 'w')")
    (tmp_path / "a.pkl").write_bytes(caffe2(pred_w=np.ones(2), bad=bad))
    with pytest.raises(PresetError, match="The checkpoint is refused"):
        read_checkpoint(tmp_path / "a.pkl")
    assert not trap.exists()
