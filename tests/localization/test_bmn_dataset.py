"""Features in files and annotated videos become batches for a boundary network."""

import warnings

import numpy as np
import pytest

from keras_video.data.feature_read_error import FeatureNotFoundError, FeatureReadError
from keras_video.localization import (
    Action,
    ActionListWarning,
    AnnotatedVideo,
    make_bmn_dataset,
    make_bmn_labels,
)

SIZES = {"feature_dim": 3, "num_frames": 10, "max_duration": 6}


@pytest.fixture
def folder(tmp_path):
    for number, steps in enumerate((10, 10, 25)):
        np.save(tmp_path / f"{number}.npy", np.full((steps, 3), number, "float64"))
    return tmp_path


def videos(names="012"):
    """Of 20 seconds; video 0 has no action, 1 one, 2 two."""
    actions = [Action(2.0, 8.0, "a"), Action(10.0, 20.0, "b")]
    return [AnnotatedVideo(name, 20.0, "train", actions[: int(name[-1])]) for name in names]


def test_batches_have_features_and_labels(folder):
    data = make_bmn_dataset(videos(), folder, batch_size=3, **SIZES)
    assert data.num_records == 3 and data.num_classes is None
    assert [video.video for video in data.videos] == ["0", "1", "2"]
    inputs, labels = data.batch(0)
    assert inputs["features"].shape == (3, 10, 3) and inputs["features"].dtype == "float32"
    np.testing.assert_array_equal(inputs["features"][:, 0, 0], [0, 1, 2])
    segments = [[], [(0.1, 0.4)], [(0.1, 0.4), (0.5, 1.0)]]
    for number, actions in enumerate(segments):
        expected = make_bmn_labels(actions, 10, 6)
        np.testing.assert_array_equal(labels["starts"][number], expected["starts"])
        np.testing.assert_array_equal(labels["ends"][number], expected["ends"])
        overlap = labels["confidence"][number, ..., 0]
        np.testing.assert_array_equal(overlap, expected["confidence"][..., 0])


def test_random_numbers_are_new_each_epoch_and_the_same_again(folder):
    def drawn(data, epoch):
        order = np.argsort(data.record_indices(0, epoch))
        return data.batch(0, epoch)[1]["confidence"][order][..., 1]

    options = {"batch_size": 3, "training": True, **SIZES}
    first, again = (make_bmn_dataset(videos(), folder, **options) for _ in range(2))
    assert not np.array_equal(drawn(first, 0), drawn(first, 1))
    np.testing.assert_array_equal(drawn(first, 1), drawn(again, 1))
    assert 0.4 < drawn(first, 0).mean() < 0.6


def test_what_fills_up_the_last_batch_weighs_nothing(folder):
    data = make_bmn_dataset(videos(), folder, batch_size=2, last_batch="pad", **SIZES)
    *_, (inputs, labels, weights) = data
    assert weights.tolist() == [1, 0] and not inputs["features"][1].any()


def test_names_are_found_with_and_without_their_prefix(folder):
    (folder / "0.npy").rename(folder / "v_0.npy")
    data = make_bmn_dataset(videos(["0", "v_1"]), folder, batch_size=2, **SIZES)
    np.testing.assert_array_equal(data.batch(0)[0]["features"][:, 0, 0], [0, 1])


def test_missing_files_are_counted(folder):
    both = videos(["a1", "0", "b0", "2"])
    with pytest.raises(FeatureNotFoundError, match=r"a1.npy: 2 of 4 videos.*missing=.skip"):
        make_bmn_dataset(both, folder, **SIZES)
    with pytest.warns(ActionListWarning, match="2 of 4 videos.*a1, b0") as caught:
        data = make_bmn_dataset(both, folder, missing="skip", **SIZES)
    assert caught[0].filename == __file__
    assert [video.video for video in data.videos] == ["0", "2"]
    with pytest.raises(FeatureNotFoundError, match="1 of 1"), warnings.catch_warnings():
        make_bmn_dataset(both[:1], folder, missing="skip", **SIZES)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "1.npy: "),
        (b"nothing at all", "1.npy: "),
        (np.zeros((10, 4)), r"1.npy: .*\(steps, 3\).*\(10, 4\)"),
        (np.zeros(30), r"1.npy: .*\(30,\)"),
        (np.full((10, 3), np.nan), "1.npy: .*NaN"),
        (np.array([["a", "b", "c"]]), "1.npy: .*no array of numbers"),
        (np.array([[None] * 3]), "1.npy: "),
    ],
)
def test_a_file_that_is_no_features_is_named(folder, content, message):
    if isinstance(content, bytes):
        (folder / "1.npy").write_bytes(content)
    else:
        np.save(folder / "1.npy", content)
    data = make_bmn_dataset(videos(), folder, batch_size=3, **SIZES)
    with pytest.raises(FeatureReadError, match=message) as caught:
        list(data)
    assert "\n" not in str(caught.value)


def test_arguments_that_cannot_be_are_refused(folder):
    with pytest.raises(ValueError, match="error or skip"):
        make_bmn_dataset(videos(), folder, missing="drop")
    with pytest.raises(ValueError, match="needs videos"):
        make_bmn_dataset([], folder)
    with pytest.raises(ValueError, match="AnnotatedVideos"):
        make_bmn_dataset(["0"], folder)
    with pytest.raises(ValueError, match="'0' without one"):
        make_bmn_dataset([AnnotatedVideo("0", None, "train")], folder)
    with pytest.raises(FeatureNotFoundError, match="no such folder"):
        make_bmn_dataset(videos(), folder / "nowhere")
