import numpy as np
import pytest

from keras_video.visualization import annotate

PREDICTIONS = [
    {"label": "archery", "class_id": 5, "score": 0.9},
    {"label": "juggling balls", "class_id": 2, "score": 0.1},
]


@pytest.fixture
def clip():
    return np.random.default_rng(0).integers(0, 256, (3, 96, 128, 3), dtype="uint8")


def bar_width(annotated, colour):
    return (annotated[0] == np.array(colour)).all(axis=-1).any(axis=0).sum()


def test_the_panel_lies_below_the_enlarged_picture(clip):
    annotated = annotate(clip, PREDICTIONS, title="clip.mp4", min_side=192)
    time, height, width, channels = annotated.shape
    assert (time, width, channels) == (3, 256, 3)
    assert height > 192 + 2 * 18
    assert annotated.dtype == np.uint8
    # The picture itself is only enlarged.
    small = annotated[:, 0:192:2, ::2].astype(int)
    assert np.abs(small - clip).mean() < 40
    panel = annotated[:, 192:]
    assert (panel == panel[:1]).all()
    assert panel.max() > 200, "there is text"


def test_large_frames_keep_their_size():
    frames = np.full((1, 300, 400, 3), 7, "uint8")
    annotated = annotate(frames, PREDICTIONS, min_side=256)
    np.testing.assert_array_equal(annotated[:, :300], frames)
    assert annotated.shape[2] == 400


def test_sizes_are_even_so_that_every_codec_takes_them():
    annotated = annotate(np.zeros((1, 301, 277, 3), "uint8"), PREDICTIONS[:1])
    assert annotated.shape[1] % 2 == 0
    assert annotated.shape[2] % 2 == 0


def test_bars_are_as_long_as_the_scores(clip):
    from keras_video.visualization.annotate import _BARS

    full = bar_width(annotate(clip, [{"label": "", "score": 1.0}]), _BARS[0])
    half = bar_width(annotate(clip, [{"label": "", "score": 0.5}]), _BARS[0])
    none = bar_width(annotate(clip, [{"label": "", "score": 0.0}]), _BARS[0])
    assert half == pytest.approx(full / 2, abs=3)
    assert none == 0


def test_each_prediction_and_the_title_get_a_row(clip):
    heights = [annotate(clip, PREDICTIONS[:count]).shape[1] for count in (0, 1, 2)]
    assert heights[0] < heights[1] < heights[2]
    assert annotate(clip, PREDICTIONS[:1], title="x").shape[1] == heights[2]


def test_different_labels_look_different(clip):
    first = annotate(clip, [{"label": "archery", "score": 0.5}])
    second = annotate(clip, [{"label": "bowling", "score": 0.5}])
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


def test_long_labels_are_shortened_to_fit(clip):
    long = "playing " * 40
    annotated = annotate(clip, [{"label": long, "score": 0.0}], title=long)
    # Right of the row stands the score; the margin beside it stays empty.
    assert (annotated[0, 256:, -3:] == annotated[0, -1, 0]).all()


def test_the_accent_colours_the_title(clip):
    annotated = annotate(clip, PREDICTIONS, title="wrong", accent=(250, 20, 20))
    assert bar_width(annotated[:, 256:], (250, 20, 20)) > 100


@pytest.mark.parametrize(
    "frames",
    [np.zeros((2, 8, 8, 3)), np.zeros((8, 8, 3), "uint8"), np.zeros((0, 8, 8, 3), "uint8")],
)
def test_other_arrays_are_refused(frames):
    with pytest.raises(ValueError, match="Received: dtype=.*shape="):
        annotate(frames, PREDICTIONS)
