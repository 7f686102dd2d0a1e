"""int8 in every format: the bundled preset on motions that it has not seen."""

import functools

import keras
import numpy as np
import pytest
from models import test_contract

import keras_video
from keras_video.data import MOTION_CLASSES, VideoPreprocessor, render_motion_clip
from keras_video.export.export_source import ExportSource
from keras_video.export.litert_file import write_litert
from keras_video.export.onnx_file import write_onnx
from keras_video.export.openvino_file import write_openvino
from keras_video.inference import open_runtime

WRITERS = {
    "onnx": (write_onnx, "model.onnx"),
    "openvino": (write_openvino, "model.xml"),
    "litert": (write_litert, "model.tflite"),
}
NUM_CALIBRATION, NUM_TEST = 64, 104


@pytest.fixture(scope="module")
def tiny():
    return ExportSource("tsm_tiny_motion")


@functools.cache
def rendered(start: int, count: int) -> np.ndarray:
    preprocess = keras_video.models.TSM.from_preset("tsm_tiny_motion").preprocessor
    videos = (
        render_motion_clip(MOTION_CLASSES[seed % 8], seed, 8, 64)
        for seed in range(start, start + count)
    )
    return np.concatenate([preprocess(video) for video in videos])


def samples_of(clips: np.ndarray):
    return ({"clips": clip[np.newaxis]} for clip in clips)


def quantized(source, samples, format, folder):
    """The runtime of an int8 model."""
    write, name = WRITERS[format]
    write(source, folder / name, "int8", {}, samples)
    written = sorted(file.name for file in folder.iterdir())
    assert written == sorted({name, name.replace("xml", "bin")})
    source.describe(format, "int8", name).write(folder)
    return open_runtime(folder, threads=2)


def logits_of(runtime, clips):
    parts = np.array_split(clips, -(-len(clips) // 8))
    return np.concatenate([runtime.run({"clips": part})["logits"] for part in parts])


@pytest.fixture(scope="module", params=WRITERS)
def format(request):
    return request.param


@pytest.fixture(scope="module")
def int8(tiny, format, tmp_path_factory):
    folder = tmp_path_factory.mktemp(format)
    return quantized(tiny, samples_of(rendered(10_000, NUM_CALIBRATION)), format, folder), folder


def test_answers_are_those_of_float(tiny, int8):
    runtime, _ = int8
    clips = rendered(50_000, NUM_TEST)
    expected = tiny.compute({"clips": clips})["logits"]
    logits = logits_of(runtime, clips)
    assert logits.dtype == "float32"
    assert (logits.argmax(-1) == expected.argmax(-1)).mean() >= 0.98
    # A shift whose parts had scales of their own, or logits of 8 bits, would double it.
    assert np.sqrt(np.mean((logits - expected) ** 2)) < 0.02 * expected.std()


def test_weights_take_a_third(tiny, int8):
    _, folder = int8
    weights = max(file.stat().st_size for file in folder.iterdir() if file.suffix != ".xml")
    assert weights < 0.34 * 4 * tiny.model.count_params()


def test_of_black_clips_the_ranges_are_wrong_and_nothing_is_printed(tiny, format, tmp_path, capfd):
    black = np.zeros((2, 8, 64, 64, 3), "uint8")
    capfd.readouterr()
    runtime = quantized(tiny, samples_of(black), format, tmp_path)
    assert capfd.readouterr() == ("", "")
    clips = rendered(50_000, NUM_TEST)
    expected = tiny.compute({"clips": clips})["logits"].argmax(-1)
    assert (logits_of(runtime, clips).argmax(-1) == expected).mean() < 0.9


def test_no_samples_are_refused(tiny, format, tmp_path):
    with pytest.raises(ValueError, match="Received: no samples"):
        quantized(tiny, iter(()), format, tmp_path)


@functools.cache
def drawn(name: str):
    """A small network of random weights, none of them zero, and clips for it."""
    keras.utils.set_random_seed(1)
    contract = getattr(test_contract, f"Test{name}")
    model = contract.model_class(**contract.arguments)
    random = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith(("beta", "moving_mean")):
            weight.assign(random.normal(0, 0.1, weight.shape))
    frames, size = model.input.shape[1], model.input.shape[2] or 64
    model.preprocessor = VideoPreprocessor(frames, short_side=size, crop_size=size)
    videos = (render_motion_clip(MOTION_CLASSES[seed], seed, frames, size) for seed in range(8))
    return ExportSource(model), np.stack(list(videos))


# Of this SlowFast one channel is nothing but zero.
@pytest.mark.parametrize("name", ["SlowFast", "TimeSformer"])
def test_other_networks_compute_nearly_the_same(name, format, tmp_path):
    source, clips = drawn(name)
    runtime = quantized(source, samples_of(clips[:6]), format, tmp_path)
    expected = source.compute({"clips": clips})["logits"]
    error = runtime.run({"clips": clips})["logits"] - expected
    assert np.sqrt(np.mean(error**2)) < 0.1 * expected.std()


def test_samples_may_be_batches_of_any_size(tiny, format, tmp_path):
    clips = rendered(10_000, NUM_CALIBRATION)
    samples = ({"clips": part} for part in (clips[:3], clips[3:4], clips[4:9]))
    logits = logits_of(quantized(tiny, samples, format, tmp_path), clips[:16])
    expected = tiny.compute({"clips": clips[:16]})["logits"]
    assert np.sqrt(np.mean((logits - expected) ** 2)) < 0.1 * expected.std()
