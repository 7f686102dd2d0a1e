"""Until the Hub has a repository, the original checkpoint is downloaded and converted, once."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_classifier import (
    LABELS,
    TinyClassifier,
    answers,
    checkpoint_of,
    tiny_preset,
    trained,
    write_pdparams,
)

from keras_video.presets import PresetError, list_presets, register_preset

TESTS = Path(__file__).parents[1]


@pytest.fixture
def original(tmp_path):
    """The bytes of an original checkpoint."""
    return write_pdparams(tmp_path / "original.pdparams", checkpoint_of(trained())).read_bytes()


@pytest.fixture
def preset(file_server, original, monkeypatch):
    """A preset whose repository is missing; its original is on the mirror."""
    file_server.files["/PPTSM/tiny.pdparams"] = original
    monkeypatch.setenv("KERAS_VIDEO_CHECKPOINT_MIRROR", file_server.address)
    url = "https://checkpoints.invalid/PPTSM/tiny.pdparams"
    return register_preset(tiny_preset("tiny_original", source_url=url))


def cached_files():
    """Everything in keras_video's cache but the locks."""
    files = Path(os.environ["KERAS_VIDEO_CACHE"]).rglob("*")
    return [f for f in files if f.is_file() and f.parent.name != ".locks"]


def load(hub, **options):
    return TinyClassifier.from_preset("tiny_original", endpoint=hub.address, **options)


def test_a_missing_repository_falls_back_and_is_converted_once(hub, file_server, preset, capfd):
    first, second = load(hub), load(hub)
    for model in (first, second):
        np.testing.assert_array_equal(answers(model), answers(trained()))
        assert list(model.labels) == list(LABELS)
        assert model.preprocessor.num_frames == 2
    assert file_server.requests == ["/PPTSM/tiny.pdparams"]
    assert "tiny.pdparams: 100%" in capfd.readouterr().err


def test_labels_come_from_the_authors_list_where_the_manifest_has_none(
    hub, file_server, preset, original
):
    """Two classes of one name stay two classes."""
    file_server.files["/labels.txt"] = "猫\nopen\nclose\n猫\n".encode()
    url, labels = "https://checkpoints.invalid/PPTSM/tiny.pdparams", "https://a.invalid/labels.txt"
    register_preset(tiny_preset("listed", source_url=url, labels=None, labels_url=labels))
    model = TinyClassifier.from_preset("listed", endpoint=hub.address)
    assert model.labels == ["猫", "open", "close", "猫"]

    file_server.files["/short.txt"] = b"one\ntwo\n"
    short = "https://a.invalid/short.txt"
    register_preset(tiny_preset("short", source_url=url, labels=None, labels_url=short))
    with pytest.raises(PresetError, match="2 labels for 4 classes"):
        TinyClassifier.from_preset("short", endpoint=hub.address)


def test_a_converted_copy_takes_overrides(hub, preset):
    model = load(hub, num_classes=7, num_frames=3)
    assert model.output_shape == (None, 7)
    assert model.labels is None
    assert model.preprocessor.num_frames == 3
    again = load(hub)
    assert again.output_shape == (None, 4)


def test_conversion_ignores_the_session_s_precision(hub, preset):
    import keras

    keras.config.set_dtype_policy("float16")
    try:
        load(hub)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(answers(load(hub)), answers(trained()))


def test_an_unreachable_hub_falls_back(file_server, preset, no_network, caplog):
    model = TinyClassifier.from_preset("tiny_original", endpoint=no_network)
    np.testing.assert_array_equal(answers(model), answers(trained()))
    assert "can't be reached" in caplog.text


def test_a_failing_hub_falls_back(hub, file_server, preset):
    hub.failures += [(r"/api/models/", 500)] * 3
    np.testing.assert_array_equal(answers(load(hub)), answers(trained()))


def test_a_repository_that_appears_is_preferred(hub, file_server, preset, tmp_path):
    load(hub)
    trained().save_to_preset(tmp_path / "published")
    hub.add_folder("keras-video/tiny_original", tmp_path / "published")
    load(hub)
    assert "model.safetensors" in hub.downloads()


def test_a_converted_copy_loads_without_network(hub, file_server, preset, no_network, offline):
    load(hub)
    del file_server.files["/PPTSM/tiny.pdparams"]
    assert TinyClassifier.from_preset("tiny_original", endpoint=no_network)
    assert TinyClassifier.from_preset("tiny_original", local_files_only=True)
    offline()
    assert load(hub)
    assert len(file_server.requests) == 1


def test_offline_without_a_copy_is_a_clear_error(hub, file_server, preset, offline):
    offline()
    with pytest.raises(PresetError, match="isn't on this machine, and the network is off"):
        load(hub)
    assert hub.requests == [] and file_server.requests == []


def test_without_weights_nothing_is_downloaded(hub, file_server, preset):
    model = load(hub, load_weights=False, num_frames=3)
    assert list(model.labels) == list(LABELS)
    assert model.preprocessor.num_frames == 3
    assert file_server.requests == []


def test_the_cache_is_where_it_is_asked_for(hub, preset, tmp_path):
    load(hub, cache_dir=tmp_path / "mine")
    assert list((tmp_path / "mine").rglob("model.safetensors"))
    assert cached_files() == []


def test_a_pinned_revision_is_never_replaced_by_the_original(hub, file_server, preset):
    with pytest.raises(PresetError, match="no repository keras-video/tiny_original"):
        load(hub, revision="v1")
    assert file_server.requests == []


def test_without_an_original_the_missing_repository_is_the_error(hub):
    register_preset(tiny_preset("tiny_original"))
    with pytest.raises(PresetError, match="no repository keras-video/tiny_original"):
        load(hub)


def without_a_tensor(tensors):
    del tensors["head.fc.bias"]


def with_one_more(tensors):
    tensors["head.fc2.bias"] = np.zeros(3, "float32")


def with_another_shape(tensors):
    tensors["head.fc.bias"] = np.zeros(9, "float32")


@pytest.mark.parametrize(
    "content, message",
    [
        (b"<!DOCTYPE html><title>404</title>", "Not a checkpoint.*<!DOCTYPE"),
        (b"", "Not a checkpoint"),
        (b"\x80\x04]\x94.", "holds a list, not a dict of arrays"),
        (without_a_tensor, "1 variables have no tensor: 'head/bias .tensor head.fc.bias"),
        (with_one_more, "1 tensors have no variable: 'head.fc2.bias'"),
        (with_another_shape, r"variable 'head/bias' has shape \(4,\), but tensor"),
    ],
)
def test_a_wrong_download_leaves_nothing_behind(
    hub, file_server, preset, tmp_path, content, message
):
    if callable(content):
        tensors = checkpoint_of(trained())
        content(tensors)
        content = write_pdparams(tmp_path / "bad.pdparams", tensors).read_bytes()
    good = file_server.files["/PPTSM/tiny.pdparams"]
    file_server.files["/PPTSM/tiny.pdparams"] = content
    with pytest.raises(PresetError, match=message) as caught:
        load(hub)
    assert f"{file_server.address}/PPTSM/tiny.pdparams" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert cached_files() == []
    file_server.files["/PPTSM/tiny.pdparams"] = good
    np.testing.assert_array_equal(answers(load(hub)), answers(trained()))


def test_a_truncated_download_leaves_nothing_behind(hub, file_server, preset):
    file_server.truncate_at = 300
    with pytest.raises(PresetError, match=r"ended after 300 of [\d,]+ bytes.*tiny.pdparams"):
        load(hub)
    assert cached_files() == []


def test_a_checkpoint_that_was_cut_off_before_is_an_error(hub, file_server, preset):
    whole = file_server.files["/PPTSM/tiny.pdparams"]
    file_server.files["/PPTSM/tiny.pdparams"] = whole[: len(whole) // 2]
    with pytest.raises(PresetError, match="damaged or cut off.*tiny.pdparams"):
        load(hub)
    assert cached_files() == []


def test_a_checkpoint_that_is_gone_is_an_error(hub, file_server, preset):
    file_server.files.clear()
    with pytest.raises(PresetError, match="the server answered 404 .*tiny.pdparams"):
        load(hub)
    assert cached_files() == []


def test_neither_hub_nor_original_in_reach_is_an_error(preset, no_network, monkeypatch):
    monkeypatch.setenv("KERAS_VIDEO_CHECKPOINT_MIRROR", no_network)
    with pytest.raises(
        PresetError,
        match="preset 'tiny_original' can't be used: The download failed: .*refused.*tiny.pdparams",
    ):
        TinyClassifier.from_preset("tiny_original", endpoint=no_network)
    assert cached_files() == []


def test_a_hostile_original_does_not_run(hub, file_server, preset, tmp_path):
    trap = tmp_path / "trap"
    code = f"cos\nsystem\n(S'touch {trap}'\ntR.".encode()
    file_server.files["/PPTSM/tiny.pdparams"] = b"\x80\x02" + code
    with pytest.raises(PresetError, match="refused: it asks for os.system"):
        load(hub)
    assert not trap.exists() and cached_files() == []


def test_what_a_killed_process_left_is_removed(hub, preset):
    load(hub)
    (converted,) = [f.parent for f in cached_files() if f.name == "config.json"]
    (converted / "config.json").unlink()
    leftover = converted.with_name(f".{converted.name}.killed")
    leftover.mkdir()
    (leftover / "half.pdparams").write_bytes(b"half")
    load(hub)
    assert len(cached_files()) == 5


def test_a_cache_that_cannot_be_written_is_named(hub, preset, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KERAS_VIDEO_CACHE", str(tmp_path / "file"))
    with pytest.raises(PresetError, match="cache can't be written.*set KERAS_VIDEO_CACHE"):
        load(hub)


def test_two_processes_convert_once(hub, file_server, preset):
    file_server.delay = 0.5
    code = (
        "from tiny_classifier import TinyClassifier, answers, tiny_preset\n"
        "from keras_video.presets import register_preset\n"
        f"register_preset(tiny_preset('tiny_original', source_url={preset.source_url!r}))\n"
        f"model = TinyClassifier.from_preset('tiny_original', endpoint={hub.address!r})\n"
        "print(answers(model).tolist())\n"
    )
    # The NumPy backend starts fastest, and shows that presets don't depend on TensorFlow.
    environment = {**os.environ, "KERAS_BACKEND": "numpy", "PYTHONPATH": str(TESTS)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    for output in outputs:
        np.testing.assert_allclose(eval(output), answers(trained()), atol=1e-4)
    assert file_server.requests == ["/PPTSM/tiny.pdparams"]
    assert len(cached_files()) == 5


def test_listing_needs_no_download(preset, file_server):
    assert list_presets() == ["tiny_original"]
    assert file_server.requests == []
