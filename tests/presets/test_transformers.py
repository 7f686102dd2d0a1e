"""Folders and repositories of transformers load like presets, converted on the fly, once."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import keras_video
from keras_video.models import TSM, TimeSformer, VideoClassifier
from keras_video.presets import Preset, PresetError, original_tensors, register_preset

SMALL = {"num_frames": 4, "image_size": 32, "hidden_dim": 16, "num_layers": 2, "num_heads": 2}
LABELS = ["abseiling", "air drumming", "answering questions"]
CONFIG = {
    "architectures": ["TimesformerForVideoClassification"],
    "model_type": "timesformer",
    "attention_type": "divided_space_time",
    "hidden_size": 16,
    "id2label": {str(index): label for index, label in enumerate(LABELS)},
    "image_size": 32,
    "intermediate_size": 64,
    "layer_norm_eps": 1e-06,
    "num_attention_heads": 2,
    "num_frames": 4,
    "num_hidden_layers": 2,
    "transformers_version": "4.25.0.dev0",
}
PREPROCESSOR = {
    "crop_size": {"height": 32, "width": 32},
    "image_mean": [0.45, 0.45, 0.45],
    "image_std": [0.225, 0.225, 0.225],
    "image_processor_type": "VideoMAEImageProcessor",
    "resample": 2,
    "size": {"shortest_edge": 32},
}


@pytest.fixture(scope="module")
def original():
    """The network that the files hold."""
    model = TimeSformer(num_classes=3, **SMALL)
    generator = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(generator.normal(size=variable.shape, scale=0.3))
    return model


@pytest.fixture
def folder(tmp_path, original):
    folder = tmp_path / "timesformer"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    tensors = original_tensors(original, "huggingface")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def answers(model):
    clips = np.random.default_rng(1).integers(0, 256, (2, 4, 32, 32, 3)).astype("uint8")
    return model.predict(clips, verbose=0)


@pytest.mark.parametrize("model_class", [TimeSformer, VideoClassifier])
def test_a_repository_of_transformers_loads(hub, folder, original, model_class):
    hub.add_folder("facebook/timesformer-tiny", folder)
    model = model_class.from_preset("hf://facebook/timesformer-tiny", endpoint=hub.address)
    assert type(model) is TimeSformer
    np.testing.assert_array_equal(answers(model), answers(original))
    assert model.labels == LABELS
    assert model.normalize == "kinetics"
    expected = {"num_frames": 4, "short_side": 32, "crop_size": 32, "crop": "uniform"}
    config = model.preprocessor.get_config()
    assert {name: config[name] for name in expected} == expected
    frames = np.zeros((300, 40, 48, 3), "uint8")
    assert model.preprocessor(frames).shape == (3, 4, 32, 32, 3)
    assert model.preprocessor.frame_indices(300).tolist() == [[0, 85, 170, 255]]


def test_weights_as_torch_saves_them_are_read_too(hub, folder, original):
    tensors = original_tensors(original, "huggingface")
    state = {name: torch.from_numpy(array) for name, array in tensors.items()}
    torch.save(state, folder / "pytorch_model.bin")
    both = hub.add_folder("facebook/both", folder)
    TimeSformer.from_preset("hf://facebook/both", endpoint=hub.address)
    assert "pytorch_model.bin" not in hub.downloads()

    files = {name: blob for name, blob in both.files.items() if name != "model.safetensors"}
    both.commit(files)
    model = TimeSformer.from_preset("hf://facebook/both", endpoint=hub.address)
    assert "pytorch_model.bin" in hub.downloads()
    np.testing.assert_array_equal(answers(model), answers(original))


def test_a_folder_on_this_machine_loads(folder, original):
    model = TimeSformer.from_preset(folder)
    np.testing.assert_array_equal(answers(model), answers(original))
    assert sorted(file.name for file in folder.iterdir()) == [
        "config.json", "model.safetensors", "preprocessor_config.json"
    ]  # fmt: skip


def test_a_repository_is_converted_once(hub, folder, monkeypatch):
    hub.add_folder("facebook/tiny", folder)
    TimeSformer.from_preset("hf://facebook/tiny", endpoint=hub.address)

    def convert(*_):
        raise AssertionError("converted again")

    monkeypatch.setattr("keras_video.presets.original._converted_model", convert)
    again = TimeSformer.from_preset("hf://facebook/tiny", endpoint=hub.address)
    offline = TimeSformer.from_preset("hf://facebook/tiny", local_files_only=True)
    np.testing.assert_array_equal(answers(again), answers(offline))


def test_other_weights_in_the_same_folder_are_converted_again(folder, original):
    TimeSformer.from_preset(folder)
    tensors = original_tensors(original, "huggingface")
    tensors["classifier.bias"] = tensors["classifier.bias"] + 1
    save_file(tensors, folder / "model.safetensors")
    model = TimeSformer.from_preset(folder)
    np.testing.assert_allclose(answers(model), answers(original) + 1, rtol=1e-5)


def test_overrides_and_absent_weights_work_as_for_presets(hub, folder, original):
    hub.add_folder("facebook/tiny", folder)
    tuned = TimeSformer.from_preset("hf://facebook/tiny", endpoint=hub.address, num_classes=7)
    assert tuned.labels is None and tuned.output_shape == (None, 7)
    np.testing.assert_array_equal(tuned.weights[0], original.weights[0])
    other_hub = hub.downloads()
    fresh = TimeSformer.from_preset("hf://facebook/tiny", endpoint=hub.address, load_weights=False)
    assert fresh.labels == LABELS and fresh.preprocessor.num_frames == 4
    assert hub.downloads().count("model.safetensors") <= other_hub.count("model.safetensors")


def test_another_class_is_refused_with_and_without_weights(folder):
    for load_weights in (True, False):
        with pytest.raises(PresetError, match="The preset is a TimeSformer, not a TSM"):
            TSM.from_preset(folder, load_weights=load_weights)


def test_a_registered_name_may_point_to_a_repository_of_transformers(hub, folder, original):
    hub.add_folder("facebook/tiny", folder)
    register_preset(
        Preset(
            name="timesformer_tiny",
            model="keras_video.models:TimeSformer",
            config={"num_classes": 3, **SMALL, "view_average": "probabilities"},
            preprocessor={"num_frames": 4, "short_side": 32, "crop_size": 32},
            repository="facebook/tiny",
            source_format="huggingface",
        )
    )
    model = TimeSformer.from_preset("timesformer_tiny", endpoint=hub.address)
    np.testing.assert_array_equal(answers(model), answers(original))
    assert model.view_average == "probabilities"
    assert model.preprocessor.crop == "center"
    assert model.labels == LABELS


def test_labels_without_names_are_none(folder):
    config = {**CONFIG, "id2label": {str(i): f"LABEL_{i}" for i in range(3)}}
    (folder / "config.json").write_text(json.dumps(config))
    assert TimeSformer.from_preset(folder).labels is None


@pytest.mark.parametrize(
    "normalize, changes",
    [
        ([[0.5, 0.5, 0.5], [0.25, 0.25, 0.25]], {"image_mean": [0.5] * 3, "image_std": [0.25] * 3}),
        ([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], {"do_normalize": False}),
        ("kinetics", {"size": 36, "crop_size": 32}),
    ],
)
def test_the_preprocessor_s_config_says_what_is_subtracted(folder, normalize, changes):
    (folder / "preprocessor_config.json").write_text(json.dumps({**PREPROCESSOR, **changes}))
    model = TimeSformer.from_preset(folder, load_weights=False)
    found = model.normalize
    assert (found if isinstance(found, str) else [list(part) for part in found]) == normalize
    assert model.preprocessor.short_side == (36 if "size" in changes else 32)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model_type": "videomae"}, "A 'videomae' of transformers can't be loaded.*timesformer"),
        ({"layer_norm_eps": 1e-12}, "layer_norm_eps=1e-06 only; the config says 1e-12"),
        ({"hidden_act": "relu"}, "hidden_act='gelu' only"),
        ({"hidden_size": "x"}, "config of transformers isn't read"),
        ({"id2label": ["a"]}, "config of transformers isn't read"),
        ({"num_attention_heads": 3}, "`num_heads` must divide `hidden_dim`"),
        ({"num_hidden_layers": 3}, "can't be used.*variables have no tensor"),
        ({"num_hidden_layers": 1}, "can't be used.*tensors have no variable"),
    ],
)
def test_what_cannot_be_read_is_named(folder, changes, message):
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    with pytest.raises(PresetError, match=message):
        TimeSformer.from_preset(folder)


def test_a_folder_without_weights_is_named(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(PresetError, match="neither model.safetensors nor pytorch_model.bin"):
        TimeSformer.from_preset(folder)


def test_a_repository_without_weights_is_named(hub, folder):
    (folder / "model.safetensors").unlink()
    hub.add_folder("facebook/tiny", folder)
    with pytest.raises(PresetError, match="it has no model.safetensors"):
        keras_video.presets.load_preset("hf://facebook/tiny", endpoint=hub.address)
