"""The built-in presets: their manifests, and the way from a reference checkpoint to an answer."""

import inspect
import pickle

import keras
import numpy as np
import pytest
from file_server import FileServer
from golden_model import GoldenModel

import keras_video
from keras_video.data.motion_clips import MOTION_CLASSES, render_motion_clip
from keras_video.data.video_writer import write_video
from keras_video.presets import get_preset, load_labels
from keras_video.presets.checkpoint_format import as_format

ORIGINALS = [
    name for name in keras_video.models.VideoClassifier.presets if get_preset(name).source_url
]
# Preset -> golden model with the same tensors.
GOLDEN = {
    "tsn_k400": "tsn_r50",
    "tsm_k400": "tsm_r50",
    "pp_tsn_k400": "pptsn_r50",
    "pp_tsm_k400": "pptsm_r50",
}


def test_every_checkpoint_of_the_reference_has_a_name():
    originals = {name for name in ORIGINALS if get_preset(name).source_format == "paddlevideo"}
    assert originals == {
        "tsn_k400",
        "tsn_k400_8",
        "tsm_k400",
        "tsm_ucf101",
        "tsm_ucf101_amp",
        "tsm_ucf101_amp_nhwc",
        "pp_tsn_k400",
        "pp_tsn_k400_8_distill",
        "pp_tsm_k400",
        "pp_tsm_k400_distill",
        "pp_tsm_k400_dense",
        "pp_tsm_k400_dense_distill",
        "pp_tsm_101_k400_distill",
        "pp_tsm_101_k400_dense",
        "slowfast_4x16_k400",
        "slowfast_8x8_k400",
        "timesformer_k400",
    }
    assert len({get_preset(name).source_url for name in ORIGINALS}) == len(ORIGINALS)


# What the size of a network depends on.
SIZES = ("num_classes", "depth", "fusion_kernel", "fusion_norm", "attention")


def networks():
    """One preset of every network that is published in a format."""
    found = {}
    for name in ORIGINALS:
        preset = get_preset(name)
        sizes = tuple((size, preset.config.get(size)) for size in SIZES)
        found.setdefault((preset.model, preset.source_format, sizes), name)
    return list(found.values())


@pytest.mark.parametrize("name", networks())
def test_a_manifest_describes_the_model_it_names(name):
    preset = get_preset(name)
    model = keras_video.models.VideoClassifier.from_preset(
        name, load_weights=False, endpoint="http://127.0.0.1:9"
    )
    assert f"{type(model).__module__}".startswith("keras_video.models")
    assert type(model).__name__ == preset.model_class_name
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == preset.parameters
    assert len(model.labels) == model.num_classes
    # Every tensor of the checkpoint has its place, and its numbers mean the same here.
    format = as_format(model.checkpoint_maps[preset.source_format])
    assert set(format(model)) == {weight.path for weight in model.weights}
    assert format.other_arguments(model, with_defaults=True) == {}


@pytest.mark.parametrize("name", ORIGINALS)
def test_a_manifest_is_complete(name):
    preset = get_preset(name)
    same = [get_preset(other) for other in networks()]
    assert preset.parameters in {p.parameters for p in same if p.model == preset.model}
    assert len(load_labels(preset.labels)) == preset.config["num_classes"]
    model_class = getattr(keras_video.models, preset.model_class_name)
    parameters = inspect.signature(model_class.__init__).parameters
    frames = preset.config.get("num_frames", parameters["num_frames"].default)
    assert keras_video.data.VideoPreprocessor(**preset.preprocessor).num_frames == frames
    assert 60 < preset.metrics["top1"] < preset.metrics.get("top5", 100)
    assert preset.metrics_source.startswith("https://github.com/")
    assert preset.license in ("apache-2.0", "mit")


def test_repositories_of_transformers_are_named_with_their_license():
    names = keras_video.list_presets("*_facebook", model="TimeSformer")
    assert len(names) == 6
    for preset in map(get_preset, names):
        assert preset.repository.startswith("facebook/timesformer-")
        assert preset.license == "cc-by-nc-4.0"
        frames = preset.config.get("num_frames", 8)
        preprocessor = keras_video.data.VideoPreprocessor(**preset.preprocessor)
        assert preprocessor.num_frames == frames
        assert preprocessor.crop_size == preset.config.get("image_size", 224)
        assert preset.metrics["top1"] < preset.metrics["top5"]


def test_a_checkpoint_is_read_into_the_network_of_the_bundled_preset():
    model = keras_video.models.TSM.from_preset("tsm_tiny_motion")
    tensors = keras_video.presets.original_tensors(model, "paddlevideo")
    copy = keras_video.convert(tensors, "tsm_tiny_motion", format="paddlevideo")
    assert copy.get_config() == model.get_config()
    assert (copy.labels, copy.preprocessor) == (model.labels, model.preprocessor)
    for ours, theirs in zip(copy.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    """The host of the original checkpoints, on this machine; the Hub has nothing."""
    with FileServer().serve() as server:
        monkeypatch.setenv("KERAS_VIDEO_CHECKPOINT_MIRROR", server.address)
        monkeypatch.setenv("KERAS_VIDEO_CACHE", str(tmp_path / "cache"))
        yield server


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    frames = render_motion_clip("moving left", seed=1, num_frames=40, size=256)
    write_video(path, np.repeat(frames, 2, axis=2)[:, :, :340])
    return path


@pytest.mark.parametrize("name", GOLDEN)
def test_a_name_leads_from_the_reference_checkpoint_to_labels(name, mirror, video, tmp_path):
    golden = GoldenModel(GOLDEN[name])
    checkpoint = golden.write_pdparams(tmp_path / "original.pdparams").read_bytes()
    preset = get_preset(name)
    path = "/" + preset.source_url.split("/", 3)[3]
    mirror.files[path] = checkpoint

    model_class = getattr(keras_video.models, preset.model_class_name)
    model = model_class.from_preset(name, endpoint="http://127.0.0.1:9")
    assert mirror.requests == [path]

    # The same answer as the golden network on the preprocessed views.
    if model.preprocessor.num_views > 1:  # keep the test short
        config = {**model.preprocessor.get_config(), "crop": "center"}
        model.preprocessor = keras_video.data.VideoPreprocessor.from_config(config)
    predictions = model.classify(video, top_k=3)
    assert [set(p) for p in predictions] == [{"label", "class_id", "score"}] * 3
    assert predictions[0]["label"] == load_labels("kinetics400")[predictions[0]["class_id"]]

    views = model.preprocessor(video)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    normalized = keras_video.presets.convert(
        tmp_path / "original.pdparams",
        model_class,
        num_frames=views.shape[1],
        normalize=None,
    ).predict(((views / 255 - mean) / std).astype("float32"), verbose=0)
    scores = np.exp(normalized.mean(0) - normalized.mean(0).max())
    best = scores.argmax()
    assert predictions[0]["class_id"] == best
    assert predictions[0]["score"] == pytest.approx(scores[best] / scores.sum(), rel=1e-3)

    # Converted once: neither the mirror nor the Hub is needed again.
    again = model_class.from_preset(name, endpoint="http://127.0.0.1:9")
    assert mirror.requests == [path]
    np.testing.assert_array_equal(again.weights[0], model.weights[0])


def test_the_bundled_preset_needs_no_network(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = keras_video.models.TSM.from_preset("tsm_tiny_motion")
    assert model.labels == list(MOTION_CLASSES)
    assert model.count_params() < 750_000


def test_a_new_head_keeps_the_backbone():
    model = keras_video.models.TSM.from_preset("tsm_tiny_motion")
    tuned = keras_video.models.TSM.from_preset("tsm_tiny_motion", num_classes=3)
    assert tuned.labels is None
    assert tuned.output_shape == (None, 3)
    for ours, theirs in zip(model.backbone.weights, tuned.backbone.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_preset_of_another_class_is_named():
    with pytest.raises(ValueError, match="TSM.*TSN|TSN.*TSM"):
        keras_video.models.TSN.from_preset("tsm_tiny_motion")


def test_presets_of_a_class():
    assert "tsm_k400" in keras_video.models.TSM.presets
    assert "tsn_k400" not in keras_video.models.TSM.presets
    assert set(ORIGINALS) < set(keras_video.models.VideoClassifier.presets)


def test_a_backbone_checkpoint_initialises_the_backbone_only(tmp_path):
    """PaddleClas' ImageNet files: no prefix, and a classifier of their own."""
    golden = GoldenModel("tsm_r50")
    state = {
        name.removeprefix("backbone."): tensor
        for name, tensor in golden.checkpoint.items()
        if name.startswith("backbone.")
    }
    state["out.weight"] = np.zeros((2048, 1000), "float32")
    state["out.bias"] = np.zeros(1000, "float32")
    path = tmp_path / "ResNet50_pretrain.pdparams"
    path.write_bytes(pickle.dumps(state, protocol=2))
    keras.utils.set_random_seed(0)
    model = keras_video.models.TSM(num_classes=7)
    head = model.get_layer("classifier").get_weights()
    keras_video.presets.convert(path, model, part="backbone")
    kernel = model.backbone.get_layer("stem_conv").kernel
    np.testing.assert_array_equal(
        np.asarray(kernel).transpose(3, 2, 0, 1), state["conv._conv.weight"]
    )
    for before, after in zip(head, model.get_layer("classifier").get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
