"""Checkpoints of other worlds, in their own containers, compute here what they compute there."""

import keras
import numpy as np
import pytest
from golden_torch import GoldenTorch

import keras_video
from keras_video.presets import PresetError, convert, original_tensors, read_checkpoint

RESNET_STAGES = ("stage1_block3_out", "stage2_block4_out", "stage3_block6_out", "stage4_block3_out")

# Golden file -> our class, the format, and our layers of the activations that the file keeps.
WORLDS = {
    "mm_tsn": ("TSN", "mmaction2", ("stem_conv", *RESNET_STAGES)),
    "mm_tsm": ("TSM", "mmaction2", ("stem_conv", *RESNET_STAGES)),
    "mit_tsm": ("TSM", "mit", ("stem_pool", *RESNET_STAGES)),
}


class World:
    """A golden checkpoint, written and converted once."""

    def __init__(self, name, folder):
        self.golden = GoldenTorch(name)
        self.file = self.golden.write(folder / f"{name}.pth")
        class_name, self.format, self.layers = WORLDS[name]
        self.model_class = getattr(keras_video.models, class_name)
        self.model = convert(self.file, self.model_class, normalize=None)


@pytest.fixture(scope="module", params=WORLDS)
def world(request, tmp_path_factory):
    return World(request.param, tmp_path_factory.mktemp(request.param))


def test_logits_and_stages_equal_the_original(world):
    golden, model = world.golden, world.model
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == golden.facts["parameters"]
    layers = [model.backbone.get_layer(name).output for name in world.layers]
    outputs = keras.Model(model.backbone.inputs, [model.backbone.output, *layers])
    _, *stages = outputs.predict(golden.clips(), verbose=0)
    logits = model.predict(golden.clips(), verbose=0)

    assert np.abs(logits - golden.logits).max() < golden.tolerance
    assert logits.argmax() == golden.logits.argmax()
    for name, stage in zip(golden.activations(), stages, strict=True):
        if isinstance(model, keras_video.models.TSM):
            stage = with_swapped_eighths(stage)
        actual = golden.sample(name, np.moveaxis(stage, -1, 1))
        expected = golden.activation(name)
        np.testing.assert_allclose(actual, expected, atol=1e-3 * expected.std(), err_msg=name)


def with_swapped_eighths(array):
    """TSM's channels between the blocks, in the order of those who shift the other way round."""
    fold = array.shape[-1] // 8
    order = np.arange(array.shape[-1])
    order[: 2 * fold] = np.roll(order[: 2 * fold], fold)
    return array[..., order]


def test_the_format_is_recognised_and_the_way_back_is_exact(world):
    tensors = original_tensors(world.model, world.format)
    original = read_checkpoint(world.file)
    weights = [name for name in original if not name.endswith(".num_batches_tracked")]
    assert sorted(tensors) == sorted(weights)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, original[name], err_msg=name)


def test_left_over_and_missing_tensors_are_named(world):
    tensors = read_checkpoint(world.file)
    with pytest.raises(PresetError, match="1 tensors have no variable: 'backbone.extra.weight'"):
        convert({**tensors, "backbone.extra.weight": np.ones(3)}, world.model)
    dropped = next(name for name in tensors if name.endswith("running_var"))
    del tensors[dropped]
    with pytest.raises(PresetError, match=f"1 variables have no tensor: '.*tensor {dropped}.'"):
        convert(tensors, world.model)


@pytest.mark.parametrize("format", ["mmaction2", "mit"])
def test_the_shift_must_be_the_one_of_the_checkpoint(format):
    """An eighth of the channels each way, whatever the number of frames."""
    small = {"depth": 18, "width": 8, "num_frames": 16}
    tensors = original_tensors(keras_video.models.TSM(num_classes=3, **small), format)
    assert convert(tensors, "tsm", **small).shift_ratio == 0.125
    with pytest.raises(PresetError, match="the format .* need a model with shift_ratio=0.125"):
        convert(tensors, "tsm", **small, shift_ratio=1 / 16)


def test_an_image_network_of_torchvision_initialises_the_backbone():
    source = keras_video.models.ResNetBackbone(depth=18, width=8)
    tensors = original_tensors(source, "torchvision")
    assert tensors["layer2.0.downsample.0.weight"].shape == (16, 8, 1, 1)
    tensors |= {"fc.weight": np.ones((1000, 64)), "fc.bias": np.ones(1000)}
    tensors["bn1.num_batches_tracked"] = np.array(3)
    model = convert(tensors, keras_video.models.ResNetBackbone(depth=18, width=8), part="backbone")
    for ours, theirs in zip(model.weights, source.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_swapped_mean_and_variance_would_show():
    """The golden statistics tell the two apart, so that the parity above means something."""
    golden = GoldenTorch("mm_tsn")
    swapped = {
        name.replace("running_var", "?")
        .replace("running_mean", "running_var")
        .replace("?", "running_mean"): abs(tensor)
        for name, tensor in golden.checkpoint.items()
    }
    model = convert(swapped, keras_video.models.TSN, normalize=None)
    logits = model.predict(golden.clips(), verbose=0)
    assert np.abs(logits - golden.logits).max() > 100 * golden.tolerance
