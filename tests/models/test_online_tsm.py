"""TSM with shifts from the past says the same frame by frame as of the whole clip."""

import json

import keras
import numpy as np
import pytest

from keras_video.models import PPTSM, TSM
from keras_video.testing import draw_clips

SMALL = {"num_classes": 5, "num_frames": 4, "depth": 18, "width": 16}


def randomized(model):
    """With weights that are far from those that start as zero or one."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if not variable.path.endswith(("gamma", "moving_variance")):
            variable.assign(variable + rng.normal(0, 0.05, variable.shape).astype("float32"))
    return model


@pytest.fixture(scope="module", params=[TSM, PPTSM])
def model(request):
    return randomized(request.param(shift_direction="past", **SMALL))


def step_through(model, clips, states):
    step = model.step_model()
    logits = []
    for frame in np.moveaxis(clips, 1, 0):
        outputs = step({"frame": frame, **states}, training=False)
        outputs = {name: keras.ops.convert_to_numpy(array) for name, array in outputs.items()}
        states = {name: outputs[output] for name, output in step.states.items()}
        logits.append(outputs["logits"])
    return np.stack(logits, axis=1), states


def call(model, clips):
    return keras.ops.convert_to_numpy(model(clips, training=False))


def test_the_mean_over_the_frames_is_what_the_clip_gives(model):
    clips = draw_clips(2, 4, 40, 48)
    logits, _ = step_through(model, clips, model.initial_states(2, 40, 48))
    expected = call(model, clips)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(logits.mean(axis=1) / scale, expected / scale, atol=1e-5)
    assert np.abs(logits - logits[:, :1]).max() > 1e-2 * scale


def test_what_came_before_lives_in_the_states(model):
    clips = draw_clips(1, 4, 40, 48)
    whole, _ = step_through(model, clips, model.initial_states(1, 40, 48))
    _, states = step_through(model, clips[:, :3], model.initial_states(1, 40, 48))
    last, _ = step_through(model, clips[:, 3:], states)
    np.testing.assert_array_equal(last[:, 0], whole[:, 3])
    forgotten, _ = step_through(model, clips[:, 3:], model.initial_states(1, 40, 48))
    assert np.abs(forgotten[:, 0] - whole[:, 3]).max() > 1e-3 * np.abs(whole).max()


def test_later_frames_change_nothing_before_them(model):
    clips = draw_clips(1, 4, 32, 32)
    changed = clips.copy()
    changed[:, 3] = 255 - changed[:, 3]
    features = model.feature_model()
    before, after = call(features, clips), call(features, changed)
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert np.abs(before[:, 3] - after[:, 3]).max() > 1e-3


def test_the_step_model_shares_the_weights(model):
    assert [id(weight) for weight in model.step_model().weights] == list(map(id, model.weights))


def test_the_step_model_is_made_again_from_its_config(model):
    step = model.step_model(32)
    config = json.loads(json.dumps(step.get_config()))
    copy = type(step).from_config({**config, "dtype": "mixed_bfloat16"})
    assert copy.input_shape == step.input_shape
    assert copy.get_layer("stem_pool").compute_dtype == "bfloat16"
    assert [weight.path for weight in copy.weights] == [weight.path for weight in step.weights]


def test_states_are_float32_in_every_policy():
    model = TSM(shift_direction="past", dtype="mixed_bfloat16", **SMALL)
    step = model.step_model(32)
    types = {tensor.dtype for tensor in keras.tree.flatten((step.input, step.output))}
    assert types == {"float32"}
    clips = draw_clips(1, 4, 32, 32)
    logits, _ = step_through(model, clips, model.initial_states(1, 32, 32))
    np.testing.assert_allclose(logits.mean(axis=1), call(model, clips), atol=2e-3)


def test_the_direction_is_in_the_config_only_where_it_was_chosen():
    for model_class in (TSM, PPTSM):
        assert "shift_direction" not in model_class(**SMALL).get_config()
        config = model_class(shift_direction="past", **SMALL).get_config()
        assert config["shift_direction"] == "past"
        assert model_class.from_config(config).get_config() == config


def test_models_that_need_the_future_have_no_steps():
    with pytest.raises(ValueError, match="Received: shift_direction='both'"):
        TSM(**SMALL).step_model()
    with pytest.raises(ValueError, match="Received: direction='future'"):
        TSM(shift_direction="future", **SMALL)
