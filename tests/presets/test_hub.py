"""Presets on the Hub, with the real client and a Hub on this machine."""

from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from tiny_classifier import TinyClassifier, answers, randomize, tiny_preset, trained

from keras_video.presets import PresetError, register_preset, resolution

# A warning of Keras, when it saves `model.weights.h5`, about NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def folder(tmp_path):
    trained().save_to_preset(tmp_path / "saved", keras_core=True)
    return tmp_path / "saved"


@pytest.fixture
def repository(hub, folder):
    return hub.add_folder("org/tiny", folder)


def second_commit(repository, tmp_path):
    """Commits other weights, and returns the model that has them."""
    model = trained()
    randomize(model, seed=7)
    model.save_to_preset(tmp_path / "second")
    files = dict(repository.files)
    blob = type(files["config.json"])
    for name in ("config.json", "model.safetensors"):
        data = (tmp_path / "second" / name).read_bytes()
        files[name] = blob(data, lfs=files[name].lfs)
    repository.commit(files)
    return model


def test_a_repository_loads_and_only_needed_files_are_downloaded(hub, repository):
    model = TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address)
    np.testing.assert_array_equal(answers(model), answers(trained()))
    assert sorted(hub.downloads()) == [
        "config.json", "labels.txt", "metadata.json", "model.safetensors", "preprocessor.json"
    ]  # fmt: skip


def test_without_weights_no_weights_are_downloaded(hub, repository):
    TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address, load_weights=False)
    assert "config.json" in hub.downloads()
    assert "model.safetensors" not in hub.downloads()


def test_files_go_to_the_cache_that_is_asked_for(hub, repository, tmp_path):
    cache = tmp_path / "mine"
    TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address, cache_dir=cache)
    assert list(cache.rglob("model.safetensors"))
    assert not list(Path(constants.HF_HUB_CACHE).rglob("model.safetensors"))


@pytest.mark.parametrize("as_argument", [True, False])
def test_a_revision_can_be_pinned(hub, repository, tmp_path, as_argument):
    first = repository.refs["main"]
    repository.refs["v1"] = first
    newer = second_commit(repository, tmp_path)
    for revision in ("v1", first):
        uri = "hf://org/tiny" if as_argument else f"hf://org/tiny@{revision}"
        options = {"revision": revision} if as_argument else {}
        model = TinyClassifier.from_preset(uri, endpoint=hub.address, **options)
        np.testing.assert_array_equal(answers(model), answers(trained()))
    latest = TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address)
    np.testing.assert_array_equal(answers(latest), answers(newer))


def test_two_different_revisions_are_an_error(hub):
    with pytest.raises(PresetError, match="Two revisions"):
        TinyClassifier.from_preset("hf://org/tiny@v1", revision="v2", endpoint=hub.address)


def test_an_unknown_revision_is_an_error(hub, repository):
    with pytest.raises(PresetError, match="no such revision. Received: 'hf://org/tiny@v9'"):
        TinyClassifier.from_preset("hf://org/tiny@v9", endpoint=hub.address)


def test_a_registered_name_follows_its_pinned_revision(hub, repository, tmp_path):
    register_preset(tiny_preset("tiny", repository="org/tiny", revision=repository.refs["main"]))
    second_commit(repository, tmp_path)
    model = TinyClassifier.from_preset("tiny", endpoint=hub.address)
    np.testing.assert_array_equal(answers(model), answers(trained()))


def test_a_pinned_commit_that_is_cached_needs_no_request(hub, repository, no_network):
    revision = repository.refs["main"]
    TinyClassifier.from_preset("hf://org/tiny", revision=revision, endpoint=hub.address)
    before = len(hub.requests)
    TinyClassifier.from_preset("hf://org/tiny", revision=revision, endpoint=hub.address)
    TinyClassifier.from_preset("hf://org/tiny", revision=revision, endpoint=no_network)
    assert len(hub.requests) == before


def test_a_cached_repository_loads_without_network(hub, repository, no_network, offline):
    TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address)
    requests = len(hub.requests)
    assert TinyClassifier.from_preset("hf://org/tiny", endpoint=no_network)
    assert TinyClassifier.from_preset("hf://org/tiny", local_files_only=True)
    offline()
    assert TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address)
    assert len(hub.requests) == requests


def test_offline_without_a_cached_copy_is_a_clear_error(hub, repository, offline):
    offline()
    with pytest.raises(PresetError, match="The network is off.*Received: 'hf://org/tiny'"):
        TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address)
    assert hub.requests == []


def test_a_cached_config_without_its_weights_is_not_enough_offline(hub, repository, offline):
    TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address, load_weights=False)
    offline()
    with pytest.raises(PresetError, match="no complete copy"):
        TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address)


@pytest.mark.parametrize("revision", [None, "0" * 40])
def test_without_network_and_cache_the_error_says_so(no_network, revision):
    with pytest.raises(PresetError, match="can't be reached .*refused"):
        TinyClassifier.from_preset("hf://org/tiny", endpoint=no_network, revision=revision)


def test_a_missing_repository_is_an_error(hub):
    with pytest.raises(PresetError, match="no repository org/nothing at .*private.*token="):
        TinyClassifier.from_preset("hf://org/nothing", endpoint=hub.address)


def test_a_private_repository_needs_a_token(hub, folder):
    hub.add_folder("org/secret", folder, private=True)
    with pytest.raises(PresetError, match="private.*pass token="):
        TinyClassifier.from_preset("hf://org/secret", endpoint=hub.address)
    with pytest.raises(PresetError, match=r"refuses access \(401\): the token isn't valid"):
        TinyClassifier.from_preset("hf://org/secret", endpoint=hub.address, token="hf_wrong")
    assert TinyClassifier.from_preset("hf://org/secret", endpoint=hub.address, token="hf_reader")


@pytest.mark.parametrize("token", [None, "hf_reader"])
def test_a_gated_repository_asks_to_accept_the_licence(hub, folder, token):
    hub.add_folder("org/gated", folder, gated=True)
    with pytest.raises(PresetError, match="accept its licence.*token=.*'hf://org/gated'"):
        TinyClassifier.from_preset("hf://org/gated", endpoint=hub.address, token=token)
    assert TinyClassifier.from_preset("hf://org/gated", endpoint=hub.address, token="hf_writer")


def test_a_gated_repository_never_falls_back_to_the_original(hub, folder, file_server):
    hub.add_folder("org/gated", folder, gated=True)
    url = f"{file_server.address}/original.pdparams"
    register_preset(tiny_preset("gated", repository="org/gated", source_url=url))
    with pytest.raises(PresetError, match="accept its licence"):
        TinyClassifier.from_preset("gated", endpoint=hub.address)
    assert file_server.requests == []


def test_a_repository_of_something_else_is_an_error(hub):
    hub.add("org/text", {"README.md": "a language model"})
    with pytest.raises(PresetError, match="holds no keras_video preset: it has no config.json"):
        TinyClassifier.from_preset("hf://org/text", endpoint=hub.address)
    hub.add("org/other", {"config.json": '{"model_type": "bert"}', "model.safetensors": b"x"})
    with pytest.raises(PresetError, match="A 'bert' of transformers can't be loaded"):
        TinyClassifier.from_preset("hf://org/other", endpoint=hub.address)


def test_a_download_that_breaks_off_is_repeated(hub, repository):
    hub.truncations.append((r"/lfs/", 100))
    model = TinyClassifier.from_preset("hf://org/tiny", endpoint=hub.address)
    np.testing.assert_array_equal(answers(model), answers(trained()))


def test_a_bundled_preset_needs_no_hub(hub, folder, monkeypatch, offline):
    monkeypatch.setattr(resolution, "BUNDLED", folder.parent)
    register_preset(tiny_preset("saved", bundled=True))
    offline()
    model = TinyClassifier.from_preset("saved", endpoint=hub.address)
    np.testing.assert_array_equal(answers(model), answers(trained()))
    assert hub.requests == []
    register_preset(tiny_preset("lost", bundled=True))
    with pytest.raises(PresetError, match="should ship with keras_video.*reinstall"):
        TinyClassifier.from_preset("lost")


def test_keras_core_loads_what_we_publish(default_hub, folder, repository):
    import keras

    for source in (str(folder), "hf://org/tiny"):
        model = keras.saving.load_model(source)
        assert type(model) is TinyClassifier
        np.testing.assert_array_equal(answers(model), answers(trained()))
