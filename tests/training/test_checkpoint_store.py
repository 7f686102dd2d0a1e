"""Checkpoints: what was saved comes back, and nothing that happens leaves a broken one."""

import json
import random
import resource
import subprocess
import sys
import time

import ml_dtypes
import numpy as np
import pytest

from keras_video.training import CheckpointError, CheckpointStore

ARRAYS = {"kernel": np.arange(6, dtype="float32").reshape(2, 3), "bias": np.zeros(3, "float32")}


def save_steps(store, *steps, best=None):
    for step in steps:
        store.save(step, {"step": np.full(100, step)}, {"step": step}, best=step == best)


def folders(store):
    return sorted(path.name for path in store.directory.iterdir())


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints", keep=2)


def test_arrays_come_back_with_their_types_and_shapes(store):
    arrays = {
        "half": np.array([1.5, -2], "float16"),
        "brain": np.array([[1.5], [3e38]], ml_dtypes.bfloat16),
        "scalar": np.array(7, "int64"),
        "seed": np.array([1, 2**32 - 1], "uint32"),
        "mask": np.array([True, False]),
        "strided": np.arange(12.0).reshape(3, 4).T[::2],
        "empty": np.zeros((0, 3), "float32"),
        "a/b kernel": np.array([np.nan, np.inf], "float32"),
    }
    store.save(3, arrays, {})
    read = store.latest().arrays()
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape
        np.testing.assert_array_equal(read[name], array)


def test_state_comes_back(store):
    generator = np.random.default_rng(3)
    state = {
        "epoch": np.int64(3),
        "best": {"top1": np.float32(0.5), "loss": float("inf")},
        "data": {"order": [1, 2, None], "names": ["é", "b"]},
        "generator": generator.bit_generator.state,
    }
    store.save(7, ARRAYS, state, best=True)
    checkpoint = store.latest()
    assert (checkpoint.step, checkpoint.best) == (7, True)
    assert checkpoint.state == state


def test_arrays_in_the_state_are_refused_and_nothing_is_left(store):
    with pytest.raises(TypeError, match="among its arrays. Received: ndarray"):
        store.save(1, ARRAYS, {"kernel": np.zeros(3)})
    assert folders(store) == []


def test_a_new_store_is_empty(store):
    assert store.latest() is None
    assert store.best() is None
    assert CheckpointStore(store.directory / "nowhere", write=False).latest() is None


def test_the_latest_and_the_best_are_kept(store):
    save_steps(store, 1, 2, 3, 4, best=2)
    assert folders(store) == ["step_000000002", "step_000000003", "step_000000004"]
    assert store.latest().step == 4
    assert store.best().step == 2
    save_steps(store, 5, best=5)
    assert folders(store) == ["step_000000004", "step_000000005"]
    assert store.best().step == 5


def test_the_same_step_may_be_saved_again(store):
    save_steps(store, 1, 2)
    store.save(2, ARRAYS, {"again": True})
    assert store.latest().state == {"again": True}
    assert folders(store) == ["step_000000001", "step_000000002_2"]
    store.save(2, ARRAYS, {"again": 3}, best=True)
    store.save(2, ARRAYS, {"again": 4})
    assert store.latest().state == {"again": 4}
    assert store.best().state == {"again": 3}


def test_a_step_before_the_latest_is_refused(store):
    save_steps(store, 30)
    with pytest.raises(CheckpointError, match="later checkpoint, step_000000030.*Received: step=2"):
        save_steps(store, 2)


def test_keep_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="1 or more. Received: keep=0"):
        CheckpointStore(tmp_path, keep=0)


def test_readers_change_nothing(store, tmp_path):
    save_steps(store, 1)
    (store.directory / "step_000000002.partial").mkdir()
    reader = CheckpointStore(store.directory, write=False)
    assert reader.save(5, ARRAYS, {}) is None
    assert reader.latest().step == 1
    assert folders(store) == ["step_000000001", "step_000000002.partial"]
    CheckpointStore(tmp_path / "elsewhere", write=False)
    assert not (tmp_path / "elsewhere").exists()


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [truncate, flip_a_bit, lambda path: path.unlink()])
@pytest.mark.parametrize("name", ["arrays.safetensors", "checkpoint.json"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(store, harm, name):
    save_steps(store, 1, 2)
    harm(store.directory / "step_000000002" / name)
    reader = CheckpointStore(store.directory, write=False)
    with pytest.warns(UserWarning, match=f"step 2 is damaged and not used: {name}"):
        assert reader.latest().step == 1
    with pytest.warns(UserWarning, match="It lies in .*damaged_step_000000002"):
        checkpoint = store.latest()
    assert checkpoint.step == 1
    np.testing.assert_array_equal(checkpoint.arrays()["step"], np.full(100, 1))
    # The run goes on from there without another word.
    save_steps(store, 2)
    assert store.latest().step == 2


def test_a_damaged_best_checkpoint_is_an_error(store):
    save_steps(store, 1, 2, best=1)
    truncate(store.directory / "step_000000001" / "arrays.safetensors")
    with pytest.raises(CheckpointError, match="best checkpoint, .*step_000000001, is damaged"):
        store.best()


def test_a_checkpoint_of_a_later_version_is_an_error(store, monkeypatch):
    monkeypatch.setattr("keras_video.training.checkpoint._FORMAT", 2)
    save_steps(store, 1)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="update keras_video. Received: format 2"):
        store.latest()


def test_a_full_disk_leaves_the_last_checkpoint(store):
    save_steps(store, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal that comes with it: the write fails, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(CheckpointError, match="step 2 can't be saved: .*00001, is untouched"):
            store.save(2, {"large": np.zeros(1_000_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert folders(store) == ["step_000000001"]
    assert store.latest().step == 1
    save_steps(store, 2)
    assert store.latest().step == 2


def test_a_full_disk_at_any_write_leaves_the_last_checkpoint(store, monkeypatch):
    save_steps(store, 1, best=1)
    for name in ("os.rename", "os.fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(name, lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
            with pytest.raises(CheckpointError, match="No space left"):
                save_steps(store, 2)
        assert folders(store) == ["step_000000001"]


SAVE_IN_A_LOOP = """
import sys
import numpy as np
from keras_video.training import CheckpointStore
store = CheckpointStore(sys.argv[1], keep=2)
checkpoint = store.latest()
step = checkpoint.step if checkpoint else 0
while True:
    step += 1
    arrays = {str(number): np.full(50_000, step + number) for number in range(4)}
    store.save(step, arrays, {"step": step}, best=step % 5 == 0)
    print(step, flush=True)
"""


def check_whole(store, at_least):
    checkpoint = store.latest()
    assert checkpoint.step >= at_least
    assert checkpoint.state == {"step": checkpoint.step}
    for name, array in checkpoint.arrays().items():
        assert (array == checkpoint.step + int(name)).all()
    best = checkpoint.step // 5 * 5
    assert (store.best().step if best else store.best()) == (best or None)


def test_a_kill_at_a_random_moment_leaves_whole_checkpoints(tmp_path):
    moments = random.Random(0)
    for _ in range(6):
        command = [sys.executable, "-c", SAVE_IN_A_LOOP, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            lines = [process.stdout.readline()]
            time.sleep(moments.uniform(0, 0.1))
            process.kill()
            lines += process.stdout.readlines()
        saved = max(int(line) for line in lines if line.endswith("\n"))
        check_whole(CheckpointStore(tmp_path, keep=2), at_least=saved)
        assert len(list(tmp_path.iterdir())) <= 4


# Python tells its audit hooks of every change to files before it happens.
EXIT_AT_EACH_CHANGE = """
import os, shutil, sys
import numpy as np
from keras_video.training import CheckpointStore
number = 0
while True:
    number += 1
    child = os.fork()
    if child == 0:
        store = CheckpointStore(os.path.join(sys.argv[1], str(number)), keep=1)
        save = lambda step: store.save(step, {"0": np.full(9, step)}, {"step": step}, step == 5)
        save(4)
        changes = 0
        def exit_at_the_change(event, arguments):
            global changes
            if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"):
                changes += 1
                if changes == number:
                    os._exit(9)
        sys.addaudithook(exit_at_the_change)
        save(5)
        save(6)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(number - 1)
"""


def test_an_end_before_any_change_to_a_file_leaves_whole_checkpoints(tmp_path):
    command = [sys.executable, "-c", EXIT_AT_EACH_CHANGE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) > 20
    seen = set()
    for directory in tmp_path.iterdir():
        store = CheckpointStore(directory, keep=1)
        seen.add(store.latest().step)
        check_whole(store, at_least=4)
        assert all(path.name.startswith("step_") for path in directory.iterdir())
    assert seen == {4, 5, 6}


def test_files_can_be_read_by_the_group(store):
    save_steps(store, 1)
    path = store.directory / "step_000000001"
    modes = {file.stat().st_mode & 0o777 for file in path.iterdir()}
    assert len(modes) == 1
    assert json.loads((path / "checkpoint.json").read_text())["step"] == 1
