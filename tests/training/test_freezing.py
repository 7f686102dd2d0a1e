"""What is frozen keeps its weights and statistics; names that fit nothing are errors."""

import keras
import numpy as np
import pytest

import keras_video
from keras_video.training import freeze_batch_norm, freeze_layers


@pytest.fixture
def model():
    return keras_video.models.TSN(num_classes=3, num_frames=2, depth=18, width=2)


def train(model):
    """The paths of the weights that a step changes."""
    before = {w.path: w.numpy() for w in model.weights}
    # With decay a weight changes even where its gradient is zero.
    model.compile(
        keras.optimizers.SGD(0.1, weight_decay=0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    clips = np.random.default_rng(0).integers(0, 256, (2, 2, 64, 64, 3)).astype("uint8")
    model.fit(clips, np.array([0, 1]), verbose=0)
    return {w.path for w in model.weights if not np.array_equal(before[w.path], w.numpy())}


def test_partial_batch_norm_keeps_the_first_layer_trainable(model):
    frozen = freeze_batch_norm(model, keep_first=True)
    assert frozen[0] == "stage1_block1_conv1/norm"
    assert len(frozen) == 19 + 1  # Stage 1 projects its shortcut too.
    changed = train(model)
    assert {path for path in changed if "/norm/" in path} == {
        f"stem_conv/norm/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    assert {path for path in changed if path.endswith("kernel")} == {
        weight.path for weight in model.weights if weight.path.endswith("kernel")
    }


def test_all_batch_norm(model):
    assert freeze_batch_norm(model)[0] == "stem_conv/norm"
    assert not any("/norm/" in weight.path for weight in model.trainable_weights)


def test_layers_until_a_stage(model):
    frozen = freeze_layers(model, until="stage3")
    assert frozen[0] == "backbone/stem_conv"
    assert {path.split("/")[1].split("_")[0] for path in frozen} == {"stem", "stage1", "stage2"}
    prefixes = ("stem", "stage1", "stage2")
    expected = {w.path for w in model.weights if not w.path.startswith(prefixes)}
    assert train(model) == expected


def test_layers_until_the_classifier(model):
    freeze_layers(model, until="classifier")
    paths = [weight.path for weight in model.trainable_weights]
    assert paths == ["classifier/kernel", "classifier/bias"]


def test_layers_by_patterns(model):
    frozen = freeze_layers(model, ["stem", "block2_conv1$"])
    assert frozen == ["backbone/stem_conv"] + [
        f"backbone/stage{i}_block2_conv1" for i in range(1, 5)
    ]
    assert freeze_layers(model, "^classifier$") == ["classifier"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"until": "stag3"}, "Did you mean 'stage3'.*begin with: stem, stage1, .*'stag3'"),
        ({"patterns": ["stem", "hea"]}, "No layer with weights fits the pattern.*'hea'"),
        ({"patterns": "stem", "until": "stage1"}, "either patterns or `until`"),
        ({}, "either patterns or `until`"),
    ],
)
def test_names_that_fit_nothing_are_errors(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        freeze_layers(model, **arguments)
    assert all(layer.trainable for layer in model.layers)


def test_a_model_without_batch_norm():
    model = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()], name="small")
    with pytest.raises(ValueError, match="'small' with 1 such layers, keep_first=True"):
        freeze_batch_norm(model, keep_first=True)
    assert freeze_batch_norm(model) == [model.layers[0].path]
