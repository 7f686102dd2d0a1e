"""hub/publish.py: from an original checkpoint to the Hub, compared, resumed where it stopped."""

import hashlib
import importlib.util
import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_classifier import (
    TinyClassifier,
    answers,
    checkpoint_of,
    tiny_preset,
    trained,
    write_pdparams,
)

from keras_video.data import render_motion_clip, write_video
from keras_video.models import TSM
from keras_video.models.tsm.tsm_presets import OWN
from keras_video.presets import original, register_preset
from keras_video.presets.preset_card import preset_card
from keras_video.publishing import model_source

SCRIPT = Path(__file__).parents[2] / "hub" / "publish.py"
REPOSITORY = "writer/tiny"
FILES = ("config.json", "model.safetensors", "preprocessor.json", "labels.txt", "metadata.json")

# Warnings of the Hub client and of Keras about the libraries that they use.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture
def publish(hub, tmp_path, monkeypatch, capsys):
    """Runs the script in an empty directory; returns its exit code, output and errors."""
    spec = importlib.util.spec_from_file_location("publish", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.chdir(tmp_path)

    def run(preset, *arguments, token="hf_writer", repository=REPOSITORY):
        monkeypatch.setenv("HF_TOKEN", token)
        options = ["--preset", preset, "--repo", repository, "--endpoint", hub.address]
        monkeypatch.setattr(sys, "argv", ["publish.py", *options, *arguments])
        capsys.readouterr()
        return script.main(), *capsys.readouterr()

    return run


@pytest.fixture
def preset(file_server, tmp_path, monkeypatch):
    """A preset whose original is on its authors' server, and nowhere on the Hub."""
    path = write_pdparams(tmp_path / "tiny.pdparams", checkpoint_of(trained()))
    file_server.files["/tiny.pdparams"] = path.read_bytes()
    path.unlink()
    monkeypatch.setenv("KERAS_VIDEO_CHECKPOINT_MIRROR", file_server.address)
    url = "https://checkpoints.invalid/tiny.pdparams"
    return register_preset(tiny_preset("tiny_original", source_url=url, dataset="Things"))


def uploads(hub):
    """Names of what was sent to the Hub's store of large files, in order."""
    sent = [path.rpartition("/")[2] for method, path in hub.requests if method == "PUT"]
    return [hub._path_of_lfs(oid) for oid in sent]


def test_an_original_becomes_a_repository(publish, preset, hub, tmp_path):
    code, out, err = publish("tiny_original")
    assert code == 0, err
    repository = hub.repositories[REPOSITORY]
    commit = repository.refs["main"]
    assert f'To pin: revision="{commit}"' in out
    for name in (*FILES, "model.weights.h5", "README.md"):
        digest = hashlib.sha256(repository.files[name].data).hexdigest()
        assert f"sha256 {digest}\n" in out
    card = repository.files["README.md"].data.decode()
    assert card == preset_card(preset, REPOSITORY).text()
    assert 'preset": "tiny_original"' in repository.files["metadata.json"].data.decode()
    model = TinyClassifier.from_preset(f"hf://{REPOSITORY}@{commit}", endpoint=hub.address)
    np.testing.assert_array_equal(answers(model), answers(trained()))
    assert (tmp_path / "runs" / "publish" / "tiny_original" / "preset" / "config.json").is_file()


def test_a_dry_run_asks_the_hub_nothing_and_does_the_work(publish, preset, hub, file_server):
    code, out, _ = publish("tiny_original", "--dry-run", "--no-keras-core")
    assert code == 0 and hub.requests == []
    assert "Repository: writer/tiny\nTags: keras, keras-video, video-classification" in out
    assert "model.safetensors" in out and "model.weights.h5" not in out
    assert "Nothing was uploaded; the files are in runs/publish/tiny_original/preset" in out

    code, out, _ = publish("tiny_original", "--no-keras-core")
    assert code == 0 and file_server.requests == ["/tiny.pdparams"]
    assert out.count("there already\n") == 3  # original, conversion, copy
    assert "Comparing" not in out and REPOSITORY in hub.repositories


def test_an_upload_that_broke_off_goes_on(publish, preset, hub, file_server):
    hub.failures.append((f"/{REPOSITORY}/commit/", 503))
    code, _, err = publish("tiny_original", "--no-keras-core")
    assert code == 1 and "The Hub refuses the upload (503" in err
    assert set(hub.repositories[REPOSITORY].files) == {".gitattributes"}

    code, out, _ = publish("tiny_original", "--no-keras-core")
    assert code == 0 and "Comparing" not in out
    assert file_server.requests == ["/tiny.pdparams"]
    assert set(FILES) < set(hub.repositories[REPOSITORY].files)
    assert uploads(hub) == ["model.safetensors"]


def test_a_large_file_that_broke_off_is_sent_again(publish, preset, hub):
    hub.failures += [("^/lfs/", 400)]
    assert publish("tiny_original", "--no-keras-core")[0] == 1
    assert publish("tiny_original", "--no-keras-core")[0] == 0
    assert uploads(hub) == ["model.safetensors"] * 2


def test_a_download_that_broke_off_is_done_again(publish, preset, hub, file_server):
    file_server.truncate_at = 100
    code, _, err = publish("tiny_original")
    assert code == 1 and "it ended after 100 of" in err
    assert hub.repositories == {}
    file_server.truncate_at = None
    assert publish("tiny_original")[0] == 0


@pytest.mark.parametrize(
    "module, step", [(original, "_converted_model"), (model_source, "write_preset")]
)
def test_work_that_was_interrupted_goes_on(
    publish, preset, hub, file_server, monkeypatch, module, step
):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, step, interrupt)
        code, _, err = publish("tiny_original")
    assert code == 130 and "the same command goes on" in err
    assert hub.repositories == {}
    assert publish("tiny_original")[0] == 0
    assert file_server.requests == ["/tiny.pdparams"]


def test_what_the_hub_has_is_not_uploaded_again(publish, preset, hub, tmp_path):
    _, first, _ = publish("tiny_original", "--no-keras-core")
    before = len(hub.repositories[REPOSITORY].commits)
    code, second, _ = publish("tiny_original", "--no-keras-core")
    assert code == 0 and len(hub.repositories[REPOSITORY].commits) == before
    assert second.count("  there already\n") == 6
    assert first.splitlines()[-1] == second.splitlines()[-1]  # the commit to pin

    # One file differs: it is all that is sent.
    repository = hub.repositories[REPOSITORY]
    repository.commit({**repository.files, "labels.txt": repository.files["config.json"]})
    code, out, _ = publish("tiny_original", "--no-keras-core")
    assert out.count("  there already\n") == 5
    assert repository.files["labels.txt"].data.startswith(b"left\n")
    assert uploads(hub) == ["model.safetensors"]


def test_a_copy_that_was_changed_is_made_again(publish, preset, hub, tmp_path):
    publish("tiny_original", "--dry-run")
    labels = tmp_path / "runs" / "publish" / "tiny_original" / "preset" / "labels.txt"
    labels.write_text("a\nb\nc\nd\n")
    code, out, _ = publish("tiny_original")
    assert code == 0 and "Copy: saving" in out
    assert hub.repositories[REPOSITORY].files["labels.txt"].data.startswith(b"left\n")


@pytest.mark.parametrize(
    "token, message", [("hf_wrong", "401.*pass token="), ("hf_reader", "may only read")]
)
def test_a_wrong_token_is_told_before_the_work(publish, preset, hub, file_server, token, message):
    code, out, err = publish("tiny_original", token=token)
    assert code == 1
    assert re.search(message, err)
    assert file_server.requests == [] and hub.repositories == {} and out == ""


def test_weights_that_give_no_numbers_are_not_published(publish, preset, hub, file_server):
    huge = {name: np.full_like(t, 3e38) for name, t in checkpoint_of(trained()).items()}
    path = write_pdparams(Path("huge.pdparams"), huge)
    file_server.files["/tiny.pdparams"] = path.read_bytes()
    code, _, err = publish("tiny_original")
    assert code == 1 and "doesn't answer with numbers" in err
    assert hub.repositories == {}
    assert publish("tiny_original")[0] == 1 and hub.repositories == {}


def test_a_copy_that_differs_is_not_published(publish, preset, hub, monkeypatch):
    def save_others(model, *arguments, **options):
        write(trained(filters=3), *arguments, **options)
        other = TinyClassifier()
        other.preprocessor, other.labels = model.preprocessor, model.labels
        write(other, *arguments, **options)

    write = model_source.write_preset
    monkeypatch.setattr(model_source, "write_preset", save_others)
    code, _, err = publish("tiny_original")
    assert code == 1 and "The saved copy has other weights: 'conv1/kernel'" in err
    assert hub.repositories == {}


def test_a_checkpoint_that_does_not_fit_is_not_published(publish, preset, hub, file_server):
    path = write_pdparams(Path("other.pdparams"), checkpoint_of(trained(filters=5)))
    file_server.files["/tiny.pdparams"] = path.read_bytes()
    code, _, err = publish("tiny_original")
    assert code == 1 and "can't be used: variable 'conv1/kernel' has shape" in err
    assert hub.repositories == {}


def test_a_bundled_preset_is_compared_by_a_video(publish, hub, tmp_path):
    register_preset(OWN[0])
    clip = tmp_path / "up.mp4"
    write_video(clip, render_motion_clip("moving up", seed=3, num_frames=30, size=96))
    code, out, err = publish("tsm_tiny_motion", "--clip", str(clip), "--private")
    assert code == 0, err
    assert "The copy answers as its original: 'moving up' (" in out
    assert hub.repositories[REPOSITORY].private
    assert b"trained and measured here" in hub.repositories[REPOSITORY].files["README.md"].data
    folder = tmp_path / "runs" / "publish" / "tsm_tiny_motion" / "preset"
    assert isinstance(keras.saving.load_model(folder), TSM)

    code, _, err = publish("tsm_tiny_motion", "--clip", "absent.mp4")
    assert code == 1 and "absent.mp4" in err


def test_what_its_authors_have_on_the_hub_is_the_original(publish, hub, tmp_path):
    preset = register_preset(tiny_preset("tiny_theirs", repository="authors/tiny"))
    trained().save_to_preset(tmp_path / "theirs")
    hub.add_folder("authors/tiny", tmp_path / "theirs")
    code, out, err = publish("tiny_theirs")
    assert code == 0 and "Original: hf://authors/tiny\n" in out, err
    card = hub.repositories[REPOSITORY].files["README.md"].data.decode()
    assert card == preset_card(preset, REPOSITORY).text()
    assert "Converted from [authors/tiny](https://huggingface.co/authors/tiny)." in card
    model = TinyClassifier.from_preset(f"hf://{REPOSITORY}", endpoint=hub.address)
    np.testing.assert_array_equal(answers(model), answers(trained()))


def test_a_saved_directory_is_published_with_what_it_says(publish, hub, tmp_path):
    register_preset(tiny_preset())  # Its class may be in files from now on.
    trained().save_to_preset(tmp_path / "mine", metadata={"license": "mit", "metrics": {"top1": 9}})
    code, out, err = publish(str(tmp_path / "mine"), "--workdir", str(tmp_path / "work"))
    assert code == 0, err
    files = hub.repositories[REPOSITORY].files
    assert b'license: "mit"' in files["README.md"].data
    assert b'"top1": 9' in files["metadata.json"].data
    assert not (tmp_path / "mine" / "README.md").exists()


def test_what_cannot_be_published_is_refused(publish, hub):
    register_preset(tiny_preset("sourceless"))
    for preset, repository, message in (
        ("sourceless", REPOSITORY, "no original to convert: its manifest has no source_url"),
        ("tiny_originel", REPOSITORY, "Unknown preset"),
        ("hf://writer/other", REPOSITORY, "not what the Hub has already"),
        ("sourceless", "tiny", "A Hub repository is 'org/name'"),
        ("football_action", REPOSITORY, "can't be converted one by one"),
    ):
        code, _, err = publish(preset, repository=repository)
        assert code == 1 and message in err and "Received: " in err
    assert hub.repositories == {}


def test_without_network_the_error_says_so(publish, preset, no_network):
    code, _, err = publish("tiny_original", "--endpoint", no_network)
    assert code == 1 and "The Hub at http://127.0.0.1:9 can't be reached" in err
