"""`ViTBackbone`, and how a TimeSformer starts from an image network, of every world."""

import contextlib

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file
from tiny_classifier import write_pdparams

import keras_video
from keras_video.models import TimeSformer, ViTBackbone
from keras_video.presets import PresetError, get_preset, original_tensors
from keras_video.testing import draw_clips, draw_weights
from keras_video.training import load_backbone, load_image_weights

SIZES = {"image_size": 32, "hidden_dim": 32, "num_layers": 2, "num_heads": 4, "normalize": None}
FRAME = draw_clips(2, 1, 32, 32) / np.float32(255)


@pytest.fixture(scope="module")
def network():
    network = ViTBackbone(**SIZES)
    draw_weights(network)
    return network


def video_model(**arguments):
    return TimeSformer(**{"num_classes": 3, "num_frames": 4, **SIZES, **arguments})


def features(model, clips):
    return keras.Model(model.input, model.get_layer("norm").output)(clips, training=False)


def assert_starts_as(network, model):
    """A still clip has the features of its frame."""
    expected = network(FRAME, training=False)[:, 0]
    still = np.repeat(FRAME, model.num_frames, axis=1)
    np.testing.assert_allclose(features(model, still), expected, atol=1e-5)


class KerasHubViT(keras.Model):
    """Weights as `keras_hub.models.ViTBackbone` has them (0.32), without its computation."""

    def __init__(self, network):
        super().__init__()
        self.arrays = {}
        for path, array in original_tensors(network, "keras_hub").items():
            if path.endswith("attention_output/kernel"):
                array = array.reshape(4, 8, 32)
            elif "/mha/" in path and path.endswith("kernel"):
                array = array.reshape(32, 4, 8)
            elif "/mha/" in path and not path.endswith("attention_output/bias"):
                array = array.reshape(4, 8)
            elif path.endswith("embeddings"):
                array = array[0]
            self.arrays[path] = array

    @property
    def weights(self):
        found = []
        for path, array in self.arrays.items():
            *scopes, name = path.split("/")
            with contextlib.ExitStack() as stack:
                for scope in scopes:
                    stack.enter_context(keras.name_scope(scope))
                found.append(keras.Variable(array, name=name))
        return found


def of_transformers(network, folder):
    tensors = original_tensors(network, "huggingface")
    tensors["classifier.weight"] = np.zeros((1000, 32), "float32")
    return save(tensors, folder)


def of_transformers_without_classifier(network, folder):
    tensors = original_tensors(network, "huggingface")
    tensors = {name.removeprefix("vit."): array for name, array in tensors.items()}
    tensors["pooler.dense.weight"] = np.zeros((32, 32), "float32")
    return save(tensors, folder)


def of_timm(network, folder):
    return save(original_tensors(network, "timm"), folder)


def save(tensors, folder):
    save_file(tensors, folder / "model.safetensors")
    return folder / "model.safetensors"


def of_paddleclas(network, folder):
    tensors = original_tensors(network, "paddleclas")
    tensors["head.weight"], tensors["head.bias"] = np.zeros((32, 1000)), np.zeros(1000)
    return write_pdparams(folder / "vit.pdparams", tensors)


def of_keras_hub(network, folder):
    return KerasHubViT(network)


def of_a_preset(network, folder):
    network.save_to_preset(folder / "vit")
    return folder / "vit"


WORLDS = [
    of_timm,
    of_transformers,
    of_transformers_without_classifier,
    of_paddleclas,
    of_keras_hub,
    of_a_preset,
]


@pytest.mark.parametrize("write", WORLDS, ids=lambda write: write.__name__)
def test_a_video_model_starts_as_the_image_network(write, network, tmp_path):
    model = video_model()
    head = [keras.ops.convert_to_numpy(w) for w in model.get_layer("classifier").weights]
    load_image_weights(model, write(network, tmp_path))
    assert_starts_as(network, model)
    attention = model.get_layer("block1_attention")
    np.testing.assert_array_equal(attention.temporal.qkv.kernel, attention.spatial.qkv.kernel)
    np.testing.assert_array_equal(attention.temporal_norm.beta, attention.spatial_norm.beta)
    for before, after in zip(head, model.get_layer("classifier").weights, strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_other_attentions_start_so_too(network, tmp_path):
    path = of_timm(network, tmp_path)
    model = video_model(attention="space_only")
    load_backbone(model, path)
    assert_starts_as(network, model)
    model = video_model(attention="joint_space_time", num_frames=1)
    load_backbone(model, path)
    assert_starts_as(network, model)


def test_another_size_and_another_video_model(network, tmp_path):
    of_a_preset(network, tmp_path)
    large = video_model(image_size=64)
    load_image_weights(large, tmp_path / "vit")
    assert large.get_layer("embedding").positions.shape == (1, 17, 32)
    large.save_to_preset(tmp_path / "large")
    copy = video_model(num_frames=8, num_classes=5)
    load_image_weights(copy, tmp_path / "large")
    for ours, theirs in zip(copy.weights, large.weights, strict=True):
        if not ours.path.startswith(("classifier", "embedding/")):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_layers": 3}, "variables have no tensor: 'block3_attention/"),
        ({"num_layers": 1}, "tensors have no variable: 'blocks.1"),
        ({"hidden_dim": 64}, "has shape"),
    ],
)
def test_another_network_is_refused(arguments, message, network, tmp_path):
    path, model = of_timm(network, tmp_path), video_model(**arguments)
    before = [keras.ops.convert_to_numpy(w) for w in model.weights]
    with pytest.raises(PresetError, match=message):
        load_image_weights(model, path)
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_layers": 3}, "another than the model's: it lacks 'block3_attention/"),
        ({"hidden_dim": 64}, "other shapes: 'embedding/class_token', "),
    ],
)
def test_another_preset_is_refused(arguments, message, network, tmp_path):
    with pytest.raises(PresetError, match=message):
        load_image_weights(video_model(**arguments), of_a_preset(network, tmp_path))


def test_the_manifest_describes_the_network():
    preset = get_preset("vit_base_patch16_imagenet")
    network = ViTBackbone.from_preset(
        preset.name, load_weights=False, endpoint="http://127.0.0.1:9"
    )
    assert network.count_params() == preset.parameters
    table = network.checkpoint_maps[preset.source_format](network)
    assert set(table) == {weight.path for weight in network.weights}
    assert preset.name not in keras_video.models.VideoClassifier.presets
