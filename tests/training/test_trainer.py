"""`Trainer`: what a run leaves behind, and how it goes on after an end of any kind."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from training.run_trainer import TESTS, Colours, clips, make_trainer
from training.workers import start_workers

from keras_video.training import (
    CheckpointStore,
    CsvLog,
    NonFiniteLossError,
    RunMismatchError,
    checkpoint_store,
)


def weights(model) -> np.ndarray:
    return np.concatenate([np.ravel(keras.ops.convert_to_numpy(v)) for v in model.weights])


def last_arrays(workdir) -> dict:
    return CheckpointStore(workdir / "checkpoints", write=False).latest().arrays()


def rows(file) -> list[dict]:
    with open(file, newline="") as lines:
        return list(csv.DictReader(lines))


def start(workdir, **options) -> subprocess.Popen:
    """The same run as a process."""
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
    script = TESTS / "training" / "run_trainer.py"
    return subprocess.Popen(
        [sys.executable, str(script), str(workdir), json.dumps(options)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_for_step(workdir, step: int, process: subprocess.Popen) -> None:
    """Returns once a checkpoint of that step is there."""
    while not any((workdir / "checkpoints").glob(f"step_{step:09d}*")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """A run that nothing disturbed: its directory and its result."""
    workdir = tmp_path_factory.mktemp("complete")
    return workdir, make_trainer(workdir).run()


def test_a_run_learns_and_says_how_well(complete):
    workdir, result = complete
    assert result["finished"] and result["epoch"] == 3 and result["step"] == 15
    validation = rows(workdir / "validation.csv")
    assert [row["epoch"] for row in validation] == ["1", "2", "3"]
    assert result["top1"] == pytest.approx(max(float(row["top1"]) for row in validation))
    train = rows(workdir / "train.csv")
    assert [int(row["step"]) for row in train] == [2, 4, 6, 8, 10, 12, 14]
    rates = [float(row["learning_rate"]) for row in train]
    assert rates[0] < rates[1] > rates[-1] > 0
    assert all(0 <= float(row["accuracy"]) <= 1 for row in train)
    assert json.loads((workdir / "config.json").read_text()) == {"epochs": 3}


def test_a_run_ends_with_a_preset_of_the_best_weights(complete):
    workdir, result = complete
    model = Colours.from_preset(workdir / "preset")
    logits = model.predict(clips(14, 1)[0], verbose=0)
    assert np.mean(logits.argmax(-1) == clips(14, 1)[1]) == pytest.approx(result["top1"])
    metadata = json.loads((workdir / "preset" / "metadata.json").read_text())
    assert metadata["metrics"]["top1"] == pytest.approx(100 * result["top1"])


def test_a_complete_run_is_not_done_again(complete):
    workdir, result = complete
    before = (workdir / "train.csv").read_text()
    assert make_trainer(workdir).run() == result
    assert (workdir / "train.csv").read_text() == before


@pytest.mark.slow
def test_killed_and_terminated_runs_end_with_the_weights_of_an_undisturbed_one(complete, tmp_path):
    killed = start(tmp_path, slow=0.1)
    wait_for_step(tmp_path, 3, killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()

    terminated = start(tmp_path, slow=0.1)
    wait_for_step(tmp_path, 6, terminated)
    terminated.send_signal(signal.SIGTERM)
    output = terminated.communicate()[0]
    assert terminated.returncode == 0, output
    assert '"finished": false' in output and "Stopped by SIGTERM" in output

    assert make_trainer(tmp_path).run() == pytest.approx(complete[1], rel=1e-5)
    expected = last_arrays(complete[0])
    for name, array in last_arrays(tmp_path).items():
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-6, err_msg=name)
    steps = [int(row["step"]) for row in rows(tmp_path / "train.csv")]
    assert steps == sorted(set(steps)) and steps[-1] == 14


@pytest.mark.slow
def test_a_lost_worker_is_named_and_the_run_resumes(tmp_path):
    options = {"strategy": "multi_worker", "trainer": {"log_every": 1}}
    dying = json.dumps({**options, "die_at": 8, "dying_worker": 1})
    with start_workers("run_trainer.py", str(tmp_path), dying) as workers:
        first, _ = workers.wait(expected=(1, 9))
    assert "WorkerLostError: Lost worker 1 (127.0.0.1:" in first
    with start_workers("run_trainer.py", str(tmp_path), json.dumps(options)) as workers:
        first, second = workers.wait()
    assert "Resuming from step" in first
    results = [output[output.index("RESULT") :].splitlines()[0] for output in (first, second)]
    assert results[0] == results[1] and '"finished": true' in results[0]


@pytest.mark.slow
def test_a_signal_to_one_worker_saves_and_stops_all(tmp_path):
    options = json.dumps({"strategy": "multi_worker", "slow": 0.2, "epochs": 50})
    with start_workers("run_trainer.py", str(tmp_path), options) as workers:
        wait_for_step(tmp_path, 3, workers.processes[0])
        workers.processes[1].send_signal(signal.SIGTERM)
        first, second = workers.wait()
    assert "Stopped by another worker" in first
    assert '"finished": false' in first and '"finished": false' in second
    result = json.loads(second.rpartition("RESULT")[2])
    checkpoint = CheckpointStore(tmp_path / "checkpoints", write=False).latest()
    assert checkpoint.step == result["step"] < 250


def test_a_loss_that_is_no_number_stops_the_run_and_leaves_its_batch(tmp_path):
    with pytest.raises(NonFiniteLossError, match="loss of step 7 is nan") as caught:
        make_trainer(tmp_path, nan_at=6).run()
    with np.load(caught.value.batch) as batch:
        assert np.isnan(batch["clips"]).all() and batch["clips"].shape == (8, 2, 12, 12, 3)
    assert CheckpointStore(tmp_path / "checkpoints").latest().step <= 6


def test_a_full_disk_costs_a_checkpoint_and_not_the_run(complete, tmp_path, monkeypatch, capfd):
    write = checkpoint_store.write_checkpoint

    def write_where_there_is_space(folder, step, *arguments):
        if step == 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(folder, step, *arguments)

    monkeypatch.setattr(checkpoint_store, "write_checkpoint", write_where_there_is_space)
    assert make_trainer(tmp_path).run() == pytest.approx(complete[1], rel=1e-5)
    assert "can't be saved: [Errno 28] No space left on device" in capfd.readouterr().err


class Answers:
    """An evaluator whose results are known beforehand."""

    def __init__(self, *results):
        self.results = list(results)

    def evaluate(self):
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return {"top1": result}


def test_a_preset_says_what_its_own_weights_reach(tmp_path, monkeypatch):
    write = checkpoint_store.write_checkpoint

    def fail_at_the_best(folder, step, arrays, state, best):
        if best and step == 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(folder, step, arrays, state, best)

    monkeypatch.setattr(checkpoint_store, "write_checkpoint", fail_at_the_best)
    result = make_trainer(tmp_path, trainer={"evaluator": Answers(0.1, 0.9, 0.2)}).run()
    metadata = json.loads((tmp_path / "preset" / "metadata.json").read_text())
    assert metadata["metrics"] == {"top1": pytest.approx(20)} and result["top1"] == 0.2


def test_an_evaluation_that_fails_costs_no_training(complete, tmp_path):
    with pytest.raises(MemoryError):
        make_trainer(tmp_path, trainer={"evaluator": Answers(MemoryError())}).run()
    assert CheckpointStore(tmp_path / "checkpoints").latest().step == 5
    trainer = make_trainer(tmp_path)
    trainer.run()
    assert [row["epoch"] for row in rows(tmp_path / "validation.csv")] == ["1", "2", "3"]
    expected = last_arrays(complete[0])
    for name, array in last_arrays(tmp_path).items():
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-6, err_msg=name)


def test_a_full_disk_costs_rows_of_the_log_and_not_the_run(tmp_path, monkeypatch, capfd):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(CsvLog, "append", full)
    assert make_trainer(tmp_path).run()["finished"]
    assert capfd.readouterr().err.count("rows of the log are lost") == 1


def test_fewer_epochs_than_were_done_are_refused(tmp_path):
    with pytest.raises(MemoryError):
        make_trainer(tmp_path, trainer={"evaluator": Answers(0.5, 0.6, MemoryError())}).run()
    options = {"allow_changes": True, "config": {"epochs": 2}}
    with pytest.raises(RunMismatchError, match="has done 2 epochs already. .*num_epochs=2"):
        make_trainer(tmp_path, epochs=2, trainer=options).run()
    assert json.loads((tmp_path / "config.json").read_text()) == {"epochs": 3}


def test_averaged_weights_are_evaluated_and_published(tmp_path):
    trainer = make_trainer(tmp_path, ema=True)
    result = trainer.run()
    model = Colours.from_preset(tmp_path / "preset")
    arrays = CheckpointStore(tmp_path / "checkpoints").best().arrays()
    kernel = "classifier/kernel"
    shape = arrays[f"model/{kernel}"].shape
    (average,) = (a for n, a in arrays.items() if "average" in n and a.shape == shape)
    published = next(v for v in model.weights if v.path == kernel).numpy()
    np.testing.assert_allclose(published, average, rtol=1e-6)
    assert np.abs(published - arrays[f"model/{kernel}"]).max() > 1e-4
    logits = model.predict(clips(14, 1)[0], verbose=0)
    assert np.mean(logits.argmax(-1) == clips(14, 1)[1]) == pytest.approx(result["top1"])


def test_a_run_without_progress_ends_early(tmp_path):
    trainer = make_trainer(tmp_path, epochs=50, trainer={"patience": 1})
    result = trainer.run()
    validation = rows(tmp_path / "validation.csv")
    assert result["finished"] and result["epoch"] == len(validation) < 50
    best = max(range(len(validation)), key=lambda i: (float(validation[i]["top1"]), -i))
    assert best == len(validation) - 2


def test_a_complete_run_goes_on_with_more_epochs(tmp_path):
    first = make_trainer(tmp_path, epochs=2).run()
    second = make_trainer(tmp_path, epochs=3, trainer={"allow_changes": True}).run()
    assert (first["step"], second["step"]) == (10, 15) and second["finished"]
    metadata = json.loads((tmp_path / "preset" / "metadata.json").read_text())
    assert metadata["metrics"]["top1"] == pytest.approx(100 * second["top1"])


def test_another_configuration_is_refused(complete):
    with pytest.raises(ValueError, match="epochs: 3 -> 4"):
        make_trainer(complete[0], epochs=4).run()


def test_batches_must_fit_the_micro_batches(tmp_path):
    with pytest.raises(ValueError, match="batch_size=8, 1 replicas, accumulate=3"):
        make_trainer(tmp_path, accumulate=3)
