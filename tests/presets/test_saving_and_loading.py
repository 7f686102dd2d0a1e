"""A saved preset gives the same model back; anything else is an error that says why."""

import errno
import json
import os

import keras
import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file, save, save_file
from tiny_classifier import (
    LABELS,
    SmallerClassifier,
    TinyClassifier,
    TinyPreprocessor,
    answers,
    tiny_preset,
    trained,
)

from keras_video.presets import PresetError, load_preset, register_preset, save_preset
from keras_video.presets.weights import to_numpy, weights_by_path


@pytest.fixture
def saved(tmp_path):
    """A saved preset's directory."""
    trained().save_to_preset(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_saved_model_comes_back_with_everything(saved):
    model = TinyClassifier.from_preset(saved)
    np.testing.assert_array_equal(answers(model), answers(trained()))
    assert list(model.labels) == list(LABELS)
    assert isinstance(model.preprocessor, TinyPreprocessor)


def test_a_preset_has_these_files_and_readable_names(saved):
    assert sorted(file.name for file in saved.iterdir()) == [
        "config.json", "labels.txt", "metadata.json", "model.safetensors", "preprocessor.json"
    ]  # fmt: skip
    assert sorted(load_file(saved / "model.safetensors")) == [
        "conv1/bias", "conv1/kernel", "conv2/bias", "conv2/kernel", "head/bias", "head/kernel"
    ]  # fmt: skip
    metadata = json.loads((saved / "metadata.json").read_text())
    assert metadata["trainable_parameters"] == 84 + 16 + 20
    assert metadata["keras_version"] == keras.__version__


def test_the_optimizer_stays_out(tmp_path):
    model = trained()
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 2, 8, 8, 3)), np.zeros((2, 4)), verbose=0)
    model.save_to_preset(tmp_path / "fitted")
    assert len(load_file(tmp_path / "fitted" / "model.safetensors")) == len(model.weights)
    assert "adam" not in (tmp_path / "fitted" / "config.json").read_text().lower()
    assert not TinyClassifier.from_preset(tmp_path / "fitted").compiled


def test_the_base_class_dispatches_and_another_class_is_refused(tmp_path, saved):
    SmallerClassifier().save_to_preset(tmp_path / "smaller")
    assert type(TinyClassifier.from_preset(tmp_path / "smaller")) is SmallerClassifier
    with pytest.raises(PresetError, match="is a TinyClassifier, not a SmallerClassifier"):
        SmallerClassifier.from_preset(saved)


def test_a_registered_preset_of_another_class_is_refused_before_any_download():
    register_preset(tiny_preset("tiny_motion"))
    with pytest.raises(PresetError, match="is a TinyClassifier, not a SmallerClassifier"):
        SmallerClassifier.from_preset("tiny_motion")


def test_another_number_of_classes_gives_a_new_head(saved):
    model = TinyClassifier.from_preset(saved, num_classes=10)
    old = TinyClassifier.from_preset(saved)
    assert model.output_shape == (None, 10)
    assert model.labels is None
    kernels = [to_numpy(m.get_layer("conv2").kernel) for m in (model, old)]
    np.testing.assert_array_equal(*kernels)


def test_the_same_number_of_classes_keeps_the_head(saved):
    model = TinyClassifier.from_preset(saved, num_classes=4)
    np.testing.assert_array_equal(answers(model), answers(trained()))
    assert list(model.labels) == list(LABELS)


def test_other_arguments_reach_model_and_preprocessor(saved):
    model = TinyClassifier.from_preset(saved, num_frames=5, dtype="mixed_bfloat16")
    assert model.input_shape[1] == 5
    assert model.preprocessor.num_frames == 5
    assert model.get_layer("conv1").compute_dtype == "bfloat16"


def test_a_precision_can_be_an_object(saved):
    policy = keras.DTypePolicy("mixed_bfloat16")
    model = TinyClassifier.from_preset(saved, dtype=policy)
    assert model.get_layer("conv1").compute_dtype == "bfloat16"


def test_a_model_s_own_errors_stay_its_own(saved):
    with pytest.raises(ValueError, match="Received filters=-1"):
        TinyClassifier.from_preset(saved, filters=-1)


def test_an_unknown_argument_names_the_nearest(saved):
    with pytest.raises(PresetError, match="Did you mean 'num_classes'.*Received: 'num_class'"):
        TinyClassifier.from_preset(saved, num_class=3)


def test_fresh_weights_on_request(saved):
    (saved / "model.safetensors").unlink()
    model = TinyClassifier.from_preset(saved, load_weights=False)
    assert list(model.labels) == list(LABELS)


@pytest.mark.parametrize("dtype, tolerance", [("float16", 2e-2), ("bfloat16", 2e-1)])
def test_weights_can_be_stored_in_half_the_space(tmp_path, dtype, tolerance):
    trained().save_to_preset(tmp_path / "half", weights_dtype=dtype)
    model = TinyClassifier.from_preset(tmp_path / "half")
    assert model.weights[0].dtype == "float32"
    np.testing.assert_allclose(answers(model), answers(trained()), atol=tolerance)
    assert json.loads((tmp_path / "half" / "metadata.json").read_text())["weights_dtype"] == dtype


def test_a_bfloat16_model_is_stored_as_it_is(tmp_path):
    model = TinyClassifier(dtype="bfloat16")
    model.save_to_preset(tmp_path / "small")
    again = TinyClassifier.from_preset(tmp_path / "small")
    assert again.weights[0].dtype == "bfloat16"
    np.testing.assert_array_equal(answers(again), answers(model))


def test_overflow_in_float16_is_an_error(tmp_path):
    model = trained()
    model.get_layer("head").bias.assign(np.full(4, 1e6, "float32"))
    with pytest.raises(PresetError, match="'head/bias' doesn't fit float16"):
        model.save_to_preset(tmp_path / "half", weights_dtype="float16")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: t.pop("conv1/bias"), "missing 'conv1/bias'"),
        (lambda t: t.update(extra=np.zeros(2, "float32")), "unexpected 'extra'"),
        (
            lambda t: t.update({"head/bias": np.zeros(5, "float32")}),
            r"'head/bias' is \(4,\) in the model and \(5,\) in the file",
        ),
        (
            lambda t: t.update({"head/bias": np.full(4, np.nan, "float32")}),
            "NaN or infinity in 'head/bias'",
        ),
    ],
)
def test_weights_must_fit_exactly(saved, change, message):
    tensors = load_file(saved / "model.safetensors")
    change(tensors)
    save_file(tensors, saved / "model.safetensors")
    with pytest.raises(PresetError, match=message):
        TinyClassifier.from_preset(saved)


def test_a_new_head_does_not_excuse_other_misfits(saved):
    tensors = load_file(saved / "model.safetensors")
    del tensors["conv1/bias"]
    save_file(tensors, saved / "model.safetensors")
    with pytest.raises(PresetError, match="missing 'conv1/bias'"):
        TinyClassifier.from_preset(saved, num_classes=7)


def test_a_cut_off_weight_file_is_an_error(saved):
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(PresetError, match="weights can't be read.*model.safetensors"):
        TinyClassifier.from_preset(saved)


def test_labels_must_name_every_class(saved, tmp_path):
    (saved / "labels.txt").write_text("one\ntwo\n")
    with pytest.raises(PresetError, match="2 names for 4 classes"):
        TinyClassifier.from_preset(saved)
    model = trained()
    model.labels = ["only one"]
    with pytest.raises(PresetError, match="1 labels for 4 classes"):
        model.save_to_preset(tmp_path / "new")


def test_saving_again_replaces_the_preset_and_keeps_other_files(saved):
    (saved / "notes.txt").write_text("mine")
    model = trained()
    model.labels = None
    model.save_to_preset(saved)
    names = {file.name for file in saved.iterdir()}
    assert "notes.txt" in names and "labels.txt" not in names
    assert not [file for file in saved.parent.iterdir() if file.name.startswith(".")]


def test_variables_with_one_path_are_refused(tmp_path):
    first, second = (keras.layers.Dense(2, name="same") for _ in range(2))
    inputs = keras.Input((2,))
    middle = keras.Model(inputs, first(inputs), name="middle")
    model = keras.Model(inputs, second(middle(inputs)))
    with pytest.raises(PresetError, match="have the path 'same/kernel'"):
        weights_by_path(model)


def test_an_unregistered_class_is_refused(tmp_path):
    class Unregistered(TinyClassifier):
        pass

    with pytest.raises(PresetError, match="register_keras_serializable"):
        save_preset(Unregistered(), tmp_path / "preset")


@pytest.mark.parametrize("name", ["", "nowhere", "/no/such/folder", "hf://one_part", "hf://a/b/c"])
def test_what_is_no_preset_is_named(name):
    with pytest.raises(PresetError, match=f"Received: '{name}'"):
        load_preset(name)


def test_a_folder_without_config_is_named(tmp_path):
    with pytest.raises(PresetError, match="holds no preset: it has no config.json"):
        load_preset(tmp_path)


def test_any_class_loads_by_the_function(saved):
    register_preset(tiny_preset("makes_the_class_known"))
    assert type(load_preset(saved)) is TinyClassifier


def test_every_error_is_one_line(saved):
    with pytest.raises(PresetError) as caught:
        TinyClassifier.from_preset(saved, nonsense=1)
    assert "\n" not in str(caught.value)


def test_all_files_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        trained().save_to_preset(tmp_path / "saved", keras_core=True)
    finally:
        os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "saved").iterdir()}
    assert modes["model.safetensors"] == 0o640
    assert set(modes.values()) == {0o640}


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    def fail(tensors, path, metadata):
        path.write_bytes(b"half")
        reason = os.strerror(errno.ENOSPC)
        raise SafetensorError(f"Error while serializing: I/O error: {reason}")

    monkeypatch.setattr("safetensors.numpy.save_file", fail)
    with pytest.raises(PresetError, match="can't be written.*No space left"):
        trained().save_to_preset(tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


def test_metadata_that_json_cannot_hold_is_named(tmp_path):
    with pytest.raises(PresetError, match="metadata.json holds plain.*float32"):
        trained().save_to_preset(tmp_path / "saved", metadata={"top1": np.float32(0.5)})
    assert list(tmp_path.iterdir()) == []


def test_labels_that_are_no_text_are_named(saved):
    (saved / "labels.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PresetError, match="labels.txt can't be read.*Received: "):
        TinyClassifier.from_preset(saved)


def test_labels_from_an_editor_on_windows(saved):
    text = "\r\n".join(LABELS) + "\r\n"
    (saved / "labels.txt").write_bytes(text.encode("utf-8-sig"))
    assert list(TinyClassifier.from_preset(saved).labels) == list(LABELS)


def test_weights_of_a_type_that_numpy_lacks_are_named(saved):
    tensors = load_file(saved / "model.safetensors")
    tensors["head/bias"] = tensors["head/bias"].astype("uint8")
    content = save(tensors).replace(b'"U8"', b'"F8_E4M3"')
    size = int.from_bytes(content[:8], "little") + len(b"F8_E4M3") - len(b"U8")
    (saved / "model.safetensors").write_bytes(size.to_bytes(8, "little") + content[8:])
    with pytest.raises(PresetError, match="'head/bias' has the type F8_E4M3.*Received: "):
        TinyClassifier.from_preset(saved)


@pytest.mark.parametrize("name", ["a" * 300, "~no_such_user/preset"])
def test_a_name_that_can_be_no_directory_is_an_unknown_preset(name):
    with pytest.raises(PresetError, match="Unknown preset.*Received: "):
        TinyClassifier.from_preset(name)


def test_a_directory_has_no_revisions(saved):
    with pytest.raises(PresetError, match="no revisions.*revision='v1'"):
        TinyClassifier.from_preset(saved, revision="v1")
