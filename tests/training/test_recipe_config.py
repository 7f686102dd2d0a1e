"""Configs of recipes: fields, flags, and what a wrong one is answered, all without TensorFlow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keras_video.data.transforms import MixUp, MultiScaleCrop, RandomFlip
from keras_video.training.config_overrides import (
    apply_overrides,
    parse_transforms,
    split_overrides,
)
from keras_video.training.recipe_config import (
    FIELDS,
    ConfigError,
    check_config,
    default_config,
    describe_config,
    get_field,
    plain_config,
)
from keras_video.training.recipe_flags import (
    parse_flags,
    recall_overrides,
    remember_overrides,
)


def get_config():
    config = default_config()
    config.num_epochs = 7
    config.model.arguments.update(depth=50)
    return config


def changed(*overrides):
    config = get_config()
    apply_overrides(config, overrides)
    check_config(config)
    return config


def test_the_default_config_has_every_field_and_is_possible():
    config = default_config()
    check_config(config)
    for path, field in FIELDS.items():
        assert field.text, path
        value = get_field(config, path)
        assert (value.to_dict() if hasattr(value, "to_dict") else value) == field.default, path
    json.dumps(plain_config(config))


def test_names_that_are_no_field_cannot_be_assigned():
    config = default_config()
    with pytest.raises(AttributeError, match='Did you mean "num_epochs"'):
        config.num_epoch = 3
    with pytest.raises(TypeError):
        config.num_epochs = "many"
    config.model.arguments.anything = 3


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("num_epochs", "12", 12),
        ("schedule.learning_rate", "1e-3", 1e-3),
        ("schedule.learning_rate", "1", 1.0),
        ("optimizer.nesterov", "true", True),
        ("sync_batch_norm", "0", False),
        ("data.root", "/data/k 400", "/data/k 400"),
        ("data.val", "", ""),
        ("schedule.boundaries", "(20, 40)", (20, 40)),
        ("schedule.boundaries", "20,40.5", (20, 40.5)),
        ("schedule.boundaries", "20", (20,)),
        ("schedule.boundaries", "", ()),
        ("optimizer.clip_norm", "20", 20.0),
        ("optimizer.clip_norm", "none", None),
        ("optimizer.rules", "[('bias', 2.0, 0.0)]", (("bias", 2.0, 0.0),)),
        ("data.workers", "3", 3),
        ("data.batch_transform", "MixUp(0.3)", MixUp(0.3)),
        ("data.batch_transform", "none", None),
        (
            "data.transforms",
            "MultiScaleCrop(32, scales=(1, 0.5)), RandomFlip(probability=0.2)",
            (MultiScaleCrop(32, scales=(1, 0.5)), RandomFlip(0.2)),
        ),
        ("model.arguments.depth", "101", 101),
        ("model.arguments.dtype", "mixed_float16", "mixed_float16"),
        ("model.arguments.normalize", "none", None),
        ("model.arguments.flag", "true", True),
        ("preprocessor.views", "10x3", "10x3"),
    ],
)
def test_a_flag_sets_a_field(path, text, value):
    assert get_field(changed((path, text)), path) == value


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("data.rot", "x", r"no such field. Did you mean config.data.root.*: config.data.rot"),
        ("learning_rate", "1", "Did you mean config.schedule.learning_rate"),
        ("lr", "1", "--help lists all fields. Received: config.lr"),
        ("schedule", "3", "Received: config.schedule"),
        ("model.arguments", "3", "Received: config.model.arguments"),
        ("num_epochs", "1.5", "config.num_epochs must be a whole number. Received: '1.5'"),
        ("num_epochs", "0", "config.num_epochs must be at least 1. Received: 0"),
        ("num_epochs", "none", "must be a whole number. Received: 'none'"),
        ("schedule.learning_rate", "fast", "must be a number"),
        ("schedule.learning_rate", "nan", "must be at least 0. Received: nan"),
        ("optimizer.nesterov", "maybe", "must be true or false. Received: 'maybe'"),
        ("precision", "bf16", "one of float32, mixed_float16, mixed_bfloat16.*: 'bf16'"),
        ("strategy", "mirored", "Did you mean 'mirrored'"),
        ("schedule.boundaries", "(20", "written as in Python"),
        ("data.transforms", "RandomFlap()", "no such transform. Did you mean 'RandomFlip'"),
        ("data.transforms", "__import__('os').getcwd()", "written as calls"),
        ("data.transforms", "RandomFlip(print(1))", "written as calls"),
        ("data.transforms", "RandomFlip(probability=2)", "RandomFlip: .*from 0 to 1"),
        ("data.transforms", "MultiScaleCrop()", "MultiScaleCrop: .*size"),
        ("data.batch_transform", "MixUp(), CutMix()", "config.data.batch_transform"),
    ],
)
def test_a_wrong_flag_is_named_with_the_nearest_right_one(path, text, message):
    with pytest.raises(ConfigError, match=message):
        changed((path, text))


def test_transforms_can_be_typed_as_they_are_printed():
    transforms = (MultiScaleCrop(8), RandomFlip(label_map={0: 1, 1: 0}))
    assert parse_transforms(", ".join(map(repr, transforms))) == transforms


def test_a_group_is_not_replaced_as_a_whole():
    config = get_config()
    with config.unlocked():
        config.data = {"root": "x"}
    with pytest.raises(ConfigError, match=r"config.data.train is missing: .*config.data.update"):
        check_config(config)
    config = get_config()
    with config.unlocked():
        config.data.rot = "x"
    with pytest.raises(ConfigError, match="Did you mean config.data.root"):
        check_config(config)


def test_flags_are_separated_from_fields():
    arguments = ["--config.seed=1", "--workdir", "a", "--config.data.root", "b=c", "-config.keep=2"]
    overrides, others = split_overrides(arguments)
    assert overrides == [("seed", "1"), ("data.root", "b=c"), ("keep", "2")]
    assert others == ["--workdir", "a"]
    for incomplete in (["--config.seed"], ["--config.seed", "--workdir=a"]):
        with pytest.raises(ConfigError, match="--config.seed=VALUE"):
            split_overrides(incomplete)


def test_flags_of_a_recipe():
    flags = parse_flags(["--workdir=a", "--config.seed=1", "--config.seed=2"], get_config)
    assert flags == ("a", False, False, False, False, {"seed": "2"})
    assert parse_flags(["--dry_run"], get_config).workdir is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workdri=a"], "no such flag. Did you mean '--workdir'"),
        (["--workdir=a", "--batch_size=3"], "Did you mean '--config.batch_size'"),
        (["--workdir=a", "--quux"], "--help lists all flags. Received: --quux"),
        (["--workdir=a", "--dry_run=7"], "dry_run"),
        (["--workdir=a", "b"], "--NAME=VALUE. Received: b"),
        ([], "--workdir=DIRECTORY"),
    ],
)
def test_wrong_flags_of_a_recipe(arguments, message):
    with pytest.raises(ConfigError, match=message):
        parse_flags(arguments, get_config)


def test_help_lists_every_field_with_the_value_that_it_has_in_the_recipe(capsys):
    with pytest.raises(SystemExit) as exit:
        parse_flags(["--help"], get_config)
    assert exit.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(__doc__) and describe_config(get_config()) in said
    for path in FIELDS:
        assert f"\n--config.{path}" in said
    assert "--config.num_epochs=7\n" in said and "--config.model.arguments.depth=50\n" in said


def test_flags_of_a_run_are_remembered(tmp_path):
    assert recall_overrides(tmp_path) == recall_overrides(None) == {}
    remember_overrides(tmp_path, {"data.root": "/dätä"})
    assert recall_overrides(tmp_path) == {"data.root": "/dätä"}
    (tmp_path / "flags.json").write_text("[")
    with pytest.raises(ConfigError, match="flags.json can't be read, delete it"):
        recall_overrides(tmp_path)


def test_a_wrong_flag_ends_a_recipe_at_once_without_tensorflow(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        "import sys\n"
        "from keras_video.training import recipe\n"
        "sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "recipe.main(recipe.default_config)\n"
    )

    def run(*flags):
        return subprocess.run(
            [sys.executable, script, *flags],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    wrong = run("--workdir=a", "--config.num_epoch=3")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == (
        "mine.py: error: There is no such field. Did you mean config.num_epochs? "
        "Received: config.num_epoch\n"
    )
    printed = run("--print_config", "--config.num_epochs=3")
    assert json.loads(printed.stdout)["num_epochs"] == 3
    assert "Traceback" in run("--workdir=a", "--debug", "--config.num_epoch=3").stderr
