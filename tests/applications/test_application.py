"""Applications are loaded, saved and published with all of their models."""

import json

import numpy as np
import pytest
from tiny_classifier import TinyClassifier, answers, randomize, tiny_preset, trained

from keras_video.applications import Application, ApplicationPreset
from keras_video.applications.application_preset import (
    application_presets,
    register_application_preset,
)
from keras_video.presets import PresetError, register_preset

# A warning of the Hub client about a library that it uses.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


class Pair(Application):
    """Two models and a number."""

    part_names = ("first", "second")

    def __init__(self, first, second, number=1):
        if number < 0:
            raise ValueError(f"`number` must not be negative. Received: number={number}")
        self.first, self.second, self.number = first, second, number

    def get_config(self):
        return {"number": self.number}


class Other(Pair):
    pass


@pytest.fixture(autouse=True)
def known_models():
    register_preset(tiny_preset())  # Its class may be in files from now on.


def pair(number=7):
    second = trained(num_classes=3)
    randomize(second, seed=5)
    return Pair(trained(), second, number)


def assert_equal(loaded, expected):
    assert type(loaded) is Pair and loaded.number == expected.number
    for part in Pair.part_names:
        np.testing.assert_array_equal(*(answers(getattr(a, part)) for a in (loaded, expected)))
        assert getattr(loaded, part).labels == getattr(expected, part).labels


def test_a_saved_application_comes_back(tmp_path):
    pair().save_to_preset(tmp_path / "saved")
    assert_equal(Pair.from_preset(tmp_path / "saved"), pair())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved"]
    # Saved again, it replaces what is there.
    pair(number=8).save_to_preset(tmp_path / "saved")
    assert Pair.from_preset(tmp_path / "saved").number == 8
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == [
        "application.json", "first", "second"
    ]  # fmt: skip


def test_settings_and_models_can_be_replaced(tmp_path):
    pair().save_to_preset(tmp_path / "saved")
    mine = trained(num_classes=2)
    loaded = Pair.from_preset(tmp_path / "saved", number=3, second=mine)
    assert loaded.number == 3 and loaded.second is mine


def test_a_published_application_comes_back(hub):
    address = pair().upload_preset("hf://writer/pair", token="hf_writer", endpoint=hub.address)
    assert address.startswith(f"{hub.address}/writer/pair/commit/")
    hub.repositories["writer/pair"].files["notes.txt"] = hub.repositories["writer/pair"].files[
        "README.md"
    ]
    assert_equal(Pair.from_preset("hf://writer/pair", endpoint=hub.address), pair())
    assert "notes.txt" not in hub.downloads()
    card = hub.repositories["writer/pair"].files["README.md"].data.decode()
    assert 'Pair.from_preset("hf://writer/pair")' in card and "Two models and a number." in card


def test_a_repository_without_all_models_is_named(hub):
    pair().upload_preset("hf://writer/pair", token="hf_writer", endpoint=hub.address)
    del hub.repositories["writer/pair"].files["second/model.safetensors"]
    with pytest.raises(PresetError, match="no keras_video application.*second/model.safetensors"):
        Pair.from_preset("hf://writer/pair", endpoint=hub.address)
    with pytest.raises(PresetError, match="no keras_video preset: it has no config.json"):
        TinyClassifier.from_preset("hf://writer/pair", endpoint=hub.address)


def test_without_a_repository_the_parts_own_presets_are_loaded(hub, tmp_path):
    pair().first.save_to_preset(tmp_path / "first")
    register_application_preset(
        ApplicationPreset(
            name="my_pair",
            application="Pair",
            parts={"first": str(tmp_path / "first"), "second": "hf://writer/second"},
            settings={"number": 7},
        )
    )
    pair().second.upload_preset("hf://writer/second", token="hf_writer", endpoint=hub.address)
    assert "my_pair" in Pair.list_presets() and "my_pair" not in Other.list_presets()
    assert "video_tag_3k" in application_presets()
    assert_equal(Pair.from_preset("my_pair", endpoint=hub.address), pair())
    with pytest.raises(PresetError, match="is a Pair, not a Other"):
        Other.from_preset("my_pair", endpoint=hub.address)

    pair(number=9).upload_preset("hf://writer/mine", token="hf_writer", endpoint=hub.address)
    register_application_preset(
        ApplicationPreset(name="mine", application="Pair", parts={}, repository="writer/mine")
    )
    assert Pair.from_preset("mine", endpoint=hub.address).number == 9


def test_what_is_no_application_is_said(tmp_path, no_network):
    with pytest.raises(PresetError, match="Unknown application. Did you mean 'video_tag_3k'"):
        Pair.from_preset("video_tag_3")
    trained().save_to_preset(tmp_path / "model")
    with pytest.raises(PresetError, match="it has no application.json"):
        Pair.from_preset(tmp_path / "model")
    pair().save_to_preset(tmp_path / "saved")
    with pytest.raises(PresetError, match="is a Pair, not a Other"):
        Other.from_preset(tmp_path / "saved")
    with pytest.raises(PresetError, match="can't be built.*number=-1"):
        Pair.from_preset(tmp_path / "saved", number=-1)
    with pytest.raises(PresetError, match="can't be built.*wrong"):
        Pair.from_preset(tmp_path / "saved", wrong=1)
    with pytest.raises(PresetError, match="hf://org/name"):
        pair().upload_preset("writer/pair")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "can't be read"),
        ("[]", "can't be read"),
        ('{"application": "Pair"}', "can't be read"),
        ('{"application": "Pair", "settings": {"first": "x"}}', "name of a model"),
    ],
)
def test_a_damaged_description_is_said(tmp_path, text, message):
    pair().save_to_preset(tmp_path / "saved")
    (tmp_path / "saved" / "application.json").write_text(text)
    with pytest.raises(PresetError, match=message):
        Pair.from_preset(tmp_path / "saved")


def test_a_failed_save_leaves_what_was_there(tmp_path):
    pair().save_to_preset(tmp_path / "saved")
    broken = pair()
    broken.number = object()
    with pytest.raises(TypeError):
        broken.save_to_preset(tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "application.json").read_text())["settings"] == {
        "number": 7
    }
    assert_equal(Pair.from_preset(tmp_path / "saved"), pair())
