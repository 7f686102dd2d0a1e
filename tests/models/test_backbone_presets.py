"""Image networks as presets of `ResNetBackbone`, and as the start of video models."""

import numpy as np
import pytest
from file_server import FileServer
from tiny_classifier import write_pdparams

import keras_video
from keras_video.models import PPTSM, TSN, ResNetBackbone, VideoClassifier
from keras_video.presets import Preset, PresetError, get_preset, original_tensors, registry
from keras_video.testing import draw_weights
from keras_video.training import load_backbone

NO_HUB = "http://127.0.0.1:9"
TINY = {"depth": 18, "variant": "vd", "width": 4}


@pytest.mark.parametrize("name", ["resnet50_imagenet", "resnet50_vd_ssld_v2", "resnet101_vd_ssld"])
def test_a_manifest_describes_the_backbone_it_names(name):
    preset = get_preset(name)
    model = ResNetBackbone.from_preset(name, load_weights=False, endpoint=NO_HUB)
    assert model.preprocessor is model.labels is None
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == preset.parameters
    table = model.checkpoint_maps[preset.source_format](model)
    assert set(table) == {weight.path for weight in model.weights}
    assert preset.source_url.startswith("https://videotag.bj.bcebos.com/PaddleVideo")


def test_presets_of_backbones_and_of_classifiers_are_told_apart():
    assert "resnet50_imagenet" in ResNetBackbone.presets
    assert not set(ResNetBackbone.presets) & set(VideoClassifier.presets)
    with pytest.raises(PresetError, match="is a ResNetBackbone, not a VideoClassifier"):
        VideoClassifier.from_preset("resnet50_imagenet")


@pytest.fixture(scope="module")
def trained():
    """A tiny image network."""
    backbone = ResNetBackbone(**TINY, num_frames=1)
    draw_weights(backbone)
    return backbone


@pytest.fixture
def image_checkpoint(trained, tmp_path):
    """Its file, as PaddleClas writes it: names without prefix, and a classifier."""
    tensors = original_tensors(trained, "paddleclas")
    tensors["fc.weight"] = np.zeros((32, 1000), "float32")
    tensors["fc.bias"] = np.zeros(1000, "float32")
    assert {"conv1_1._conv.weight", "bb_3_1.conv1._batch_norm._variance"} < set(tensors)
    return write_pdparams(tmp_path / "tiny_vd.pdparams", tensors)


@pytest.fixture
def preset(image_checkpoint, tmp_path, monkeypatch):
    """A registered name for it; the original is on a server of this machine."""
    monkeypatch.setattr(registry, "_presets", {})
    preset = Preset(
        name="tiny_vd_imagenet",
        model="keras_video.models:ResNetBackbone",
        config={**TINY, "num_frames": 1},
        source_url="https://checkpoints.invalid/tiny_vd.pdparams",
        source_format="paddleclas",
        source_part="backbone",
    )
    keras_video.register_preset(preset)
    monkeypatch.setenv("KERAS_VIDEO_CACHE", str(tmp_path / "cache"))
    with FileServer().serve() as server:
        server.files["/tiny_vd.pdparams"] = image_checkpoint.read_bytes()
        monkeypatch.setenv("KERAS_VIDEO_CHECKPOINT_MIRROR", server.address)
        yield preset.name


def assert_same_weights(ours, theirs):
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    for weight, expected in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_an_image_network_starts_a_video_model(preset, trained):
    model = PPTSM(num_classes=3, num_frames=4, depth=18, width=4, dtype="mixed_bfloat16")
    head = [w.numpy() for w in model.get_layer("classifier").weights]
    load_backbone(model, preset, endpoint=NO_HUB)
    assert_same_weights(model.backbone, trained)
    for before, after in zip(head, model.get_layer("classifier").weights, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_backbone_is_a_model_of_its_own(preset, trained, tmp_path):
    backbone = ResNetBackbone.from_preset(preset, endpoint=NO_HUB, num_frames=2, shift_ratio=0.25)
    assert_same_weights(backbone, trained)
    backbone.save_to_preset(tmp_path / "mine")
    assert_same_weights(ResNetBackbone.from_preset(tmp_path / "mine"), trained)


def test_a_video_model_starts_another(trained, tmp_path):
    source = PPTSM(num_classes=5, depth=18, width=4)
    draw_weights(source)
    source.save_to_preset(tmp_path / "source")
    model = PPTSM(num_classes=3, num_frames=2, depth=18, width=4)
    load_backbone(model, tmp_path / "source")
    assert_same_weights(model.backbone, source.backbone)


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: TSN(num_classes=3, depth=18, width=4),
            "'tiny_vd_imagenet' doesn't fit the backbone of this TSN: variant is 'vd' there and "
            "'plain' here. .*missing 'stem_conv/kernel'.*unexpected 'stem_conv1/",
        ),
        (
            lambda: PPTSM(num_classes=3, depth=18, width=8),
            "this PPTSM: width is 4 there and 8 here. .*'stem_conv1/kernel' is",
        ),
    ],
)
def test_other_shapes_are_refused(preset, make, message):
    model = make()
    before = [w.numpy() for w in model.weights]
    with pytest.raises(PresetError, match=message):
        load_backbone(model, preset, endpoint=NO_HUB)
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


def test_only_models_with_a_backbone():
    with pytest.raises(ValueError, match="attribute `backbone`.*Received: ResNetBackbone"):
        load_backbone(ResNetBackbone(**TINY), "resnet50_imagenet")


def test_a_downloaded_file_becomes_a_preset(image_checkpoint, trained, tmp_path):
    keras_video.convert(
        image_checkpoint, "resnet_backbone", to=tmp_path / "mine", part="backbone", **TINY
    )
    assert_same_weights(ResNetBackbone.from_preset(tmp_path / "mine"), trained)
