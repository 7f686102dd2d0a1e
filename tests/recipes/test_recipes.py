"""Every recipe's numbers, and that what it describes can be built and fed."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_video.data import prepare_dataset, render_motion_clip, write_video
from keras_video.data.transforms import MultiScaleCrop, RandomFlip
from keras_video.models import TSM
from keras_video.presets.registry import get_preset
from keras_video.training import plots, prepare_recipe
from keras_video.training.recipe_config import check_config
from keras_video.training.recipe_model import make_schedule

FOLDER = Path(__file__).parents[2] / "recipes"
PUBLISHED = {
    "tsn_k400": "tsn_k400",
    "tsm_k400": "tsm_k400",
    "tsm_ucf101": "tsm_ucf101",
    "pp_tsm_k400_uniform": "pp_tsm_k400",
    "pp_tsm_k400_dense": "pp_tsm_k400_dense",
    "pp_tsm_101_k400_dense": "pp_tsm_101_k400_dense",
    "pp_tsn_k400": "pp_tsn_k400",
    "slow_only_8x8_k400": "slow_only_8x8_k400_pyslowfast",
    "slowfast_4x16_k400": "slowfast_4x16_k400",
    "slowfast_8x8_k400": "slowfast_8x8_k400_pyslowfast",
    "slowfast_8x8_k400_multigrid": "slowfast_8x8_k400",
    "timesformer_k400": "timesformer_k400",
}
SCHEDULES = {
    "tsn_k400": "tsn",
    "tsm_k400": "tsm",
    "pp_tsm_k400_uniform": "pptsm_uniform",
    "pp_tsm_101_k400_dense": "pptsm_dense_r101",
    "pp_tsn_k400": "pptsn",
    "slowfast_4x16_k400": "slowfast",
    "timesformer_k400": "timesformer",
}
# Arguments of a small model, where it has no depth and width.
TINY = {
    "SlowFast": {"depth": 14, "width": 8},
    "SlowOnly": {"depth": 14, "width": 8},
    "TimeSformer": {"num_layers": 1, "hidden_dim": 16, "num_heads": 2},
}
MOTION = ("slowfast_motion", "timesformer_motion", "tsm_motion")
# Of features, not of videos: they have a test of their own.
FEATURES = ("attention_lstm_yt8m", "bmn_activitynet")
RECIPES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in FEATURES)


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for label in ("moving left", "moving right"):
        (root / "videos" / label).mkdir(parents=True)
        for seed in range(4):
            clip = render_motion_clip(label, seed, num_frames=12, size=64)
            write_video(root / "videos" / label / f"{seed}.mp4", clip)
    prepare_dataset(root / "videos", root / "lists", val_fraction=0.25)
    return root


def test_all_recipes_are_here():
    assert set(RECIPES) == {*PUBLISHED, "finetune", *MOTION}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_built_and_fed(name, data, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)  # As for `python recipes/NAME.py`.
    recipe = load(name)
    config = recipe.get_config()
    check_config(config)
    config.batch_size = 2
    config.data.root = str(data / "lists")
    config.multigrid.long_cycle, config.multigrid.short_cycle = (), (0.5**0.5,)
    if name in MOTION:
        config.data.root = ""
        config.data.arguments.update(train_clips=4, test_clips=2)
        size, classes = config.preprocessor.crop_size, 8
    elif config.model.preset is None:
        assert config.model.backbone or config.model.name in ("SlowFast", "SlowOnly")
        config.model.backbone = None
        config.model.arguments.update(TINY.get(config.model.name, {"depth": 18, "width": 4}))
        size, classes = 224, 2
    else:
        config.model.preset = "tsm_tiny_motion"
        if config.data.transforms is not None:
            config.data.transforms = (MultiScaleCrop(64), RandomFlip())
        size, classes = 64, 2
    prepared = prepare_recipe(config, getattr(recipe, "make_data", None))
    frames = prepared.model.num_frames or prepared.model.preprocessor.num_frames
    text = prepared.summary()
    count, side = (4, round(size * 0.5**0.5)) if config.multigrid.enabled else (2, size)
    first = f"clips ({count}, {frames}, {side}, {side}, 3) uint8, labels ({count}, {classes})"
    assert first in text
    clips, *_ = prepared.val.batch(0)
    size = config.preprocessor.get("crop_size", size)
    assert clips.shape == (2, frames, size, size, 3)
    assert type(prepared.model).__name__ in text
    assert prepared.model.output_shape == (None, classes)


@pytest.mark.parametrize(("name", "preset"), PUBLISHED.items())
def test_a_recipe_makes_the_preset_that_was_published(name, preset):
    module, published = load(name), get_preset(preset)
    config = module.get_config()
    text = " ".join(module.__doc__.split())
    assert f"{published.metrics['top1']:.2f} %" in text and published.metrics_source in text
    assert f"python recipes/{name}.py --workdir=" in text and "--config.data.root=" in text
    if config.model.preset is None:
        assert config.model.name == published.model_class_name
        arguments = config.model.arguments.to_dict()
        assert arguments.get("depth", 50) == published.config.get("depth", 50)
        if config.model.backbone is not None:
            assert config.model.backbone in get_preset(config.model.backbone).name
        assert config.preprocessor.to_dict() == published.preprocessor
    else:
        assert get_preset(config.model.preset).preprocessor == published.preprocessor
        assert config.model.arguments.dropout == published.config["dropout"]
    assert config.data.labels == published.labels
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    (row,) = (line for line in lines if line.startswith(f"| [`{name}`]"))
    *_, epochs, batch, top1, _ = row.split("|")
    assert (int(epochs), int(batch)) == (config.num_epochs, config.batch_size)
    assert top1.split()[0] == f"{published.metrics['top1']:.2f}"


@pytest.mark.parametrize(("name", "key"), SCHEDULES.items())
def test_a_recipe_has_the_learning_rates_of_the_reference(name, key):
    golden = Path(__file__).parents[1] / "golden" / "ops"
    facts = json.loads((golden / "lr_schedules.json").read_text())[key]
    rates = np.load(golden / "lr_schedules.npz")[key]
    config = load(name).get_config()
    assert config.num_epochs == facts["epochs"]
    schedule = make_schedule(config, facts["iters_per_epoch"])
    np.testing.assert_allclose(schedule(np.arange(len(rates))), rates, rtol=2e-6)


@pytest.mark.slow
def test_a_folder_of_videos_is_all_that_finetune_needs(data, tmp_path):
    def run(*flags):
        return subprocess.run(
            [sys.executable, FOLDER / "finetune.py", f"--workdir={tmp_path / 'run'}", *flags],
            capture_output=True,
            text=True,
        )

    first = run(
        f"--config.data.root={data / 'videos'}",
        "--config.model.preset=tsm_tiny_motion",
        "--config.batch_size=2",
        "--config.num_epochs=1",
    )
    assert first.returncode == 0, first.stderr
    model = TSM.from_preset(tmp_path / "run" / "preset")
    assert model.labels == ["moving left", "moving right"]
    result = model.classify(data / "videos" / "moving left" / "0.mp4", top_k=1)
    assert result[0]["label"] in model.labels
    assert json.loads((tmp_path / "run" / "flags.json").read_text())["batch_size"] == "2"
    assert plots.plot_run(tmp_path / "run").is_file()

    # The flags of the first start are known: all that differs is what is given now.
    changed = run("--config.num_epochs=2")
    assert changed.returncode == 2 and changed.stderr.count("\n") == 1
    assert changed.stderr.startswith("finetune.py: error: ")
    assert "num_epochs" in changed.stderr and "batch_size" not in changed.stderr
