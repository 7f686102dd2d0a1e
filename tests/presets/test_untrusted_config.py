"""A preset of a stranger can't make this process import or build what it likes."""

import json
import sys

import pytest
from tiny_classifier import TinyClassifier, trained

from keras_video.presets import PresetError, load_preset


@pytest.fixture
def saved(tmp_path):
    trained().save_to_preset(tmp_path / "saved")
    return tmp_path / "saved"


def rewrite(path, change):
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def test_a_config_cannot_name_a_module_to_import(saved, tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    rewrite(
        saved / "config.json",
        lambda c: c.update(module="trap", class_name="Trap", registered_name="trap>Trap"),
    )
    with pytest.raises(
        PresetError, match="neither keras_video nor a plug-in provides.*'trap>Trap'"
    ):
        TinyClassifier.from_preset(saved)
    assert "trap" not in sys.modules


def test_a_class_of_an_unknown_package_needs_the_caller_to_name_it(saved):
    with pytest.raises(PresetError, match="'tiny>TinyClassifier'"):
        load_preset(saved)
    assert TinyClassifier.from_preset(saved)


@pytest.mark.parametrize(
    "inside",
    [
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "x"},
        {"module": "keras.layers", "class_name": "Lambda", "config": {}, "registered_name": None},
        {"module": "keras.utils", "class_name": "function", "config": "get_file"},
        {"class_name": "__lambda__", "config": {"value": "4wAAAA=="}},
        {"module": "keras.models", "class_name": "Model", "config": {}, "registered_name": "os>x"},
    ],
)
def test_objects_inside_a_config_are_refused(saved, inside):
    rewrite(saved / "config.json", lambda c: c["config"].update(name=[inside]))
    with pytest.raises(PresetError, match="holds an object that isn't allowed"):
        TinyClassifier.from_preset(saved)


def test_a_preprocessor_is_vetted_too(saved):
    rewrite(saved / "preprocessor.json", lambda c: c.update(registered_name="other>Thing"))
    with pytest.raises(PresetError, match="'other>Thing'"):
        TinyClassifier.from_preset(saved)


def test_a_model_cannot_be_something_else(saved):
    text = (saved / "preprocessor.json").read_text()
    (saved / "config.json").write_text(text)
    with pytest.raises(PresetError, match="is a TinyPreprocessor, not a TinyClassifier"):
        TinyClassifier.from_preset(saved)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"registered_name": 3, "config": {}}', "\xff"])
def test_a_damaged_config_is_named(saved, text):
    (saved / "config.json").write_text(text, encoding="latin1")
    with pytest.raises(PresetError, match="config.json"):
        TinyClassifier.from_preset(saved)


@pytest.mark.parametrize("file", ["config.json", "preprocessor.json"])
@pytest.mark.parametrize(
    "change",
    [
        {"no_such_argument": 1},
        {"num_classes": -1, "size": -1, "no_such": 2},
        {"num_frames": "two", "no_such": [[]]},
    ],
)
def test_arguments_that_build_nothing_name_the_file(saved, file, change):
    rewrite(saved / file, lambda c: c["config"].update(change))
    with pytest.raises(PresetError, match=f"{file} doesn't describe a .*Received: ") as error:
        TinyClassifier.from_preset(saved)
    assert "\n" not in str(error.value)


def test_what_is_wrong_with_an_override_the_model_says_itself(saved):
    with pytest.raises(ValueError) as error:
        TinyClassifier.from_preset(saved, num_classes=-1)
    assert not isinstance(error.value, PresetError)


@pytest.mark.parametrize("depth", [500, 900, 200_000])
def test_a_deeply_nested_config_is_refused(saved, depth):
    text = (saved / "config.json").read_text()
    nested = "[" * depth + "]" * depth
    (saved / "config.json").write_text(text.replace('"filters": 3', f'"filters": {nested}'))
    with pytest.raises(PresetError, match="config.json"):
        TinyClassifier.from_preset(saved)
