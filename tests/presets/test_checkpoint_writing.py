"""Presets go back to the worlds that their networks come from, bit for bit."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from keras_video.cli import main
from keras_video.data import VideoPreprocessor
from keras_video.models import SlowFast, SlowOnly, TimeSformer
from keras_video.presets import PresetError, convert, read_checkpoint, write_checkpoint

TIMESFORMER = {"num_frames": 2, "image_size": 32, "hidden_dim": 16, "num_layers": 2, "num_heads": 2}
SLOW = {"depth": 14, "width": 8}
MODELS = {
    "timesformer": lambda: TimeSformer(num_classes=3, **TIMESFORMER),
    "slowfast": lambda: SlowFast(num_classes=3, average="logits", **SLOW),
    "slow_only": lambda: SlowOnly(num_classes=3, average="logits", **SLOW),
}


def drawn(name):
    model = MODELS[name]()
    generator = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(generator.uniform(0.1, 1, variable.shape))
    model.labels = ["a", "b", "c"]
    return model


def assert_same_weights(model, expected):
    for ours, theirs in zip(model.weights, expected.weights, strict=True):
        assert ours.path == theirs.path
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("attention", ["divided_space_time", "joint_space_time", "space_only"])
def test_a_folder_for_transformers_and_back(tmp_path, attention):
    model = TimeSformer(num_classes=3, attention=attention, normalize="imagenet", **TIMESFORMER)
    model.labels = ["a", "b", "c"]
    model.preprocessor = VideoPreprocessor(num_frames=2, short_side=40, crop_size=32)
    write_checkpoint(model, tmp_path / "folder", "huggingface")
    names = sorted(file.name for file in (tmp_path / "folder").iterdir())
    assert names == ["config.json", "model.safetensors", "preprocessor_config.json"]
    with safe_open(tmp_path / "folder" / "model.safetensors", "numpy") as file:
        assert file.metadata() == {"format": "pt"}

    again = TimeSformer.from_preset(tmp_path / "folder")
    assert_same_weights(again, model)
    assert again.labels == model.labels
    mean_and_std = [list(part) for part in again.normalize]
    assert mean_and_std == [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]
    assert again.preprocessor.short_side == 40
    config, new = again.get_config(), model.get_config()
    for argument in ("num_frames", "attention", "hidden_dim", "num_heads", "mlp_ratio"):
        assert config[argument] == new[argument]

    write_checkpoint(again, tmp_path / "second", "huggingface")
    for name in names:
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("folder", "second"))
        assert first == second


def test_a_folder_without_a_known_preparation_has_no_config_of_it(tmp_path):
    model = TimeSformer(num_classes=3, normalize=None, **TIMESFORMER)
    write_checkpoint(model, tmp_path / "folder", "huggingface")
    assert not (tmp_path / "folder" / "preprocessor_config.json").exists()
    config = json.loads((tmp_path / "folder" / "config.json").read_text())
    assert config["id2label"] == {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}


@pytest.mark.parametrize(
    "name, format",
    [
        ("slowfast", "pytorchvideo"),
        ("slowfast", "pyslowfast"),
        ("slow_only", "pytorchvideo"),
        ("timesformer", "timesformer"),
        ("timesformer", "mmaction2"),
    ],
)
@pytest.mark.parametrize("suffix", [".safetensors", ".pyth"])
def test_a_file_and_back(tmp_path, name, format, suffix):
    model = drawn(name)
    path = tmp_path / "new" / f"weights{suffix}"
    write_checkpoint(model, path, format)
    copy = MODELS[name]()
    convert(path, copy, format=format)
    assert_same_weights(copy, model)


def test_torch_finds_the_weights_where_the_project_has_them(tmp_path):
    model = drawn("slowfast")
    write_checkpoint(model, tmp_path / "a.pyth", "pytorchvideo")
    state = torch.load(tmp_path / "a.pyth", weights_only=True)["model_state"]
    kernel = state["blocks.0.multipathway_blocks.0.conv.weight"]
    np.testing.assert_array_equal(
        kernel.permute(2, 3, 4, 1, 0), model.backbone.get_layer("slow_stem").kernel
    )
    # A state dict without counters of batches is a whole one to torch.
    prefix = "blocks.0.multipathway_blocks.0.norm."
    norm = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    torch.nn.BatchNorm3d(8).load_state_dict(norm, strict=True)


def test_reduced_precision_is_written_as_float32(tmp_path):
    model = TimeSformer(num_classes=3, dtype="bfloat16", **TIMESFORMER)
    write_checkpoint(model, tmp_path / "a.pth", "timesformer")
    tensors = read_checkpoint(tmp_path / "a.pth")
    assert {tensor.dtype.name for tensor in tensors.values()} == {"float32"}


def test_what_cannot_be_written_is_named(tmp_path):
    model = drawn("slow_only")
    with pytest.raises(PresetError, match="SlowOnly reads these formats.*'huggingface'"):
        write_checkpoint(model, tmp_path / "a", "huggingface")
    with pytest.raises(PresetError, match="written as .safetensors or, with torch.*a.bin"):
        write_checkpoint(model, tmp_path / "a.bin", "pytorchvideo")
    (tmp_path / "file").write_text("")
    with pytest.raises(PresetError, match="The checkpoint can't be written"):
        write_checkpoint(model, tmp_path / "file" / "a.safetensors", "pytorchvideo")


def test_without_torch_a_torch_file_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(PresetError, match=r"keras-video\[convert\].*safetensors file needs no"):
        write_checkpoint(drawn("slow_only"), tmp_path / "a.pth", "pytorchvideo")


def test_the_command_goes_both_ways(tmp_path, capsys):
    model = drawn("slow_only")
    write_checkpoint(model, tmp_path / "original.safetensors", "pytorchvideo")
    arguments = ["--model", "slow_only", "--to", str(tmp_path / "preset"), "--depth", "14"]
    source = tmp_path / "original.safetensors"
    # The width isn't the default one, so the file doesn't fit.
    assert main(["convert", str(source), *arguments]) == 2
    assert "doesn't fit SlowOnly" in capsys.readouterr().err

    model.save_to_preset(tmp_path / "preset")
    written = ["--to", "pytorchvideo", "--output", str(tmp_path / "back.safetensors")]
    assert main(["convert", str(tmp_path / "preset"), *written]) == 0
    assert "SlowOnly with" in capsys.readouterr().out
    assert (tmp_path / "back.safetensors").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("arguments", [[], ["--model", "slow_only", "--output", "x"]])
def test_the_command_wants_to_know_which_way(arguments, capsys):
    assert main(["convert", "a", "--to", "b", *arguments]) == 2
    assert "takes --model NAME to make a preset" in capsys.readouterr().err
