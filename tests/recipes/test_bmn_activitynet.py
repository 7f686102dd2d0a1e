"""`bmn_activitynet`: the published numbers, and the whole way from features to a preset."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_video.data.feature_read_error import FeatureNotFoundError
from keras_video.localization import read_activitynet
from keras_video.models import BMN
from keras_video.presets.registry import get_preset
from keras_video.training import Adam, ProposalEvaluator, prepare_recipe, run_recipe
from keras_video.training.recipe import make_trainer
from keras_video.training.recipe_config import ConfigError, check_config
from keras_video.training.recipe_model import make_schedule
from keras_video.training.recipe_segments import make_segment_data

FILE = Path(__file__).parents[2] / "recipes" / "bmn_activitynet.py"
STEPS = 16
TINY = {
    "feature_dim": 8, "num_frames": STEPS, "hidden_dim": 16, "proposal_dim": 16, "segment_dim": 16,
    "map_dim": 16, "num_samples": 8,
}  # fmt: skip


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("bmn_activitynet", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Videos of noise, in which a channel is high while something happens."""
    root, rng = tmp_path_factory.mktemp("activitynet"), np.random.default_rng(0)
    (root / "fix_feat_100").mkdir()
    videos = {}
    for number in range(72):
        duration = float(rng.uniform(20, 200))
        length = int(rng.integers(3, 9))
        start = int(rng.integers(0, STEPS - length + 1))
        features = rng.normal(0, 0.3, (STEPS, 8))
        features[start : start + length, 0] += 2
        name = f"v_{number:011d}"
        if number % 2:  # Of another number of steps, each twice.
            features = np.repeat(features, 2, axis=0)
        np.save(root / "fix_feat_100" / f"{name}.npy", features.astype("float32"))
        segment = [duration * start / STEPS, duration * (start + length) / STEPS]
        videos[name] = {
            "duration_second": duration,
            "subset": "training" if number < 48 else "validation",
            "annotations": [{"segment": segment, "label": "any"}],
        }
    (root / "activitynet_1.3_annotations.json").write_text(json.dumps(videos))
    official = {name.removeprefix("v_"): dict(facts) for name, facts in videos.items()}
    for facts in official.values():
        facts["duration"] = facts.pop("duration_second")
    (root / "official.json").write_text(json.dumps({"database": official}))
    return root


def tiny_config(recipe, root, **fields):
    config = recipe.get_config()
    config.data.root = str(root)
    config.model.arguments.update(TINY)
    config.update(batch_size=8, num_epochs=2, log_every=1)
    config.schedule.update(learning_rate=0.01, boundaries=(7,))
    config.update_from_flattened_dict(fields)
    return config


def test_the_numbers_are_those_of_the_reference(recipe):
    config = recipe.get_config()
    check_config(config)
    assert (config.num_epochs, config.batch_size, config.monitor) == (9, 4 * 4, "auc")
    assert (config.optimizer.name, config.optimizer.weight_decay) == ("adam", 1e-4)
    schedule = make_schedule(config, steps_per_epoch=600)
    rates = [float(schedule(step)) for step in (0, 4199, 4200, 5399)]
    np.testing.assert_allclose(rates, np.repeat([1e-3, 1e-4], 2), rtol=1e-6)
    published = get_preset("bmn_activitynet")
    text = " ".join(recipe.__doc__.split())
    for name, value in published.metrics.items():
        assert f"{name.upper()} {value:.2f} %" in text
    assert published.metrics_source in text
    assert config.model.arguments.to_dict() == published.config


@pytest.fixture(scope="module")
def trained(recipe, root, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    config = tiny_config(recipe, root, num_epochs=8)
    result = run_recipe(config, workdir, make_segment_data, recipe.make_loss, recipe.make_evaluator)
    return result, workdir


def test_features_become_a_preset_that_proposes_better_than_chance(recipe, root, trained):
    result, workdir = trained
    assert result["finished"] and result["step"] == 8 * 6
    prepared = prepare_recipe(tiny_config(recipe, root), make_segment_data, recipe.make_loss)
    chance = recipe.make_evaluator(prepared).evaluate()
    assert result["auc"] > chance["auc"] + 0.1 and result["ar@5"] > chance["ar@5"] + 0.3
    model = BMN.from_preset(workdir / "preset")
    again = ProposalEvaluator(model, prepared.val).evaluate()
    assert {name: result[name] for name in again} == pytest.approx(again, abs=1e-6)
    metadata = json.loads((workdir / "preset" / "metadata.json").read_text())
    assert metadata["metrics"] == pytest.approx({k: 100 * v for k, v in again.items()}, abs=1e-4)
    assert model.preprocessor is None and model.labels is None
    rows = (workdir / "validation.csv").read_text().splitlines()
    assert rows[0].split(",")[:7] == ["step", "epoch", *ProposalEvaluator.numbers]
    # One of the validation's videos, by the finished preset.
    video = prepared.val.videos[0]
    features = np.load(root / "fix_feat_100" / f"{video.video}.npy")
    best = model.propose(features, video.duration)[0]
    assert again["ar@100"] > 0.5 and 0 <= best.start < best.end <= video.duration


def test_what_a_recipe_prepares(recipe, root):
    prepared = prepare_recipe(tiny_config(recipe, root), make_segment_data, recipe.make_loss)
    text = prepared.summary()
    assert "BMN" in text and "48 clips, 6 steps of 8" in text and "24 clips, 3 steps" in text
    assert "starts: BoundaryLoss" in text and "confidence: SegmentConfidenceLoss" in text
    assert "no preprocessor" in text and "Adam(" in text
    optimizer = prepared.model.optimizer
    assert type(optimizer) is Adam and optimizer.l2 == 1e-4
    assert len(prepared.train.videos) == 48


def test_the_official_annotations_do_as_well(recipe, root):
    config = tiny_config(recipe, root)
    reference = prepare_recipe(config, make_segment_data, recipe.make_loss)
    config.data.train = config.data.val = "official.json"
    official = prepare_recipe(config, make_segment_data, recipe.make_loss)
    for name in ("train", "val"):
        (inputs, labels), (others, same) = (
            getattr(prepared, name).batch(0)[:2] for prepared in (reference, official)
        )
        np.testing.assert_array_equal(inputs["features"], others["features"])
        np.testing.assert_array_equal(labels["confidence"], same["confidence"])


@pytest.mark.slow
def test_the_command_line(root, tmp_path):
    arguments = [f"--config.model.arguments.{key}={value}" for key, value in TINY.items()]
    arguments += ["--config.batch_size=8", f"--config.data.root={root}"]

    def start(*flags):
        return subprocess.run(
            [sys.executable, FILE, *flags, *arguments], capture_output=True, text=True
        )

    dry = start("--dry_run")
    assert dry.returncode == 0, dry.stderr
    assert "BMN" in dry.stdout and "48 clips" in dry.stdout
    done = start(f"--workdir={tmp_path}", "--config.num_epochs=1")
    assert done.returncode == 0, done.stderr
    assert "validation  auc 0." in done.stderr and (tmp_path / "preset").is_dir()
    wrong = start("--dry_run", "--config.data.arguments.features=nowhere")
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data.root": ""}, "--config.data.root=FOLDER"),
        ({"data.train": "oficial.json"}, "no oficial.json.*Did you mean 'official.json'"),
        ({"data.arguments.features": "fix_feat"}, "config.data.arguments.features='fix_feat'"),
        ({"data.arguments.feature": "a"}, "Did you mean 'features'"),
        ({"monitor": "ar@2"}, "config.monitor must be one of auc"),
        ({"model.name": "TSM", "model.arguments": {}}, "models such as BMN"),
    ],
)
def test_what_cannot_be_is_refused_before_training(recipe, root, tmp_path, fields, message):
    config = tiny_config(recipe, root)
    for path, value in fields.items():
        group, _, name = path.rpartition(".")
        target = config
        for part in filter(None, group.split(".")):
            target = target[part]
        target[name] = value
    with pytest.raises(ConfigError, match=message):
        prepared = prepare_recipe(config, make_segment_data, recipe.make_loss)
        make_trainer(prepared, tmp_path / "never", recipe.make_evaluator)


def test_videos_without_features_are_named(recipe, root, tmp_path):
    content = json.loads((root / "activitynet_1.3_annotations.json").read_text())
    first = next(iter(content.values()))
    (tmp_path / "activitynet_1.3_annotations.json").write_text(
        json.dumps({**content, "v_gone": first})
    )
    (tmp_path / "fix_feat_100").symlink_to(root / "fix_feat_100")
    config = tiny_config(recipe, tmp_path)
    with pytest.raises(FeatureNotFoundError, match="v_gone.npy: 1 of 49 videos"):
        prepare_recipe(config, make_segment_data, recipe.make_loss)
    config.data.arguments.missing = "skip"
    with pytest.warns(match="1 of 49 videos have no file"):
        prepared = prepare_recipe(config, make_segment_data, recipe.make_loss)
    videos = read_activitynet(root / "activitynet_1.3_annotations.json", split="train")
    assert prepared.train.videos == tuple(videos)
