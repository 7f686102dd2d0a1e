"""`attention_lstm_yt8m`: the published numbers, and the whole way from shards to a preset."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video import metrics
from keras_video.data import FeatureDataset, StoredFeatures, read_feature_list, write_feature_shards
from keras_video.models import AttentionLSTM
from keras_video.presets.registry import get_preset
from keras_video.training import (
    RMSProp,
    TaggingEvaluator,
    Trainer,
    prepare_recipe,
    run_recipe,
)
from keras_video.training.recipe import make_trainer
from keras_video.training.recipe_config import ConfigError, check_config
from keras_video.training.recipe_features import find_features, make_feature_data
from keras_video.training.recipe_model import compile_model, make_model, make_schedule

FILE = Path(__file__).parents[2] / "recipes" / "attention_lstm_yt8m.py"
CLASSES = 5
TINY = {
    "features": {"rgb": 6, "audio": 3}, "embedding_dim": 8, "lstm_dim": 8, "hidden_dims": (16, 8)
}  # fmt: skip


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("attention_lstm_yt8m", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def videos(count: int, seed: int, dtype="uint8"):
    """Videos whose classes are the channels that are high."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        labels = tuple(np.flatnonzero(rng.random(CLASSES) < 0.4).tolist()) or (0,)
        length = int(rng.integers(2, 14))
        rgb, audio = rng.integers(0, 90, (length, 6)), rng.integers(0, 255, (length, 3))
        rgb[:, labels] += 150
        arrays = {"rgb": rgb.astype(dtype), "audio": audio.astype(dtype)}
        yield StoredFeatures(f"video {seed} {number}", arrays, labels)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Folders as they are downloaded: frame-level and video-level shards have the same names."""
    root = tmp_path_factory.mktemp("yt8m")
    for split, count, seed in (("train", 48, 1), ("validate", 21, 2)):
        folder = root / "2" / "frame" / split
        write_feature_shards(videos(count, seed), folder, name=split, records_per_shard=20)
        (root / "2" / "video" / split).mkdir(parents=True)
        (root / "2" / "video" / split / f"{split}0000.tfrecord").write_bytes(b"of videos")
    return root


def tiny_config(recipe, root, **fields):
    config = recipe.get_config()
    config.data.root = str(root)
    config.data.arguments.update(num_classes=CLASSES, length_step=16)
    config.model.arguments.update(TINY)
    config.update(batch_size=8, num_epochs=2, log_every=1)
    config.schedule.update(learning_rate=0.01, boundaries=(6, 8))
    config.update_from_flattened_dict(fields)
    return config


def run(recipe, config, workdir):
    return run_recipe(config, workdir, make_feature_data, recipe.make_loss, recipe.make_evaluator)


def test_the_numbers_are_those_of_the_reference(recipe):
    config = recipe.get_config()
    check_config(config)
    assert (config.num_epochs, config.batch_size, config.monitor) == (10, 128 * 8, "gap")
    schedule = make_schedule(config, steps_per_epoch=100)
    rates = [float(schedule(step)) for step in (0, 499, 500, 799, 800, 999)]
    np.testing.assert_allclose(rates, np.repeat([2.5e-4, 2.5e-5, 2.5e-6], 2), rtol=1e-6)
    # Those of a loss that is 128 times as large.
    assert config.optimizer.weight_decay * 128 == pytest.approx(4e-4)
    assert config.optimizer.arguments.epsilon * 128**2 == pytest.approx(1e-6)
    published = get_preset("attention_lstm_yt8m")
    text = " ".join(recipe.__doc__.split())
    for value in published.metrics.values():
        assert f"{value:.2f} %" in text
    assert published.metrics_source in text
    assert dict(config.model.arguments.features) == published.config["features"]
    assert config.data.arguments.num_classes == published.config["num_classes"]


@pytest.fixture(scope="module")
def trained(recipe, root, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    return run(recipe, tiny_config(recipe, root, num_epochs=6), workdir), workdir


def test_shards_become_a_preset(recipe, root, trained):
    result, workdir = trained
    assert result["finished"] and result["step"] == 36
    assert set(result) >= {"gap", "hit_at_one", "perr", "map", "loss"}
    assert result["gap"] > 0.7 and result["hit_at_one"] > 0.7
    model = AttentionLSTM.from_preset(workdir / "preset")
    data = FeatureDataset(
        read_feature_list(root / "2" / "frame" / "validate"), num_classes=CLASSES, batch_size=21
    )
    ((inputs, labels),) = list(data)
    logits = model.predict(inputs, verbose=0)
    expected = {
        "gap": metrics.global_average_precision(labels, logits),
        "hit_at_one": metrics.hit_at_one(labels, logits),
        "perr": metrics.perr(labels, logits),
        "map": float(np.nanmean(metrics.average_precision_per_class(labels, logits))),
    }
    assert {name: result[name] for name in expected} == pytest.approx(expected, abs=1e-5)
    metadata = json.loads((workdir / "preset" / "metadata.json").read_text())
    assert metadata["metrics"]["gap"] == pytest.approx(100 * result["gap"])
    assert metadata["metrics"]["loss"] == pytest.approx(result["loss"])


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(recipe, root, trained, tmp_path):
    """The learning rate doesn't depend on the number of epochs, so the first run is half of it."""
    assert run(recipe, tiny_config(recipe, root, num_epochs=3), tmp_path)["epoch"] == 3
    config = tiny_config(recipe, root, num_epochs=6)
    prepared = prepare_recipe(config, make_feature_data, recipe.make_loss)
    resumed = make_trainer(prepared, tmp_path, recipe.make_evaluator, allow_changes=True).run()
    assert resumed == pytest.approx(trained[0])
    models = [AttentionLSTM.from_preset(path / "preset") for path in (trained[1], tmp_path)]
    for first, second in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)


def test_batches_are_as_long_as_their_videos(recipe, root):
    config = tiny_config(recipe, root, **{"data.arguments.length_step": 4})
    prepared = prepare_recipe(config, make_feature_data, recipe.make_loss)
    text = prepared.summary()
    assert "48 clips, 6 steps of 8" in text and "21 clips, 3 steps" in text
    assert "RMSProp(" in text and "centered=True" in text and "MultiLabelCrossentropy" in text
    assert ", 6) uint8 and (8, " in text and "labels (8, 5) float32" in text
    assert type(prepared.model.optimizer) is RMSProp
    decayed = [rule for rule in prepared.model.optimizer.rules if rule[2] == 0]
    assert decayed and prepared.model.preprocessor is None
    assert {len(prepared.train.batch(i)[1]) for i in range(6)} == {8}
    lengths = {prepared.train.batch(i)[0]["rgb"].shape[1] for i in range(6)}
    assert len(lengths) > 1 and max(lengths) <= 16
    for name in ("train", "val"):
        assert getattr(prepared, name).num_classes == CLASSES


@pytest.mark.slow
def test_the_command_line(root, tmp_path):
    arguments = [f"--config.model.arguments.{key}={value}" for key, value in TINY.items()]
    arguments += [f"--config.data.arguments.num_classes={CLASSES}", "--config.batch_size=8"]
    arguments += ["--config.data.arguments.length_step=16", f"--config.data.root={root}"]

    def start(*flags):
        return subprocess.run(
            [sys.executable, FILE, *flags, *arguments], capture_output=True, text=True
        )

    dry = start("--dry_run")
    assert dry.returncode == 0, dry.stderr
    assert "AttentionLSTM" in dry.stdout and "48 clips" in dry.stdout
    done = start(f"--workdir={tmp_path}", "--config.num_epochs=1")
    assert done.returncode == 0, done.stderr
    assert "validation  gap 0." in done.stderr and (tmp_path / "preset").is_dir()


@pytest.mark.slow
def test_two_replicas_train_to_the_same_weights(recipe, root, two_replicas, tmp_path):
    """Without dropout, whose numbers differ between replicas."""

    def train(strategy, workdir):
        config = tiny_config(recipe, root, num_epochs=1, **{"model.arguments.dropout": 0.0})
        options = {"batch_size": 8, "one_hot": True}
        data, val = make_feature_data(
            config, {**options, "training": True}, {**options, "last_batch": "pad"}
        )
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = make_model(config, data.num_classes, data.labels)
            compile_model(model, config, data.batches_in_epoch, recipe.make_loss)
        evaluator = TaggingEvaluator(model, val, strategy)
        trainer = Trainer(
            model, data, workdir=workdir, num_epochs=1, evaluator=evaluator, monitor="gap"
        )
        return trainer.run(), AttentionLSTM.from_preset(workdir / "preset").get_weights()

    one, expected = train(tf.distribute.get_strategy(), tmp_path / "one")
    two, weights = train(two_replicas, tmp_path / "two")
    assert two == pytest.approx(one, rel=1e-4)
    for first, second in zip(weights, expected, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-4)


def test_files_are_found_in_the_root_or_below_it(root, tmp_path):
    found = find_features(root, "train*.tfrecord")
    assert found == str(root / "2" / "frame" / "train" / "train*.tfrecord")
    folder = root / "2" / "frame" / "train"
    assert find_features(folder, "train*.tfrecord") == str(folder / "train*.tfrecord")
    assert find_features(root, "2/frame/train") == str(folder)
    assert len(read_feature_list(found)) == 48
    for name in ("a", "b [1]"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train0000.tfrecord").touch()
    with pytest.raises(ConfigError, match=r"Several folders.*Received: a, b \[1\]"):
        find_features(tmp_path, "train*.tfrecord")
    escaped = find_features(tmp_path / "b [1]", "train*.tfrecord")
    assert escaped.endswith("b [[]1]/train*.tfrecord")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data.root": ""}, "--config.data.root=FOLDER"),
        ({"data.train": "tain*"}, r"no features tain\*"),
        ({"data.arguments.num_class": 3}, "Did you mean 'num_classes'"),
        ({"multigrid.enabled": True}, "multigrid training, need a model of clips"),
        ({"monitor": "top1"}, "config.monitor must be one of gap"),
        ({"model.arguments.features": {"rgb": 7}}, "7"),
    ],
)
def test_what_cannot_be_is_refused_before_training(recipe, root, tmp_path, fields, message):
    config = recipe.get_config()
    config.data.arguments.num_classes = CLASSES
    config.data.root = str(root)
    config.model.arguments.update(TINY)
    config.batch_size = 8
    for path, value in fields.items():
        group, _, name = path.rpartition(".")
        target = config
        for part in filter(None, group.split(".")):
            target = target[part]
        target[name] = value
    with pytest.raises((ConfigError, ValueError), match=message):
        prepared = prepare_recipe(config, make_feature_data, recipe.make_loss)
        make_trainer(prepared, tmp_path / "never", recipe.make_evaluator)


def test_video_level_shards_are_not_what_is_wanted(tmp_path):
    (tmp_path / "2" / "video" / "train").mkdir(parents=True)
    (tmp_path / "2" / "video" / "train" / "train0000.tfrecord").touch()
    with pytest.raises(ConfigError, match="in data.root but video-level ones, in a folder video"):
        find_features(tmp_path, "train*.tfrecord")


def test_numbers_are_not_taken_for_codes(recipe, tmp_path):
    write_feature_shards(videos(8, 3, "float32"), tmp_path, name="train")
    config = tiny_config(recipe, tmp_path)
    config.data.val = ""
    with pytest.raises(ConfigError, match="feature_range=none.*float32"):
        prepare_recipe(config, make_feature_data, recipe.make_loss)
    config.model.arguments.feature_range = None
    prepared = prepare_recipe(config, make_feature_data, recipe.make_loss)
    assert prepared.val is None
    inputs, _ = prepared.train.batch(0)
    assert keras.ops.shape(prepared.model(inputs)) == (8, CLASSES)
