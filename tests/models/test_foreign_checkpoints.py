"""Checkpoints of other worlds, in their own containers, compute here what they compute there."""

import gc

import keras
import numpy as np
import pytest
from golden_torch import GoldenTorch
from stages import with_stages

import keras_video
from keras_video.models.rgb_normalization import KNOWN
from keras_video.models.slowfast.lateral_conv import LateralConv
from keras_video.presets import PresetError, convert, original_tensors, read_checkpoint
from keras_video.presets.checkpoint_format import as_format

RESNET_STAGES = ("stage1_block3_out", "stage2_block4_out", "stage3_block6_out", "stage4_block3_out")

SLOW_STAGES = tuple(f"slow_{name.replace('out', 'conv3')}" for name in RESNET_STAGES)
FAST_STAGES = tuple(name.replace("slow", "fast") for name in SLOW_STAGES)
SLOW_SHARED = ("slow_stem_pool", *SLOW_STAGES[:3])
FAST_SHARED = ("fast_stem_pool", *FAST_STAGES[:3])
FUSED = tuple(f"fuse{number}_join" for number in (1, 2, 3, 4))
STAGES = list(zip(SLOW_SHARED, FUSED, FAST_SHARED, strict=True))
LAST_STAGES = (SLOW_STAGES[3], FAST_STAGES[3])

# An activation that our model does not have as such.
HEAD = None
BLOCKS = tuple(f"block{number}_mlp" for number in (1, 2, 6, 12))

# Golden file -> our class, the format, and our layers of the activations that the file keeps.
WORLDS = {
    "mm_tsn": ("TSN", "mmaction2", ("stem_conv", *RESNET_STAGES)),
    "mm_tsm": ("TSM", "mmaction2", ("stem_conv", *RESNET_STAGES)),
    "mit_tsm": ("TSM", "mit", ("stem_pool", *RESNET_STAGES)),
    "psf_slow_8x8": ("SlowOnly", "pyslowfast", ("slow_stem_pool", *SLOW_STAGES)),
    "psf_slowfast_8x8": (
        "SlowFast",
        "pyslowfast",
        (*(n for slow, both, fast in STAGES for n in (slow, fast, both, fast)), *LAST_STAGES),
    ),
    "ptv_slowfast_r50": (
        "SlowFast",
        "pytorchvideo",
        (*(n for _, both, fast in STAGES for n in (both, fast)), *LAST_STAGES, HEAD),
    ),
    "fb_timesformer": ("TimeSformer", "timesformer", (HEAD, *BLOCKS, HEAD)),
    "hf_timesformer": ("TimeSformer", "huggingface", ("embedding", *BLOCKS, HEAD)),
    "mm_slowfast_8x8": (
        "SlowFast",
        "mmaction2",
        (
            *("slow_stem_pool", "fast_stem_pool", "fuse1", "fuse2", "fuse3", "fuse4"),
            *(n for both in zip(SLOW_STAGES, FAST_STAGES, strict=True) for n in both),
        ),
    ),
    "mm_slow_only_8x8": ("SlowOnly", "mmaction2", ("slow_stem_pool", *SLOW_STAGES)),
    "mm_timesformer": ("TimeSformer", "mmaction2", ("block1_mlp", "block2_mlp", "block4_mlp")),
    "mm_timesformer_joint": ("TimeSformer", "mmaction2", ("block1_mlp", "block2_mlp")),
    "mm_timesformer_space_only": ("TimeSformer", "mmaction2", ()),
}
# The files keep the mean over positions of logits, without softmax.
ARGUMENTS = {"SlowFast": {"average": "logits"}, "SlowOnly": {"average": "logits"}}


class World:
    """A golden checkpoint, written, read and converted once."""

    def __init__(self, name, folder):
        self.golden = GoldenTorch(name)
        self.tensors = read_checkpoint(self.golden.write(folder / name))
        class_name, self.format, self.layers = WORLDS[name]
        self.model_class = getattr(keras_video.models, class_name)
        # Those that `convert` would find out too, for which it builds a model twice.
        found = as_format(self.model_class.checkpoint_maps[self.format]).arguments
        arguments = {**found, **ARGUMENTS.get(class_name, {})}
        self.model = convert(self.tensors, self.model_class, normalize=None, **arguments)


@pytest.fixture(scope="module", params=WORLDS)
def world(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    yield World(request.param, folder)
    (folder / request.param).unlink()
    gc.collect()


@pytest.mark.slow
def test_logits_and_stages_equal_the_original(world):
    golden, model = world.golden, world.model
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == golden.facts["parameters"]
    # Called, not compiled: each network computes once.
    results = with_stages(model, filter(None, world.layers))(golden.clips(), training=False)
    logits, *stages = map(keras.ops.convert_to_numpy, results)

    assert np.abs(logits - golden.logits).max() < golden.tolerance
    assert logits.argmax() == golden.logits.argmax()
    names = [n for n, layer in zip(golden.activations(), world.layers, strict=True) if layer]
    for name, stage in zip(names, stages, strict=True):
        actual = golden.sample(name, as_there(model, stage))
        expected = golden.activation(name)
        np.testing.assert_allclose(actual, expected, atol=1e-3 * expected.std(), err_msg=name)


def as_there(model, stage):
    """An activation in the original's order of axes, channels and tokens."""
    if isinstance(model, keras_video.models.TimeSformer):
        batch, _, channels = stage.shape
        patches = stage[:, 1:].reshape(batch, model.num_frames, -1, channels).swapaxes(1, 2)
        return np.concatenate([stage[:, :1], patches.reshape(batch, -1, channels)], axis=1)
    if isinstance(model, keras_video.models.TSM):
        stage = with_swapped_eighths(stage)
    return np.moveaxis(stage, -1, 1)


def with_swapped_eighths(array):
    """TSM's channels between the blocks, in the order of those who shift the other way round."""
    fold = array.shape[-1] // 8
    order = np.arange(array.shape[-1])
    order[: 2 * fold] = np.roll(order[: 2 * fold], fold)
    return array[..., order]


def test_the_format_is_recognised_and_the_way_back_is_exact(world):
    tensors = original_tensors(world.model, world.format)
    weights = [name for name in world.tensors if not name.endswith(".num_batches_tracked")]
    assert sorted(tensors) == sorted(weights)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, world.tensors[name], err_msg=name)


def test_left_over_and_missing_tensors_are_named(world):
    tensors = dict(world.tensors)
    with pytest.raises(PresetError, match="1 tensors have no variable: 'an.extra.weight'"):
        convert({**tensors, "an.extra.weight": np.ones(3)}, world.model)
    dropped = next(name for name in tensors if name.endswith((".bias", "running_var")))
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


@pytest.mark.parametrize("world", ["psf_slowfast_8x8"], indirect=True)
def test_blobs_of_caffe2_are_the_same_network(world, tmp_path):
    golden, model = world.golden, world.model
    for weight in model.weights:
        weight.assign(keras.ops.zeros_like(weight))
    blobs = read_checkpoint(golden.write_caffe2(tmp_path / "SLOWFAST_8x8_R50.pkl"))
    assert {"lr", "model_iter", "conv1_w_momentum", "res_conv1_bn_riv"} < set(blobs)
    convert(blobs, model)
    tensors = original_tensors(model, "pyslowfast")
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, golden.checkpoint[name], err_msg=name)
    with pytest.raises(PresetError, match="1 tensors have no variable: 'nonlocal_conv3_1_g_w'"):
        convert({**blobs, "nonlocal_conv3_1_g_w": np.ones(3)}, model)


@pytest.mark.parametrize("model", ["SlowFast", "SlowOnly"])
@pytest.mark.parametrize("format", ["pyslowfast", "caffe2", "pytorchvideo", "mmaction2"])
def test_every_format_has_a_name_for_every_weight(model, format):
    """Also of networks of other depths, whose last blocks Caffe2 names."""
    model_class = getattr(keras_video.models, model)
    arguments = model_class.checkpoint_maps[format].arguments
    source = model_class(depth=26, width=8, num_classes=3, **arguments)
    tensors = original_tensors(source, format)
    converted = convert(tensors, model_class, depth=26, width=8)
    for ours, theirs in zip(converted.weights, source.weights, strict=True):
        assert ours.path == theirs.path
        np.testing.assert_array_equal(ours, theirs)


def test_slow_frames_must_be_those_of_the_checkpoint():
    """PySlowFast takes frames 0, 4, 8, 13, ..., 31 of 32; MMAction2 every fourth."""
    small = {"depth": 14, "width": 8, "num_classes": 3}
    evenly = keras_video.models.SlowFast(**small)
    stepwise = keras_video.models.SlowFast(slow_frames="stride", fusion_norm=False, **small)
    with pytest.raises(PresetError, match="need a model with slow_frames='stride', fusion_norm=F"):
        convert(original_tensors(stepwise, "mmaction2"), evenly, format="mmaction2")
    with pytest.raises(PresetError, match="need a model with slow_frames='linspace'"):
        original_tensors(keras_video.models.SlowFast(slow_frames="stride", **small), "caffe2")
    built = convert(original_tensors(stepwise, "mmaction2"), "slowfast", depth=14, width=8)
    assert (built.slow_frames, built.fusion_norm, built.pool_size) == ("stride", False, None)
    assert built.normalize == "imagenet"
    built = convert(original_tensors(evenly, "pytorchvideo"), "slowfast", depth=14, width=8)
    assert (built.slow_frames, built.average) == ("linspace", "logits")


def test_a_connection_of_mmaction2_is_a_convolution_alone():
    import torch

    clips = np.random.default_rng(0).normal(size=(2, 8, 3, 5, 4)).astype("float32")
    layer = LateralConv(6, kernel_size=5, stride=4)
    outputs = np.asarray(layer(clips))
    kernel = torch.tensor(np.asarray(layer.kernel).transpose(4, 3, 0, 1, 2))
    inputs = torch.tensor(clips.transpose(0, 4, 1, 2, 3))
    expected = torch.nn.functional.conv3d(inputs, kernel, stride=(4, 1, 1), padding=(2, 0, 0))
    np.testing.assert_allclose(outputs.transpose(0, 4, 1, 2, 3), expected, atol=1e-5)
    assert layer.compute_output_shape((None, None, 3, 5, 4)) == (None, None, 3, 5, 6)


@pytest.mark.parametrize("attention", ["divided_space_time", "joint_space_time", "space_only"])
@pytest.mark.parametrize("format", ["paddlevideo", "timesformer", "huggingface", "mmaction2"])
def test_every_kind_of_attention_has_names_in_every_format(attention, format):
    """And the tensors tell all of a network's sizes, but for its heads."""
    small = {"attention": attention, "num_layers": 3, "hidden_dim": 28, "mlp_ratio": 1 / 28}
    small |= {"image_size": 48, "patch_size": 12, "num_frames": 2 + (attention != "space_only")}
    source = keras_video.models.TimeSformer(num_classes=3, num_heads=7, **small)
    tensors = original_tensors(source, format)
    assert len(tensors) == len(source.weights)
    said = {"num_heads": 7} | ({"num_frames": 2} if attention == "space_only" else {})
    model = convert(tensors, "timesformer", **said)
    assert {name: getattr(model, name) for name in small} == small
    for ours, theirs in zip(model.weights, source.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    halves = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert model.normalize == (halves if format == "mmaction2" else "kinetics")


@pytest.fixture(scope="module")
def longer():
    """A TimeSformer of larger and longer clips than the defaults, with as many heads."""
    small = {"num_classes": 3, "num_layers": 1, "hidden_dim": 24, "mlp_ratio": 1.0}
    return keras_video.models.TimeSformer(image_size=256, num_frames=16, **small)


@pytest.mark.parametrize("format", ["auto", "timesformer"])
def test_sizes_of_a_checkpoint_are_kept_unless_others_are_said(longer, format):
    tensors = original_tensors(longer, "timesformer")
    model = convert(tensors, "timesformer", format=format, num_heads=12)
    assert (model.image_size, model.num_frames) == (256, 16)
    resized = convert(tensors, "timesformer", format=format, num_heads=12, num_frames=4)
    assert (resized.image_size, resized.num_frames) == (256, 4)
    first = original_tensors(resized, "timesformer")["model.time_embed"][0, 0]
    np.testing.assert_allclose(first, tensors["model.time_embed"][0, 1:3].mean(0), atol=1e-6)
    with pytest.raises(PresetError, match="has shape .1, 1, 16., but tensor"):
        convert(tensors, "timesformer", format=format, hidden_dim=16, num_heads=2)


def test_heads_are_asked_for_where_they_cannot_be_told(longer):
    tensors = original_tensors(longer, "huggingface")
    with pytest.raises(PresetError, match="say num_heads=. Received: hidden_dim=24"):
        convert(tensors, "timesformer")


@pytest.mark.parametrize(
    "name", ["pos_embed", "patch_embed.proj.weight", "blocks.0.attn.proj.weight"]
)
@pytest.mark.parametrize("shape", [(), (24,), (1, 7), (10**9, 0), (1, 0, 24), (0, 0)])
def test_tensors_that_tell_no_size_are_errors(longer, name, shape):
    tensors = original_tensors(longer, "timesformer")
    tensors[f"model.{name}"] = np.zeros(shape, "float32")
    with pytest.raises(PresetError, match="wants a|has shape|fit together"):
        convert(tensors, "timesformer", hidden_dim=24, num_layers=1, mlp_ratio=1.0)


@pytest.mark.parametrize("name", ["mm_slowfast_8x8", "mm_slow_only_8x8", "mm_timesformer"])
def test_models_of_mmaction2_prepare_frames_as_there(name):
    class_name, format, _ = WORLDS[name]
    formats = getattr(keras_video.models, class_name).checkpoint_maps
    normalize = formats[format].defaults["normalize"]
    mean, std = KNOWN[normalize] if isinstance(normalize, str) else normalize
    theirs = GoldenTorch(name).facts["data_preprocessor"]
    np.testing.assert_allclose(255 * np.array([mean, std]), [theirs["mean"], theirs["std"]])


def test_an_image_network_of_torchvision_initialises_the_backbone():
    source = keras_video.models.ResNetBackbone(depth=18, width=8)
    tensors = original_tensors(source, "torchvision")
    assert tensors["layer2.0.downsample.0.weight"].shape == (16, 8, 1, 1)
    tensors |= {"fc.weight": np.ones((1000, 64)), "fc.bias": np.ones(1000)}
    tensors["bn1.num_batches_tracked"] = np.array(3)
    model = convert(tensors, keras_video.models.ResNetBackbone(depth=18, width=8), part="backbone")
    for ours, theirs in zip(model.weights, source.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("world", ["mm_tsn"], indirect=True)
def test_a_swapped_mean_and_variance_would_show(world):
    """The golden statistics tell the two apart, so that the parity above means something."""
    golden = world.golden
    swapped = {
        name.replace("running_var", "?")
        .replace("running_mean", "running_var")
        .replace("?", "running_mean"): abs(tensor)
        for name, tensor in golden.checkpoint.items()
    }
    logits = convert(swapped, world.model)(golden.clips(), training=False)
    convert(golden.checkpoint, world.model)
    assert np.abs(logits - golden.logits).max() > 100 * golden.tolerance
