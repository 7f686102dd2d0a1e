"""The recipe that renders its own data: what it renders, and both of its models."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from keras_video.data import MOTION_CLASSES, render_motion_clip
from keras_video.training import prepare_recipe
from keras_video.training.config_overrides import apply_overrides

PATH = Path(__file__).parents[2] / "recipes" / "tsm_motion.py"


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("tsm_motion", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_clip_played_backwards_is_a_clip_of_the_class_that_it_gets(recipe):
    reverse, seen = recipe.RandomReverse(), set()
    for seed in range(8):
        label = seed % 3
        clip = render_motion_clip(MOTION_CLASSES[label], seed, 4, 16)
        clip, changed = reverse.call_with_label(clip, label, np.random.default_rng(seed))
        np.testing.assert_array_equal(
            clip, render_motion_clip(MOTION_CLASSES[changed], seed, 4, 16)
        )
        seen.add(changed == label)
    assert seen == {True, False}


@pytest.mark.parametrize("name", ["TSM", "TSN"])
def test_both_models_learn_from_the_same_clips_and_are_tested_on_others(recipe, name):
    config = recipe.get_config()
    fields = {"train_clips": 16, "test_clips": 8}
    overrides = {f"data.arguments.{field}": str(count) for field, count in fields.items()}
    apply_overrides(config, {**overrides, "model.name": name, "batch_size": "8"}.items())
    prepared = prepare_recipe(config, recipe.make_data)
    assert type(prepared.model).__name__ == name
    assert sum(np.prod(w.shape) for w in prepared.model.trainable_weights) == 703_416
    train = np.concatenate([clips for clips, _ in prepared.train])
    clips, labels, weights = prepared.val.batch(0)
    assert train.shape == (16, 8, 64, 64, 3) and clips.shape == (8, 8, 64, 64, 3)
    assert labels.argmax(-1).tolist() == list(range(8)) and weights.all()
    forms = {form.tobytes() for clip in train for form in (clip, clip[::-1])}
    assert not any(clip.tobytes() in forms for clip in clips)


def test_without_clips_to_train_on_the_field_is_named(recipe):
    config = recipe.get_config()
    config.data.arguments.train_clips = 0
    with pytest.raises(ValueError, match="config.data.arguments.train_clips.*Received"):
        prepare_recipe(config, recipe.make_data)
