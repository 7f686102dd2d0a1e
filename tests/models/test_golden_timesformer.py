"""TimeSformer computes what the reference computes, from the reference's own kind of checkpoint."""

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf
from golden_model import GoldenModel

import keras_video
from keras_video.models import TimeSformer
from keras_video.presets import original_tensors, read_checkpoint
from keras_video.training import SGD, TrainStep

FULL = pytest.param("timesformer", marks=pytest.mark.slow)
TINY = ["timesformer_tiny_divided_space_time", "timesformer_tiny_joint_space_time"]


@pytest.fixture(scope="module", params=[FULL, *TINY])
def golden(request, tmp_path_factory):
    model = GoldenModel(request.param)
    model.tensors = model.checkpoint
    # Half a gigabyte says no more about files than little does.
    if request.param in TINY:
        path = model.write_pdparams(tmp_path_factory.mktemp("golden") / "model.pdparams")
        model.tensors = read_checkpoint(path)
    yield model
    del model
    gc.collect()


def converted(golden, **arguments):
    facts = golden.facts["model"]["backbone"]
    return keras_video.convert(
        golden.tensors,
        TimeSformer,
        num_frames=facts["num_seg"],
        image_size=facts["img_size"],
        hidden_dim=facts["embed_dim"],
        num_layers=facts["depth"],
        num_heads=facts["num_heads"],
        attention=facts["attention_type"],
        normalize=None,
        **arguments,
    )


def in_order_of_the_reference(tokens, frames):
    """Tokens frame by frame as the reference has them, place by place."""
    batch, _, channels = tokens.shape
    patches = tokens[:, 1:].reshape(batch, frames, -1, channels).swapaxes(1, 2)
    return np.concatenate([tokens[:, :1], patches.reshape(batch, -1, channels)], axis=1)


def test_logits_and_stages_equal_the_reference(golden):
    facts = golden.facts["cases"]["main"]
    clips = golden.clips(facts)
    model = converted(golden)
    assert model.count_params() == golden.facts["parameters"]["trainable"]

    names = [name for name in facts["activations"] if name in ("norm", *BLOCKS)]
    assert len(names) >= 4
    blocks = {name: model.get_layer(BLOCKS[name]).output for name in names if name != "norm"}
    last = blocks[max(blocks, key=lambda name: int(name.removeprefix("block")))]
    outputs = {"logits": model.output, **blocks, "norm": model.get_layer("norm")(last)}
    stages = keras.Model(model.input, outputs)(clips, training=False)
    stages = {name: keras.ops.convert_to_numpy(stage) for name, stage in stages.items()}

    compiled = [model.predict(clips, verbose=0)] if golden.name in TINY else []
    for logits in (stages.pop("logits"), *compiled):
        assert np.abs(logits - golden.arrays["main:output"]).max() < 10 * golden.noise("main")
        assert logits.argmax(-1).tolist() == facts["argmax"]
    for name, stage in stages.items():
        expected = golden.arrays[f"main:{name}"]
        actual = in_order_of_the_reference(stage, clips.shape[1])
        actual = actual.reshape(-1)[:: facts["activations"][name]["flat_stride"]]
        np.testing.assert_allclose(actual, expected, atol=1e-5 * expected.std(), err_msg=name)


# The reference's name of an activation -> our layer.
BLOCKS = {f"block{number}": f"block{number + 1}_mlp" for number in range(12)}


@pytest.mark.parametrize("golden", TINY, indirect=True)
@pytest.mark.parametrize("remat", [False, True])
def test_a_training_step_equals_the_reference(golden, remat):
    facts = golden.facts["train"]
    clips = golden.clips(facts)
    model = converted(golden, drop_path=0.0, remat=remat)
    labels = golden.arrays["train:labels"][:, 0]
    optimizer = SGD(1e-3, momentum=0.9, nesterov=True)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    optimizer.build(model.trainable_variables)
    loss, _ = tf.function(TrainStep(model), autograph=False)((clips, labels))
    # The velocity of the first step is the gradient.
    gradients = [v.numpy() for v in optimizer.variables if v.path.endswith("_velocity")]

    np.testing.assert_allclose(loss, facts["loss"], rtol=1e-5)
    arrays = zip(model.trainable_variables, gradients, strict=True)
    by_path = {variable.path: gradient for variable, gradient in arrays}
    gradient_of = original_tensors(model, "paddlevideo", by_path)
    norms = [np.linalg.norm(gradient_of[name]) for name in facts["grad_norm_names"]]
    np.testing.assert_allclose(norms, golden.arrays["train:grad_norms"], rtol=1e-4)
    for key in facts["grad_keys"]:
        expected = golden.arrays[f"train:{key}"].reshape(-1)
        stride = facts.get("flat_stride", {}).get(key, 1)
        actual = gradient_of[key.removeprefix("grad:")].reshape(-1)[::stride]
        np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max())
