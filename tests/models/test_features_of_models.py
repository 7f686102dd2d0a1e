"""`VideoClassifier.feature_model`: what the classifier classifies, from the same weights."""

import keras
import numpy as np
import pytest
from models import test_contract as contracts

import keras_video
from keras_video.export import make_inference_function
from keras_video.models import VideoClassifier
from keras_video.testing import draw_clips

FRAMES = [contracts.TestTSN, contracts.TestPPTSN, contracts.TestTSM, contracts.TestPPTSM]
CLIPS = [contracts.TestSlowFast, contracts.TestSlowOnly, contracts.TestTimeSformer]


def answers(model, clips):
    return keras.ops.convert_to_numpy(model(clips, training=False))


def features_of(model, clips):
    return answers(model.feature_model(), clips)


def classified(model, features):
    kernel, bias = map(keras.ops.convert_to_numpy, model.get_layer("classifier").weights)
    return features @ kernel + bias


@pytest.mark.parametrize("contract", FRAMES)
def test_frames_have_a_vector_each_whose_mean_gives_the_logits(contract):
    model, clips = contract.build(), draw_clips(2, 4, 45, 64)
    features = features_of(model, clips)
    assert features.shape == (2, 4, model.backbone.output_shape[-1])
    logits = classified(model, features.mean(axis=1))
    np.testing.assert_allclose(logits, answers(model, clips), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("contract", CLIPS)
def test_clips_have_one_vector_that_gives_the_logits(contract):
    model = contract.build()
    _, frames, side, _, _ = model.input_shape
    clips = draw_clips(2, frames, side or 45, side or 64)
    features = features_of(model, clips)
    assert features.shape[:2] == (2, 1)
    logits = classified(model, features[:, 0])
    np.testing.assert_allclose(logits, answers(model, clips), rtol=1e-4, atol=1e-4)


def test_slowfast_averages_over_windows_as_its_logits_are():
    model = contracts.TestSlowFast.build(average="logits")
    clips = draw_clips(1, 8, 226, 257)
    logits = classified(model, features_of(model, clips)[:, 0])
    np.testing.assert_allclose(logits, answers(model, clips), rtol=1e-4, atol=1e-4)
    slow, fast = (shape[-1] for shape in model.backbone.output_shape)
    assert model.feature_model().output_shape == (None, 1, slow + fast)


@pytest.mark.parametrize("contract", [contracts.TestTSN, contracts.TestPPTSN])
def test_frames_do_not_depend_on_others_where_the_model_says_so(contract):
    model, clips = contract.build(), draw_clips(1, 4, 45, 64)
    assert model.frames_are_independent
    mixed = clips[:, [3, 1, 0, 0]]
    expected = features_of(model, clips)[:, [3, 1, 0, 0]]
    np.testing.assert_allclose(features_of(model, mixed), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("contract", [contracts.TestTSM, contracts.TestPPTSM, *CLIPS])
def test_other_models_see_time(contract):
    assert not contract.model_class.frames_are_independent


@pytest.mark.parametrize(
    ("contract", "dtype"),
    [
        (contracts.TestPPTSM, "mixed_bfloat16"),
        (contracts.TestSlowFast, "bfloat16"),
        (contracts.TestTimeSformer, "mixed_bfloat16"),
    ],
)
def test_features_are_float32_under_every_policy(contract, dtype):
    model, reduced = contract.build(), contract.build(dtype=dtype)
    clips = contract_clips(model)
    expected, features = features_of(model, clips), features_of(reduced, clips)
    assert features.dtype == "float32"
    np.testing.assert_allclose(features, expected, atol=0.1 * np.abs(expected).max())


@pytest.mark.parametrize("contract", [contracts.TestPPTSM, contracts.TestTimeSformer])
def test_the_compiled_function_gives_the_same_features(contract):
    model = contract.build()
    clips, features = contract_clips(model), model.feature_model()
    expected = answers(features, clips)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(
        make_inference_function(features)(clips), expected, atol=1e-4 * scale
    )


def test_weights_are_shared_and_the_model_stays_as_it_is():
    model = contracts.TestTSN.build()
    clips = contract_clips(model)
    before = answers(model, clips)
    paths = [weight.path for weight in model.weights]
    features = model.feature_model()
    first = answers(features, clips)
    own = {id(weight) for weight in model.weights}
    assert {id(weight) for weight in features.weights} <= own
    features.weights[0].assign(2 * keras.ops.convert_to_numpy(features.weights[0]))
    assert np.abs(answers(features, clips) - first).max() > 1e-3
    assert np.abs(answers(model, clips) - before).max() > 1e-5
    assert [weight.path for weight in model.weights] == paths


def test_a_model_that_does_not_define_features_says_so():
    class Plain(VideoClassifier):
        pass

    clips = keras.Input((2, 8, 8, 3))
    model = Plain(clips, keras.layers.Dense(3)(keras.ops.mean(clips, axis=(1, 2, 3))), name="plain")
    with pytest.raises(NotImplementedError, match="Plain.*define `feature_model`.*Received.*plain"):
        model.feature_model()


def test_a_preset_has_features():
    model = keras_video.models.TSM.from_preset("tsm_tiny_motion")
    assert model.feature_model().output_shape == (None, 8, 128)


def contract_clips(model):
    _, frames, side, _, _ = model.input_shape
    return draw_clips(2, frames, side or 45, side or 64)


def test_means_of_further_layers_follow_the_features():
    model, clips = contracts.TestTSM.build(), draw_clips(2, 4, 45, 64)
    plain = features_of(model, clips)
    both = answers(model.feature_model(("stem_pool", "stage2_block1_out")), clips)
    np.testing.assert_allclose(both[..., : plain.shape[-1]], plain, rtol=1e-5, atol=1e-5)
    stem = model.backbone.get_layer("stem_pool").output
    pooled = answers(keras.Model(model.backbone.input, stem), clips)
    expected = pooled.mean(axis=(1, 2)).reshape(2, 4, -1)
    actual = both[..., plain.shape[-1] :][..., : expected.shape[-1]]
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_layers_that_give_no_frames_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'stem_pool'"):
        contracts.TestTSN.build().feature_model(("stem_pol",))
    with pytest.raises(ValueError, match="unfold_time"):
        contracts.TestTSN.build().feature_model(("unfold_time",))
    with pytest.raises(ValueError, match="Only 2-D networks"):
        contracts.TestTimeSformer.build().feature_model(("norm",))
