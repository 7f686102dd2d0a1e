"""The directory of a run: one configuration, one process, logs that can be rewound."""

import json
import re
import subprocess
import sys

import ml_collections
import pytest

from keras_video.training import CsvLog, RunDirectory

CONFIG = {"num_epochs": 50, "optimizer": {"name": "sgd", "rate": 0.01}, "crop": (224, 224)}


def test_a_run_keeps_its_configuration(tmp_path):
    path = tmp_path / "runs" / "a"
    with RunDirectory(path, CONFIG):
        pass
    assert json.loads((path / "config.json").read_text()) == {**CONFIG, "crop": [224, 224]}
    with RunDirectory(path, ml_collections.ConfigDict(CONFIG)):
        pass
    with RunDirectory(path):
        pass
    assert sorted(file.name for file in path.iterdir()) == [".lock", "config.json"]


def test_another_configuration_names_every_changed_field(tmp_path):
    RunDirectory(tmp_path, CONFIG).close()
    other = {"num_epochs": 80, "optimizer": {"name": "sgd", "nesterov": True}, "crop": [224, 224]}
    message = (
        "another configuration: num_epochs: 50 -> 80; optimizer.rate: 0.01 -> not set; "
        "optimizer.nesterov: not set -> True. Start"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        RunDirectory(tmp_path, other)
    # The lock is free again.
    with RunDirectory(tmp_path, other, allow_changes=True) as directory:
        assert json.loads((tmp_path / "config.json").read_text())["num_epochs"] == 50
        directory.keep_config()
    RunDirectory(tmp_path, other).close()


def test_a_configuration_of_objects_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"plain data.*Received: data.root=PosixPath"):
        RunDirectory(tmp_path, {"data": {"root": tmp_path}})


def test_logs_go_to_tables_and_tensorboard(tmp_path):
    with RunDirectory(tmp_path) as directory:
        directory.log_train({"step": 20, "epoch": 1, "loss": 5.5, "note": "warm-up"})
        directory.log_validation({"step": 20, "epoch": 1, "top1": 0.5})
    assert CsvLog(tmp_path / "train.csv").columns()["loss"] == [5.5]
    assert CsvLog(tmp_path / "validation.csv").columns()["top1"] == [0.5]
    (events,) = (tmp_path / "tensorboard").iterdir()
    content = events.read_bytes()
    assert b"train/loss" in content
    assert b"validation/top1" in content
    assert b"train/note" not in content


def test_rewind_drops_what_comes_again(tmp_path):
    for steps in ([10, 20, 30], [20, 30, 40]):
        with RunDirectory(tmp_path) as directory:
            directory.rewind(10)
            for step in steps:
                directory.log_train({"step": step})
                directory.log_validation({"step": step})
    assert CsvLog(tmp_path / "train.csv").columns() == {"step": [10, 20, 30, 40]}
    assert CsvLog(tmp_path / "validation.csv").columns() == {"step": [10, 20, 30, 40]}


def test_other_workers_write_nothing(tmp_path):
    path = tmp_path / "run"
    with RunDirectory(path, CONFIG, write=False) as directory:
        directory.log_train({"step": 20})
        directory.log_validation({"step": 20})
        directory.rewind(0)
    assert not path.exists()


HOLD = """
import sys
from keras_video.training import RunDirectory
directory = RunDirectory(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_two_processes_do_not_share_a_directory(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], **pipes) as holder:
        holder.stdout.readline()
        for _ in range(2):
            with pytest.raises(RuntimeError, match=rf"Another process .*process {holder.pid} on "):
                RunDirectory(tmp_path)
        # A reader needs no lock; a killed process holds none.
        RunDirectory(tmp_path, write=False).close()
        holder.kill()
    RunDirectory(tmp_path).close()
