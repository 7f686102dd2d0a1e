"""The registry knows names, suggests the one that was meant, and imports nothing early."""

import subprocess
import sys

import pytest
from tiny_classifier import SmallerClassifier, TinyClassifier, tiny_preset

import keras_video
from keras_video.presets import (
    Preset,
    PresetError,
    get_preset,
    list_presets,
    load_labels,
    register_model,
    register_preset,
)
from keras_video.presets.model_names import get_model_class


def test_names_are_listed_by_pattern():
    for name in ("pp_tsm_a", "pp_tsn_a", "tsm_a"):
        register_preset(tiny_preset(name))
    assert keras_video.list_presets() == ["pp_tsm_a", "pp_tsn_a", "tsm_a"]
    assert list_presets("pp_*") == ["pp_tsm_a", "pp_tsn_a"]
    assert list_presets("nothing*") == []


def test_names_are_listed_by_model():
    register_preset(tiny_preset("first"))
    register_preset(tiny_preset("second", model="tiny_classifier:SmallerClassifier"))
    assert list_presets(model="tiny_classifier") == ["first"]
    assert list_presets(model="TinyClassifier") == ["first"]
    assert list_presets(model="tiny_classifier:SmallerClassifier") == ["second"]
    assert list_presets(model=TinyClassifier) == ["first", "second"]
    assert TinyClassifier.presets == ["first", "second"]
    assert SmallerClassifier.presets == ["second"]


def test_an_unknown_name_suggests_the_nearest():
    register_preset(tiny_preset("pp_tsm_k400"))
    with pytest.raises(PresetError, match=r"Did you mean 'pp_tsm_k400'\?.*Received: 'pp_tms_k400'"):
        get_preset("pp_tms_k400")
    with pytest.raises(PresetError, match=r"Did you mean 'pp_tsm_k400'\?"):
        get_preset("TSM")


def test_a_name_cannot_be_taken_over():
    preset = register_preset(tiny_preset())
    assert register_preset(tiny_preset()) == preset
    with pytest.raises(PresetError, match="already registered"):
        register_preset(tiny_preset(description="another"))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "with space"},
        {"name": "../up"},
        {"model": "keras_video.models.TSM"},
        {"repository": "no_organisation"},
        {"source_part": "head"},
    ],
)
def test_a_malformed_manifest_is_refused(fields):
    with pytest.raises(PresetError, match="Received"):
        Preset(**{"name": "name", "model": "package:Class", **fields})


def test_the_hub_organisation_is_one_setting(monkeypatch):
    assert tiny_preset("a_b").hub_repository == "keras-video/a_b"
    monkeypatch.setenv("KERAS_VIDEO_HUB_ORG", "me")
    assert tiny_preset("a_b").hub_repository == "me/a_b"
    assert tiny_preset("a_b", repository="you/c").hub_repository == "you/c"


def test_model_names_are_found_in_any_spelling():
    register_model("tiny", "tiny_classifier:TinyClassifier")
    assert get_model_class("tiny") is TinyClassifier
    assert get_model_class("PP-TSM").__name__ == "PPTSM"
    with pytest.raises(PresetError, match=r"Did you mean 'pp_tsm'"):
        get_model_class("pp_tsmm")
    with pytest.raises(PresetError, match="already means"):
        register_model("tiny", "tiny_classifier:SmallerClassifier")


def test_labels_are_in_class_id_order():
    kinetics = load_labels("kinetics400")
    assert len(kinetics) == len(set(kinetics)) == 400
    assert (kinetics[0], kinetics[5], kinetics[399]) == ("abseiling", "archery", "zumba")
    ucf = load_labels("ucf101")
    assert len(ucf) == len(set(ucf)) == 101
    assert (ucf[0], ucf[100]) == ("ApplyEyeMakeup", "YoYo")
    with pytest.raises(PresetError, match="Did you mean 'kinetics400'"):
        load_labels("kinetics40")


def test_listing_presets_imports_no_backend():
    code = (
        "import sys, keras_video, keras_video.presets\n"
        "keras_video.list_presets(model='PPTSM')\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'huggingface_hub'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
