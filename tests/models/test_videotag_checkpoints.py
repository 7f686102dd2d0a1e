"""The weights of VideoTag, from its static graphs, compute here what they compute there."""

import pickle

import keras
import numpy as np
import pytest

import keras_video
from keras_video.models import TSN, AttentionLSTM
from keras_video.models.resnet.convert_videotag import videotag_layer_names
from keras_video.presets import PresetError, original_tensors
from keras_video.testing import draw_weights

UNITS, CLASSES = 3, 7


def predictor_tensors():
    """What `fluid.save` writes of VideoTag's predictor, small: names and shapes of its layers."""
    shapes = {
        "rgb_fc.w_0": (6, 5),
        "rgb_fc.b_0": (5,),
        "rgb_weight.w_0": (2 * UNITS, 1),
        "fc1.w_0": (2 * UNITS, 9),
        "fc1.b_0": (9,),
        "fc2.w_0": (9, 8),
        "fc2.b_0": (8,),
        "output.w_0": (8, CLASSES),
        "output.b_0": (CLASSES,),
    }
    for direction in ("forward", "backward"):
        shapes[f"rgb_fc_{direction}.w_0"] = (5, 4 * UNITS)
        shapes[f"rgb_lstm_{direction}.w_0"] = (UNITS, 4 * UNITS)
        shapes[f"rgb_lstm_{direction}.b_0"] = (1, 7 * UNITS)
    generator = np.random.default_rng(0)
    return {name: generator.normal(0, 0.5, s).astype("float32") for name, s in shapes.items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def dynamic_lstm(rows, weight, bias, is_reverse):
    """Paddle's `dynamic_lstm` with peepholes, as its documentation has the equations.

    Gates lie in the order candidate, input, forget, output; the bias holds those of the gates, then
    the peepholes of the input, forget and output gate.
    """
    size = len(weight)
    b_c, b_i, b_f, b_o, w_ic, w_fc, w_oc = bias[0].reshape(7, size)
    hidden, cell, outputs = np.zeros(size), np.zeros(size), []
    for row in rows[::-1] if is_reverse else rows:
        c, i, f, o = (row + hidden @ weight).reshape(4, size)
        i = sigmoid(i + b_i + w_ic * cell)
        f = sigmoid(f + b_f + w_fc * cell)
        cell = f * cell + i * np.tanh(c + b_c)
        hidden = sigmoid(o + b_o + w_oc * cell) * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs[::-1] if is_reverse else outputs)


def predictor(tensors, features):
    """VideoTag's predictor on the features `(time, channels)` of one video, in float64."""
    t = {name: tensor.astype("float64") for name, tensor in tensors.items()}
    x = np.tanh(features @ t["rgb_fc.w_0"] + t["rgb_fc.b_0"])
    both = [
        dynamic_lstm(
            x @ t[f"rgb_fc_{direction}.w_0"],
            t[f"rgb_lstm_{direction}.w_0"],
            t[f"rgb_lstm_{direction}.b_0"],
            is_reverse=direction == "backward",
        )
        for direction in ("forward", "backward")
    ]
    lstm = np.concatenate(both, axis=1)
    scores = np.exp(lstm @ t["rgb_weight.w_0"])
    x = (lstm * scores / scores.sum()).sum(axis=0)
    x = np.maximum(x @ t["fc1.w_0"] + t["fc1.b_0"], 0)
    x = np.tanh(x @ t["fc2.w_0"] + t["fc2.b_0"])
    return x @ t["output.w_0"] + t["output.b_0"]


def write_pdparams(path, tensors):
    """As `fluid.save`: a pickled dictionary of arrays."""
    path.write_bytes(pickle.dumps(tensors, protocol=2))
    return path


def test_the_predictor_computes_the_same(tmp_path):
    tensors = predictor_tensors()
    path = write_pdparams(tmp_path / "attention_lstm.pdparams", tensors)
    model = keras_video.convert(path, "attention_lstm")
    assert (model.features, model.num_classes) == ({"rgb": 6}, CLASSES)
    assert (model.embedding_dim, model.lstm_dim, model.hidden_dims) == (5, UNITS, (9, 8))
    assert (model.peepholes, model.attention_bias, model.feature_range) == (True, False, None)

    features = np.random.default_rng(1).normal(size=(2, 11, 6)).astype("float32")
    lengths = np.array([11, 4])
    mask = np.arange(11) < lengths[:, None]
    logits = model.predict_on_batch({"rgb": features, "rgb_mask": mask})
    expected = [predictor(tensors, f[:n]) for f, n in zip(features, lengths, strict=True)]
    assert np.std(expected) > 0.3
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    for name, tensor in original_tensors(model, "videotag").items():
        np.testing.assert_array_equal(tensor, tensors[name], err_msg=name)


def test_the_predictor_has_videotag_s_size():
    """Its configuration: 300 features of 2048 numbers to 3396 labels."""
    model = AttentionLSTM(
        num_classes=3396,
        features={"rgb": 2048},
        embedding_dim=1024,
        lstm_dim=512,
        peepholes=True,
        attention_bias=False,
        feature_range=None,
    )
    shapes = {name: t.shape for name, t in original_tensors(model, "videotag").items()}
    assert shapes["rgb_fc.w_0"] == (2048, 1024)
    assert shapes["rgb_fc_backward.w_0"] == (1024, 2048)
    assert shapes["rgb_lstm_forward.w_0"] == (512, 2048)
    assert shapes["rgb_lstm_forward.b_0"] == (1, 3584)
    assert shapes["output.w_0"] == (4096, 3396)
    assert len(shapes) == 15


def test_left_over_tensors_of_the_predictor_are_named():
    tensors = predictor_tensors()
    with pytest.raises(PresetError, match="1 tensors have no variable: 'audio_fc.w_0'"):
        keras_video.convert({**tensors, "audio_fc.w_0": np.ones((2, 2))}, "attention_lstm")
    del tensors["rgb_lstm_backward.b_0"]
    with pytest.raises(PresetError, match="tensor rgb_lstm_backward.b_0"):
        keras_video.convert(tensors, "attention_lstm")


def test_names_of_the_extractor():
    """As VideoTag's code gives them: letters, but `b1`, `b2`, ... in the longest stage."""
    tensors = original_tensors(TSN(depth=101, width=4, num_frames=2), "videotag")
    assert tensors["conv1_weights"].shape == (4, 3, 7, 7)
    assert {name.removeprefix("bn_conv1_") for name in tensors if name.startswith("bn_conv1")} == {
        "scale",
        "offset",
        "mean",
        "variance",
    }
    convs = {name.removesuffix("_weights") for name in tensors if name.endswith("_weights")}
    parts = ("branch2a", "branch2b", "branch2c")
    blocks = {2: "abc", 3: "abcd", 5: "abc"}
    names = [f"res{stage}{letter}" for stage, letters in blocks.items() for letter in letters]
    names += ["res4a", *(f"res4b{number}" for number in range(1, 23))]
    expected = {f"{name}_{part}" for name in names for part in parts}
    expected |= {f"res{stage}a_branch1" for stage in (2, 3, 4, 5)}
    assert convs == {"conv1", *expected}
    assert "bn4b22_branch2c_variance" in tensors
    assert videotag_layer_names("stage3_block2_conv1", 50)[0] == "res4b_branch2a"


def test_the_extractor_s_backbone_comes_without_a_classifier(tmp_path):
    small = {"depth": 50, "width": 4, "num_frames": 2}
    tsn = TSN(num_classes=6, **small)
    draw_weights(tsn)
    tensors = original_tensors(tsn, "videotag")
    classifier = {name: tensors.pop(name) for name in ("fc_0.w_0", "fc_0.b_0")}
    for extra in ({}, classifier):
        path = write_pdparams(tmp_path / "tsn.pdparams", {**tensors, **extra})
        model = keras_video.convert(path, "tsn", part="backbone", **small)
        for ours, theirs in zip(model.backbone.weights, tsn.backbone.weights, strict=True):
            np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (ours, theirs)))
    with pytest.raises(PresetError, match="2 variables have no tensor: 'classifier/kernel"):
        keras_video.convert(tensors, "tsn", format="videotag", **small)
    whole = keras_video.convert({**tensors, **classifier}, "tsn", **small)
    assert whole.num_classes == 6
