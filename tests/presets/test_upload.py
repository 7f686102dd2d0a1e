"""A model that is published can be loaded by everyone else."""

import json

import numpy as np
import pytest
from huggingface_hub import ModelCard
from tiny_classifier import TinyClassifier, answers, tiny_preset, trained

from keras_video.presets import PresetError, register_preset, upload_preset
from keras_video.presets.preset_card import preset_card

# Warnings of the Hub client and of Keras about the libraries that they use.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def test_a_published_model_comes_back(hub):
    address = trained().upload_preset("hf://writer/tiny", token="hf_writer", endpoint=hub.address)
    assert address.startswith(f"{hub.address}/writer/tiny/commit/")
    model = TinyClassifier.from_preset("hf://writer/tiny", endpoint=hub.address)
    np.testing.assert_array_equal(answers(model), answers(trained()))


def test_a_saved_preset_is_published_with_a_model_card(hub, tmp_path):
    metadata = {
        "license": "apache-2.0",
        "metrics": {"top1": 74.54},
        "dataset": "Things",
        "description": "Tiny.",
    }
    trained().save_to_preset(tmp_path / "saved", metadata=metadata)
    upload_preset("hf://writer/tiny", tmp_path / "saved", token="hf_writer", endpoint=hub.address)
    files = hub.repositories["writer/tiny"].files
    assert files["model.safetensors"].lfs
    card = files["README.md"].data.decode()
    header = ModelCard(card).data
    assert header.library_name == "keras-video"
    assert header.pipeline_tag == "video-classification"
    assert header.license == "apache-2.0"
    (result,) = header.eval_results
    assert (result.metric_value, result.dataset_name) == (74.54, "Things")
    assert "| Top-1 accuracy, % | 74.54 |" in card and 'hf://writer/tiny")' in card


def test_a_copy_of_a_preset_is_published_with_the_preset_s_own_card(hub, tmp_path):
    preset = register_preset(tiny_preset(dataset="Things", limits=("It is tiny.",)))
    trained().save_to_preset(tmp_path / "saved", metadata={"preset": preset.name})
    options = {"token": "hf_writer", "endpoint": hub.address}
    upload_preset("hf://writer/tiny", tmp_path / "saved", **options)
    card = hub.repositories["writer/tiny"].files["README.md"].data.decode()
    assert card == preset_card(preset, "writer/tiny").text()
    assert "- It is tiny." in card and "published upstream" in card


def test_only_a_preset_s_files_are_published(hub, tmp_path):
    saved = tmp_path / "saved"
    trained().save_to_preset(saved)
    (saved / "README.md").write_text("---\nlibrary_name: keras-video\n---\nMy own words.\n")
    (saved / "secret.txt").write_text("private notes")
    upload_preset("hf://writer/tiny", saved, token="hf_writer", endpoint=hub.address)
    files = hub.repositories["writer/tiny"].files
    assert "secret.txt" not in files
    assert files["README.md"].data.endswith(b"My own words.\n")


def test_files_of_an_earlier_upload_go(hub, tmp_path):
    model = trained()
    options = {"token": "hf_writer", "endpoint": hub.address}
    model.upload_preset("hf://writer/tiny", path=tmp_path / "kept", keras_core=True, **options)
    assert "model.weights.h5" in hub.repositories["writer/tiny"].files
    assert (tmp_path / "kept" / "config.json").is_file()
    model.labels = None
    model.upload_preset("hf://writer/tiny", **options)
    files = hub.repositories["writer/tiny"].files
    assert "labels.txt" not in files and "model.weights.h5" not in files
    assert "README.md" in files and ".gitattributes" in files


def test_a_new_repository_can_be_private(hub):
    trained().upload_preset(
        "hf://writer/tiny", token="hf_writer", endpoint=hub.address, private=True
    )
    assert hub.repositories["writer/tiny"].private


def test_weights_can_be_published_in_half_the_space(hub):
    trained().upload_preset(
        "hf://writer/tiny", token="hf_writer", endpoint=hub.address, weights_dtype="float16"
    )
    metadata = hub.repositories["writer/tiny"].files["metadata.json"].data
    assert json.loads(metadata)["weights_dtype"] == "float16"


@pytest.mark.parametrize(
    "token, message", [(False, "401.*pass token="), ("hf_reader", "403.*may write")]
)
def test_without_permission_the_error_says_what_to_do(hub, token, message):
    with pytest.raises(PresetError, match=message):
        trained().upload_preset("hf://writer/tiny", token=token, endpoint=hub.address)
    assert hub.repositories == {}


def test_without_network_the_error_says_so(no_network):
    with pytest.raises(PresetError, match="Hub at .* can't be reached.*'hf://writer/tiny'"):
        trained().upload_preset("hf://writer/tiny", token="hf_writer", endpoint=no_network)


@pytest.mark.parametrize("uri", ["writer/tiny", "hf://a/b/c", "hf://writer/tiny@v1", None])
def test_an_address_must_be_of_the_hub(uri, tmp_path):
    with pytest.raises(PresetError, match="goes to 'hf://org/name'"):
        upload_preset(uri, tmp_path)


def test_a_folder_without_a_preset_is_not_published(hub, tmp_path):
    with pytest.raises(PresetError, match="it has no config.json"):
        upload_preset("hf://writer/tiny", tmp_path, token="hf_writer", endpoint=hub.address)
    assert hub.requests == []
