"""The recipe of a TimeSformer on motions: what it shows of them besides whole videos."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from keras_video.data import MOTION_CLASSES, render_motion_clip
from keras_video.training import prepare_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def recipe():
    with pytest.MonkeyPatch.context() as patch:
        # It takes the data from the recipe beside it.
        patch.syspath_prepend(RECIPES)
        spec = importlib.util.spec_from_file_location(
            "timesformer_motion", RECIPES / "timesformer_motion.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.mark.parametrize("any_part", [False, True])
@pytest.mark.parametrize("label", MOTION_CLASSES)
def test_a_close_up_is_a_part_of_the_video_with_most_of_what_changes(recipe, label, any_part):
    def changes(frames):
        brightness = frames.mean(-1) - frames.mean((1, 2, 3))[:, None, None]
        return (brightness.std(0) > 10).sum()

    for seed in range(8):
        video = render_motion_clip(label, seed, num_frames=16, size=96)
        close_up = recipe.around_what_moves(video, seed, any_part)
        frames, height, width, channels = close_up.shape
        assert (frames, channels) == (16, 3) and 16 <= height == width <= 96
        places = np.lib.stride_tricks.sliding_window_view(video[0], close_up.shape[1:])
        assert (places == close_up[0]).all((-1, -2, -3)).any()
        assert changes(close_up) > 0.8 * changes(video)


def test_rotations_are_added_or_trained_on_and_tested_alone(recipe):
    config = recipe.get_config()
    config.data.arguments.update(train_clips=8, turns=6, test_clips=8)
    both = prepare_recipe(config, recipe.make_data)
    config.data.arguments.train_clips, config.batch_size = 0, 6
    alone = prepare_recipe(config, recipe.make_data)
    turning = {i for i, name in enumerate(MOTION_CLASSES) if "rotating" in name}
    for prepared, counts, tested in ((both, (14, 8), set(range(8))), (alone, (6, 2), turning)):
        assert (prepared.train.num_records, prepared.val.num_records) == counts
        _, labels, weights = prepared.val.batch(0)
        assert set(labels[weights > 0].argmax(-1)) == tested
    assert set(alone.train.batch(0)[1].argmax(-1)) <= turning
