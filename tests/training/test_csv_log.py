"""A log of numbers: it grows in rows and columns, and survives being cut short."""

import numpy as np
import pytest

from keras_video.training import CsvLog


@pytest.fixture
def log(tmp_path):
    return CsvLog(tmp_path / "train.csv")


def test_rows_come_back(log):
    assert log.columns() == {}
    log.append({"step": 1, "loss": 5.25, "note": "warm, up\nnow"})
    log.append({"step": np.int64(2), "loss": np.float32(0.1), "note": None})
    assert log.path.read_text() == 'step,loss,note\n1,5.25,"warm, up now"\n2,0.100000001,\n'
    columns = log.columns()
    assert columns == {"step": [1, 2], "loss": [5.25, 0.100000001], "note": ["warm, up now", None]}
    assert np.float32(columns["loss"][1]) == np.float32(0.1)


def test_losses_that_are_no_numbers_come_back(log):
    log.append({"step": 1, "loss": float("nan")})
    log.append({"step": 2, "loss": float("-inf")})
    nan, infinity = log.columns()["loss"]
    assert np.isnan(nan)
    assert infinity == float("-inf")


def test_columns_may_come_later_and_be_left_out(log):
    log.append({"step": 1, "loss": 5})
    log.append({"step": 2, "distillation": 0.5, "loss": 4})
    log.append({"loss": 3, "step": 3})
    assert log.path.read_text() == "step,loss,distillation\n1,5,\n2,4,0.5\n3,3,\n"


def test_rewind_drops_later_rows(log):
    log.rewind(0)
    assert not log.path.exists()
    for step in (10, 20, 30):
        log.append({"step": step})
    log.rewind(20)
    log.append({"step": 21})
    assert log.columns() == {"step": [10, 20, 21]}
    log.rewind(0)
    assert log.columns() == {"step": []}


@pytest.mark.parametrize("mend", [lambda log: log.rewind(100), lambda log: None])
def test_a_line_that_was_cut_short_is_dropped(log, mend):
    log.append({"step": 10, "loss": 1.5})
    log.append({"step": 20, "loss": 1.25})
    log.path.write_text(log.path.read_text()[:-2])
    log = CsvLog(log.path)
    mend(log)
    log.append({"step": 30, "loss": 1.0})
    assert log.columns() == {"step": [10, 30], "loss": [1.5, 1]}
    assert [path.name for path in log.path.parent.iterdir()] == ["train.csv"]


def test_a_header_that_was_cut_short_is_written_anew(log):
    log.path.write_text("step,lo")
    log.append({"step": 10, "loss": 1.5})
    assert log.columns() == {"step": [10], "loss": [1.5]}
