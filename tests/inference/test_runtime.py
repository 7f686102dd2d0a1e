import numpy as np
import pytest

from keras_video.inference import ExportedModel, Runtime, TensorSpec, open_runtime


class Adder(Runtime):
    """Sums the pixels of a clip, and adds a number."""

    name = "adder"
    inputs = {
        "clips": TensorSpec((None, 2, 4, 4, 3), "uint8"),
        "offset": TensorSpec((None,), "float32"),
    }
    outputs = {"sum": TensorSpec((None,), "float32")}

    def _run(self, inputs):
        assert inputs["clips"].dtype == "uint8"
        assert inputs["offset"].dtype == "float32"
        return {"sum": inputs["clips"].sum(axis=(1, 2, 3, 4)) + inputs["offset"]}


CLIPS = np.ones((3, 2, 4, 4, 3), "uint8")
OFFSETS = np.arange(3, dtype="float32")


def test_arrays_come_as_the_model_takes_them():
    expected = 96 + OFFSETS
    for clips in (CLIPS, CLIPS.astype("float32") + 0.2, CLIPS[:, :, ::-1]):
        outputs = Adder().run({"clips": clips, "offset": OFFSETS.astype("float64")})
        np.testing.assert_array_equal(outputs["sum"], expected)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"clips": CLIPS}, r"takes \['clips', 'offset'\]. Received: inputs=\['clips'\]"),
        ({"clips": CLIPS, "offset": OFFSETS, "x": OFFSETS}, "Received: inputs="),
        (
            {"clips": CLIPS[:, :1], "offset": OFFSETS},
            r"\(any, 2, 4, 4, 3\).*Received: shape=\(3, 1",
        ),
        ({"clips": CLIPS[0], "offset": OFFSETS}, r"Received: shape=\(2, 4, 4, 3\)"),
        ({"clips": CLIPS[:0], "offset": OFFSETS}, r"Received: shape=\(0, 2, 4, 4, 3\)"),
        ({"clips": CLIPS.astype("int32"), "offset": OFFSETS}, "Received: dtype=int32"),
        ({"clips": CLIPS * 300.0, "offset": OFFSETS}, "values from 300 to 300"),
        ({"clips": CLIPS * np.nan, "offset": OFFSETS}, "values from nan"),
        ({"clips": CLIPS, "offset": OFFSETS.astype("complex64")}, "Received: dtype=complex64"),
    ],
)
def test_other_arrays_are_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        Adder().run(inputs)


def described(**changes) -> ExportedModel:
    values = {
        "format": "onnx",
        "precision": "float32",
        "file": "model.onnx",
        "model": "TSM",
        "inputs": {"clips": TensorSpec((None, 8, 64, 64, 3), "uint8")},
        "outputs": {"logits": TensorSpec((None, 8), "float32")},
        "view_average": "logits",
    }
    return ExportedModel(**values | changes)


def test_a_description_comes_back(tmp_path):
    described(preset="tsm_tiny_motion", source={"bound": 1e-4}).write(tmp_path)
    assert ExportedModel.read(tmp_path) == described(
        preset="tsm_tiny_motion", source={"bound": 1e-4}
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "caffe"},
        {"file": "../model.onnx"},
        {"file": "/etc/passwd"},
        {"file": ".."},
        {"file": ""},
        {"view_average": "x"},
    ],
)
def test_a_description_that_means_something_else_is_refused(tmp_path, changes):
    described(**changes).write(tmp_path)
    with pytest.raises(ValueError, match="Received: .*" + tmp_path.name):
        ExportedModel.read(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"inputs": 3, "outputs": {}}', "\x00", "[" * 100_000]
)
def test_rubbish_is_no_description(tmp_path, text):
    (tmp_path / "export.json").write_text(text)
    with pytest.raises(ValueError, match="no directory that `keras-video export` wrote"):
        open_runtime(tmp_path)


@pytest.mark.parametrize(
    ("format", "file"),
    [("onnx", "model.onnx"), ("openvino", "model.xml"), ("litert", "model.tflite")],
)
def test_a_damaged_file_is_named(tmp_path, format, file):
    described(format=format, file=file).write(tmp_path)
    (tmp_path / file).write_bytes(b"\x08\x07 this is no model")
    with pytest.raises(ValueError, match=f"refuses the file.*Received: .*{file}"):
        open_runtime(tmp_path)


def test_a_damaged_saved_model_is_named(tmp_path):
    described(format="saved_model", file="1").write(tmp_path)
    (tmp_path / "1").mkdir()
    with pytest.raises(ValueError, match="TensorFlow refuses the files"):
        open_runtime(tmp_path)


def test_a_runtime_that_does_not_run_the_format_is_refused(tmp_path):
    described().write(tmp_path)
    with pytest.raises(ValueError, match="litert does not run onnx.*'onnxruntime', 'openvino'"):
        open_runtime(tmp_path, "litert")
    for threads in (0, -1, 1.5, "2", True):
        with pytest.raises(ValueError, match="`threads` must be a whole number from 1"):
            open_runtime(tmp_path, "onnxruntime", threads)
    with pytest.raises(ValueError, match="`runtime` must be one of"):
        open_runtime(tmp_path, "caffe")
    with pytest.raises(ValueError, match="runs exported models: `keras-video export"):
        open_runtime("tsm_tiny_motion", "openvino")
