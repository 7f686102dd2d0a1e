"""`keras-video summary`: what it says of a preset, without weights."""

import json
import shutil

import pytest

from keras_video.cli import main
from keras_video.models import TSM, summarize
from keras_video.presets.resolution import BUNDLED

PRESET = "tsm_tiny_motion"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whoever asks the Hub, or for a checkpoint, gets an error."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("KERAS_VIDEO_CHECKPOINT_MIRROR", "http://127.0.0.1:9")


def record(capsys, *arguments):
    assert main(["summary", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def shown(capsys, *arguments):
    assert main(["summary", *arguments]) == 0
    return capsys.readouterr().out


def test_stages_parameters_multiply_adds_and_memory_are_shown(capsys):
    text = shown(capsys, PRESET)
    for words in (
        "tsm_tiny_motion: TSM",
        "Input: clips 1x8x64x64x3",
        "stage4",
        "8x2x2x128",
        "classifier",
        "705,848; without batch normalisation 700,984",
        "703,416; without batch normalisation 700,984",
        "89.00 M (conv 89.00 M",
        "1 view)",
        "2.7 MiB",
    ):
        assert words in text, text
    assert "stage4_block1_conv1" not in text
    assert "stage4_block1_conv1" in shown(capsys, PRESET, "--layers")


def test_the_record_is_the_summary(capsys):
    summary = summarize(TSM.from_preset(PRESET))
    found = record(capsys, PRESET)
    assert found["preset"] == PRESET
    assert found["multiply_adds"] == {
        **summary.multiply_adds,
        "total": summary.total_multiply_adds,
    }
    assert found["parameters"] == summary.parameters
    assert found["trainable_parameters"] == summary.trainable_parameters == 703_416
    assert found["activation_bytes"] == summary.activation_bytes
    assert [layer["name"] for layer in found["layers"]] == [s.name for s in summary.layers]


def test_a_published_preset_is_counted_without_a_download_with_its_views(capsys):
    found = record(capsys, "pp_tsm_k400_dense")
    assert found["multiply_adds"]["total"] == 34_615_033_856
    assert found["views"] == 30
    assert found["video_multiply_adds"] == 30 * 34_615_033_856


def test_another_size_and_number_of_frames(capsys):
    small = record(capsys, PRESET)
    other = record(capsys, PRESET, "--size", "128", "--num-frames", "16")
    assert other["input_shapes"] == {"clips": [1, 16, 128, 128, 3]}
    assert other["multiply_adds"]["conv"] == 8 * small["multiply_adds"]["conv"]


def test_a_directory_needs_no_weights(tmp_path, capsys):
    without = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(BUNDLED / PRESET, tmp_path / "mine", ignore=without)
    assert "mine: TSM" in shown(capsys, str(tmp_path / "mine"))


def test_features_have_steps_instead_of_frames(capsys):
    found = record(capsys, "bmn_activitynet", "--num-frames", "50")
    assert found["input_shapes"] == {"features": [1, 50, 400]}
    assert found["views"] is None
    assert "by definition" in found["notes"][0]
    assert main(["summary", "bmn_activitynet", "--size", "64"]) == 2
    assert "no height and no width" in capsys.readouterr().err


def test_mistakes_are_one_line(capsys):
    assert main(["summary", "tsm_k4000"]) == 2
    assert "Did you mean" in capsys.readouterr().err
    assert main(["summary", "slowfast_8x8_k400", "--num-frames", "30"]) == 2
    assert "multiple of `alpha`" in capsys.readouterr().err
