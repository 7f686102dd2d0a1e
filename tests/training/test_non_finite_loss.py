"""The batch of a loss that was no number is kept, and the error says what to do."""

import ml_dtypes
import numpy as np
import pytest

from keras_video.training import NonFiniteLossError, save_nan_batch


def test_the_batch_comes_back(tmp_path):
    clips = np.arange(24, dtype="uint8").reshape(2, 1, 2, 2, 3)
    labels = np.array([[0.5, 0.5], [0, 1]], ml_dtypes.bfloat16)
    path = save_nan_batch(tmp_path / "run", (clips, labels), ["a.mp4", "é.mp4"], step=12)
    assert path == tmp_path / "run" / "nan_batch_step_000000012.npz"
    with np.load(path) as batch:
        assert sorted(batch) == ["clips", "labels", "names"]
        np.testing.assert_array_equal(batch["clips"], clips)
        np.testing.assert_array_equal(batch["labels"], labels.astype("float32"))
        assert list(batch["names"]) == ["a.mp4", "é.mp4"]
    weighted = save_nan_batch(tmp_path, (clips, labels, np.ones(2)), [], step=1)
    with np.load(weighted) as batch:
        np.testing.assert_array_equal(batch["weights"], [1, 1])


def test_entries_of_a_dict_keep_their_names(tmp_path):
    inputs = {"features": np.ones((2, 3, 4)), "mask": np.ones((2, 3), bool)}
    with np.load(save_nan_batch(tmp_path, (inputs, np.arange(2)), [], step=1)) as batch:
        assert sorted(batch) == ["clips/features", "clips/mask", "labels", "names"]
        assert batch["clips/features"].shape == (2, 3, 4)
    with np.load(save_nan_batch(tmp_path, ((np.ones(2), np.zeros(3)),), [], step=2)) as batch:
        assert sorted(batch) == ["clips/0", "clips/1", "names"]


def test_other_batches_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Received: 0 parts"):
        save_nan_batch(tmp_path, (), [], step=1)


def test_the_error_says_what_happened_and_what_to_do():
    error = NonFiniteLossError(12, np.float32("nan"), "run/nan_batch.npz", learning_rate=0.5)
    assert str(error).startswith(
        "The loss of step 12 is nan at a learning rate of 0.5, so that training can't go on. Its "
        "batch lies in run/nan_batch.npz: "
    )
    assert str(NonFiniteLossError(3, float("inf"))).startswith(
        "The loss of step 3 is inf, so that training can't go on. Start again"
    )
