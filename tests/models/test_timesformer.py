"""`TimeSformer` beyond what the contract and the golden files hold it to."""

import keras
import numpy as np
import pytest
import torch

from keras_video.data import VideoPreprocessor
from keras_video.models import TimeSformer
from keras_video.models.timesformer.resized_embeddings import resize_positions, resize_times
from keras_video.presets import PresetError, convert, original_tensors
from keras_video.testing import draw_clips, draw_weights

TINY = {
    "num_classes": 5,
    "num_frames": 3,
    "image_size": 48,
    "hidden_dim": 32,
    "num_layers": 2,
    "num_heads": 4,
}


def drawn(**arguments):
    model = TimeSformer(**{**TINY, **arguments})
    draw_weights(model)
    return model


def test_space_only_is_the_mean_over_frames():
    """Joint attention over one frame, without a time, is attention within the frame."""
    model = drawn(attention="space_only")
    frame = drawn(attention="joint_space_time", num_frames=1)
    frame.get_layer("embedding").time_embedding.assign(np.zeros((1, 1, 32)))
    clips = draw_clips(2, 3, 48, 48)

    last = keras.Model(frame.input, frame.get_layer("block2_mlp").output)
    classes = [last(clips[:, [index]])[:, 0] for index in range(3)]
    features = model.get_layer("norm")(sum(classes) / 3)

    assert not [weight for weight in model.weights if "times" in weight.path]
    expected = model.get_layer("classifier")(features)
    np.testing.assert_allclose(model.predict(clips, verbose=0), expected, atol=1e-5)


def test_views_are_averaged_as_logits_or_as_probabilities():
    logits = np.array([[4.0, 0.0, 0.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0, 0.0]], "float32")
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    mean = np.exp(logits.mean(0))
    np.testing.assert_allclose(
        TimeSformer(**TINY).scores_of_views(logits), mean / mean.sum(), rtol=1e-6
    )
    model = TimeSformer.from_config(TimeSformer(**TINY, view_average="probabilities").get_config())
    np.testing.assert_allclose(model.scores_of_views(logits), probabilities.mean(0), rtol=1e-6)


def test_stochastic_depth_grows_with_depth():
    model = TimeSformer(**{**TINY, "num_layers": 3}, drop_path=0.2)
    rates = [model.get_layer(f"block{number}_mlp").drop_path for number in (1, 2, 3)]
    assert rates == pytest.approx([0.0, 0.1, 0.2])


def test_a_fresh_network_hardly_looks_at_time():
    """As published: only the first block's dense layer over time does not start at zero."""
    kernels = [
        TimeSformer(**TINY).get_layer(f"block{number}_attention").temporal_dense.kernel.numpy()
        for number in (1, 2)
    ]
    assert np.abs(kernels[0]).max() > 0 and np.abs(kernels[1]).max() == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"attention": "axial"}, "`attention` must be one of divided_space_time, .*'axial'"),
        ({"image_size": 50}, "multiple of `patch_size`. Received: image_size=50, patch_size=16"),
        ({"num_heads": 5}, "divide `hidden_dim`. Received: hidden_dim=32, num_heads=5"),
        ({"num_frames": None}, "`num_frames` must be a positive integer. Received: num_frames=N"),
        ({"view_average": "max"}, "Received: view_average='max'"),
        ({"drop_path": 1.0}, "Received: rate=1.0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TimeSformer(**{**TINY, **arguments})


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preset") / "mine"
    model = drawn(image_size=64, num_frames=2)
    model.preprocessor = VideoPreprocessor(2, short_side=80, crop_size=64)
    model.save_to_preset(folder)
    return folder


def test_a_preset_is_loaded_for_clips_of_another_size(preset):
    small = TimeSformer.from_preset(preset)
    large = TimeSformer.from_preset(preset, image_size=128, num_frames=4)
    ours, theirs = (model.get_layer("embedding") for model in (large, small))
    assert (large.preprocessor.num_frames, large.preprocessor.crop_size) == (4, 128)
    assert large.preprocessor.short_side == 160
    for ours_weight, theirs_weight in zip(large.weights, small.weights, strict=True):
        if ours_weight.path not in large.resized_weights:
            np.testing.assert_array_equal(ours_weight, theirs_weight)
    np.testing.assert_array_equal(ours.positions[:, 0], theirs.positions[:, 0])
    # Frames a quarter of a step before and behind each old one; the edges are repeated.
    old = theirs.time_embedding.numpy()[0]
    expected = [old[0], 0.75 * old[0] + 0.25 * old[1], 0.25 * old[0] + 0.75 * old[1], old[1]]
    np.testing.assert_allclose(ours.time_embedding[0], expected, atol=1e-6)

    tensors = original_tensors(small, "paddlevideo")
    copy = convert(tensors, TimeSformer(**{**TINY, "image_size": 128, "num_frames": 4}))
    for ours_weight, theirs_weight in zip(copy.weights, large.weights, strict=True):
        np.testing.assert_array_equal(ours_weight, theirs_weight)


@pytest.mark.parametrize("old, new", [(14, 28), (14, 9), (7, 10)])
def test_positions_are_interpolated_as_torch_does(old, new):
    array = np.random.default_rng(0).normal(size=(1, 1 + old**2, 3)).astype("float32")
    image = torch.tensor(array[:, 1:].reshape(1, old, old, 3)).permute(0, 3, 1, 2)
    image = torch.nn.functional.interpolate(image, size=(new, new), mode="bicubic")
    expected = image.permute(0, 2, 3, 1).reshape(1, -1, 3).numpy()
    actual = resize_positions(array, (1, 1 + new**2, 3))
    np.testing.assert_allclose(actual[:, 1:], expected, atol=1e-5)
    np.testing.assert_array_equal(actual[:, 0], array[:, 0])


@pytest.mark.parametrize("changes", [{"hidden_dim": 64}, {"num_layers": 1}])
def test_other_changes_of_shape_are_refused(preset, changes):
    with pytest.raises(PresetError, match="The weights don't fit this TimeSformer"):
        TimeSformer.from_preset(preset, image_size=128, **changes)


def test_only_square_grids_are_interpolated():
    assert resize_positions(np.zeros((1, 1 + 12, 8)), (1, 1 + 16, 8)) is None
    assert resize_times(np.zeros((1, 8, 8)), (1, 4, 9)) is None


def test_from_the_start_near_places_and_times_are_alike_and_all_differ():
    model = TimeSformer(3, 8, 64, patch_size=8, hidden_dim=32, num_layers=1, num_heads=2)
    embedding = model.get_layer("embedding")
    times = np.array(keras.ops.convert_to_numpy(embedding.time_embedding))[0]
    places = np.array(keras.ops.convert_to_numpy(embedding.positions))[0]
    assert not places[0].any()
    for rows in (times, places[1:9]):  # The second: the patches of the first row.
        distances = np.linalg.norm(rows[:, None] - rows, axis=-1)
        assert distances[np.triu_indices(8, 1)].min() > 0.1
        assert distances[0, 1] < distances[0, 2] and distances[3, 4] < distances[3, 6]
    # A place differs by row and by column, each in channels of its own.
    grid = places[1:].reshape(8, 8, 32)
    np.testing.assert_array_equal(grid[2, :, :16], np.broadcast_to(grid[2, 0, :16], (8, 16)))
    np.testing.assert_array_equal(grid[:, 5, 16:], np.broadcast_to(grid[0, 5, 16:], (8, 16)))
