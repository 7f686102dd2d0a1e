"""What an export must be, of the bundled preset and of small models."""

import json
from collections import Counter

import keras
import numpy as np
import onnx
import pytest
from export_cells import small_source
from keras import layers
from models import test_contract as contracts

import keras_video
from keras_video.data import VideoPreprocessor, render_motion_clip, write_video
from keras_video.export import ExportError, check_export, export_model
from keras_video.export.export_model import open_source, write_export
from keras_video.export.export_source import ExportSource
from keras_video.inference import Predictor, open_runtime
from keras_video.testing import draw_clips, draw_weights


@pytest.fixture(scope="module")
def tiny():
    return keras_video.models.TSM.from_preset("tsm_tiny_motion")


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for number, motion in enumerate(("moving left", "zooming in")):
        frames = render_motion_clip(motion, 40 + number, num_frames=30 + number, size=96)
        write_video(folder / f"{motion}.mp4", frames[:, : 96 - 10 * number])
    return folder


@pytest.mark.parametrize(
    ("format", "precision"),
    [
        ("onnx", "float16"),
        ("openvino", "float16"),
        ("openvino", "bfloat16"),
        ("litert", "float16"),
        ("saved_model", "float16"),
        ("saved_model", "bfloat16"),
    ],
)
def test_halves_come_near_and_are_smaller_on_disk(tiny, tmp_path, format, precision):
    report = write_export(ExportSource(tiny), tmp_path / "exported", format, precision)
    assert 1e-6 < max(report.differences.values()) <= report.bound
    whole = 4 * tiny.count_params()
    if precision == "float16" and format != "saved_model":
        assert report.num_bytes < 0.7 * whole
    assert report.described.inputs["clips"].dtype == "uint8"
    assert report.described.outputs["logits"].dtype == "float32"


def test_a_model_in_reduced_precision_is_exported_in_float32(tmp_path):
    model = contracts.TestTSM.build(dtype="mixed_bfloat16")
    report = export_model(model, tmp_path / "exported")
    assert max(report.differences.values()) < 1e-6
    clips = draw_clips(1, 4, 45, 64)
    expected = contracts.TestTSM.build().predict(clips, verbose=0)
    actual = open_runtime(tmp_path / "exported").run({"clips": clips})["logits"]
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_no_batch_normalisation_is_left(tmp_path):
    export_model(contracts.TestTSM.build(), tmp_path / "tsm")
    operations = _operations(tmp_path / "tsm")
    assert operations["Conv"] == 21
    # The one that is left is that of the pixels; other factors belong to shapes, of no frame.
    assert operations["BatchNormalization"] == 0
    assert _products_of_activations(tmp_path / "tsm") == 1


def test_batch_normalisation_of_keras_is_folded_too(tmp_path):
    images = keras.Input((16, 16, 3), name="images")
    x = layers.BatchNormalization()(layers.Conv2D(6, 3)(images))
    x = layers.ReLU()(x)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, use_bias=False)(x))
    x = layers.Flatten()(layers.Activation("gelu")(x))
    model = keras.Model(images, layers.BatchNormalization()(layers.Dense(4)(x)))
    draw_weights(model)
    for format in ("onnx", "litert"):
        report = export_model(model, tmp_path / format, format)
        assert max(report.differences.values()) < 1e-5
    # Those of exact GELU.
    assert _operations(tmp_path / "onnx")["Mul"] == 3


def test_a_saved_model_is_ready_for_tensorflow_serving_and_for_xla(tiny, tmp_path):
    import tensorflow as tf

    export_model(tiny, tmp_path / "exported", "saved_model")
    loaded = tf.saved_model.load(tmp_path / "exported" / "1")
    serving = loaded.signatures["serving_default"]
    clips = draw_clips(2, 8, 64, 64)
    expected = tiny.predict(clips, verbose=0)
    clips = tf.constant(clips)
    compiled = tf.function(lambda clips: serving(clips=clips), jit_compile=True)
    for results in (serving(clips=clips), compiled(clips)):
        np.testing.assert_allclose(results["logits"], expected, atol=1e-4)


def test_lstms_are_single_operations_in_onnx(tmp_path):
    source = small_source(contracts.TestAttentionLSTM)
    write_export(source, tmp_path / "lstm", "onnx")
    assert _operations(tmp_path / "lstm")["LSTM"] == 4
    assert _operations(tmp_path / "lstm")["Loop"] == 0
    peepholes = contracts.TestAttentionLSTM.build(peepholes=True)
    export_model(peepholes, tmp_path / "peepholes")
    inputs = {
        name: array.astype(source.inputs[name].dtype)
        for name, array in contracts.TestAttentionLSTM.inputs(2).items()
    }
    actual = open_runtime(tmp_path / "peepholes").run(inputs)["logits"]
    np.testing.assert_allclose(actual, contracts.with_peepholes(), atol=1e-5)


@pytest.mark.parametrize("format", ["onnx", "openvino", "litert", "saved_model"])
def test_a_graph_with_preprocessing_takes_whole_videos(tiny, videos, tmp_path, format):
    report = export_model(tiny, tmp_path / "exported", format, with_preprocessing=True)
    assert report.described.with_preprocessing
    predictor = Predictor(tmp_path / "exported")
    for video in sorted(videos.glob("*.mp4")):
        frames = np.stack([np.full((70, 90, 3), 9 * number, "uint8") for number in range(12)])
        for source in (video, frames):
            expected = tiny.classify(source)
            actual = predictor.classify(source)
            assert [each["label"] for each in actual] == [each["label"] for each in expected]
            np.testing.assert_allclose(
                [each["score"] for each in actual],
                [each["score"] for each in expected],
                rtol=1e-3,
                atol=1e-6,
            )


def test_the_frame_rate_is_an_input_where_sampling_goes_by_it(videos, tmp_path):
    model = small_source(contracts.TestSlowFast).model
    model.preprocessor = VideoPreprocessor(
        8, sampling="slowfast", num_clips=2, short_side=56, crop_size=48, crop="uniform"
    )
    model.view_average = "probabilities"
    source = open_source(model, None, with_preprocessing=True)
    for format in ("onnx", "litert"):
        report = write_export(source, tmp_path / format, format)
        assert list(report.described.inputs) == ["frames", "fps"]
    (video, *_) = videos.glob("*.mp4")
    expected = Predictor(model).classify(video)
    actual = Predictor(tmp_path / "onnx").classify(video)
    assert [each["class_id"] for each in actual] == [each["class_id"] for each in expected]
    np.testing.assert_allclose(*([c["score"] for c in each] for each in (actual, expected)), 1e-4)


def test_litert_runs_int8_that_its_fast_kernels_refuse(tmp_path):
    source = small_source(contracts.TestSlowFast)
    report = write_export(source, tmp_path / "exported", "litert", "int8", source.examples)
    assert report.differences["litert"] < 0.1


def test_checks_show_both_answers_and_their_times(tiny, videos, tmp_path):
    export_model("tsm_tiny_motion", tmp_path / "exported")
    files = [*sorted(videos.glob("*.mp4")), "missing.mp4"]
    checks = check_export(tmp_path / "exported", files, top_k=2, errors="return")
    assert isinstance(checks.pop(), keras_video.data.VideoDecodeError)
    assert [check.runtime for check in checks] == 2 * ["onnxruntime", "openvino"]
    for check in checks:
        assert check.video.endswith(f"{check.original[0]['label']}.mp4")
        assert check.same_best and len(check.exported) == 2
        assert check.difference < 1e-5
        assert check.original_ms > 0 and check.exported_ms > 0
    with pytest.raises(keras_video.data.VideoDecodeError, match="missing.mp4"):
        check_export(tmp_path / "exported", ["missing.mp4"])


def test_a_check_needs_to_know_the_original(tiny, tmp_path):
    export_model(tiny, tmp_path / "exported")
    with pytest.raises(ValueError, match="give the original"):
        check_export(tmp_path / "exported", [])
    assert check_export(tmp_path / "exported", [], original=tiny) == []


def test_int8_is_judged_by_its_answers(tiny, videos, tmp_path):
    report = export_model(tiny, tmp_path / "exported", "onnx", precision="int8", calibration=videos)
    assert report.agreement == 1.0 and report.bound is None
    assert "on 100.0% of the samples" in str(report)
    assert report.num_bytes < 2 * tiny.count_params()
    facts = json.loads((tmp_path / "exported" / "export.json").read_text("utf-8"))["source"]
    assert facts["top_1_agreement"] == 1.0 and facts["calibration_samples"] > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "pth"}, "`format` must be one of"),
        ({"precision": "float8"}, "`precision` must be one of"),
        ({"precision": "bfloat16"}, "bfloat16 is for saved_model, openvino"),
        ({"format": "saved_model", "precision": "int8"}, "int8 is for onnx, openvino, litert"),
        ({"precision": "int8"}, "int8 needs `calibration`"),
        (
            {"precision": "int8", "calibration": ["a.mp4"], "with_preprocessing": True},
            "int8 is for the network alone",
        ),
        ({"model": "no_such_preset"}, "no_such_preset"),
        ({"samples": []}, "must be samples"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_leaves_nothing(arguments, message, tmp_path):
    arguments = {"model": "tsm_tiny_motion", **arguments}
    with pytest.raises(ValueError, match=message) as caught:
        export_model(directory=tmp_path / "exported", **arguments)
    assert "Received: " in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_preprocessing_is_exported_where_there_is_some(tmp_path):
    for model in (contracts.TestTSM.build(), contracts.TestBMN.build()):
        with pytest.raises(ExportError, match="with a preprocessor"):
            export_model(model, tmp_path / "exported", with_preprocessing=True)


def test_an_export_that_computes_something_else_is_refused(tiny, tmp_path, monkeypatch):
    source = ExportSource(tiny)
    source.expected[0]["logits"] += 1
    with pytest.raises(ExportError, match=r"differs in onnxruntime by 0\.\d+|by \d\.\de-0\d"):
        write_export(source, tmp_path / "exported", "onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_export_is_replaced_whole_and_other_files_are_not(tiny, tmp_path):
    source = ExportSource(tiny)
    write_export(source, tmp_path / "exported", "onnx")
    write_export(source, tmp_path / "exported", "litert")
    names = {file.name for file in (tmp_path / "exported").iterdir()}
    assert names == {"export.json", "labels.txt", "model.tflite", "preprocessor.json"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear all,")
    for target in (tmp_path / "mine", tmp_path / "mine" / "letter.txt"):
        with pytest.raises(ExportError, match="in the way"):
            export_model(tiny, target)
    assert {file.name for file in tmp_path.iterdir()} == {"exported", "mine"}


def test_features_are_compared_on_what_is_given(tmp_path):
    contracts.TestAttentionLSTM.model = model = contracts.TestAttentionLSTM.build()
    samples = [contracts.TestAttentionLSTM.inputs(3)]
    report = export_model(model, tmp_path / "exported", "openvino", samples=samples)
    assert report.described.source["compared_on"] == "samples"
    with pytest.raises(ExportError, match="takes no videos"):
        export_model(model, tmp_path / "other", samples=["clip.mp4"])


def _operations(directory) -> Counter:
    graph = onnx.load(directory / "model.onnx").graph
    return Counter(node.op_type for node in graph.node)


def _products_of_activations(directory) -> int:
    """Multiplications of four axes or more."""
    model = onnx.shape_inference.infer_shapes(onnx.load(directory / "model.onnx"))
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in model.graph.value_info}
    products = [node for node in model.graph.node if node.op_type == "Mul"]
    return sum(ranks.get(node.output[0], 0) >= 4 for node in products)
