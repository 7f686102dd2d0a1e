import functools

import numpy as np
import pytest
import tensorflow as tf

from keras_video.data import samplers
from keras_video.data.crops import CROPS
from keras_video.data.video_pipeline import VideoPipeline
from keras_video.export.graph_preprocessing import GraphPreprocessing
from keras_video.export.graph_resizing import GraphResizing
from keras_video.export.graph_sampling import GraphSampling

# Sampler, frames and clips as presets have them, and some that divide no length evenly.
SAMPLINGS = [
    ("segment", 8, 1),
    ("segment", 25, 1),
    ("segment", 4, 3),
    ("uniform", 8, 1),
    ("linspace", 25, 1),
    ("dense", 8, 1),
    ("dense", 8, 10),
    ("interval:4", 32, 10),
]
SAMPLINGS_BY_TIME = [
    ("slowfast", 32, 1),
    ("slowfast:8", 8, 3),
    ("slowfast:32", 8, 1),
    ("timesformer", 8, 1),
    ("timesformer:4", 96, 1),
]
LENGTHS = np.arange(1, 401, dtype=np.int32)
SIZES = [(72, 128), (135, 100), (81, 81), (256, 340), (360, 202)]
CONVERTED = [
    {"sampling": "slowfast", "num_clips": 2, "crop": "uniform", "rounding": "nearest"},
    {"num_frames": 7, "crop": "ten", "interpolation": "opencv_linear", "aspect_ratio": 4 / 3},
]


def draw_video(length, height, width):
    """Waves with noise on them, so that no two pixels look alike."""
    rng = np.random.default_rng(length)
    waves = np.sin(np.arange(height)[:, None] / 7) + np.cos(np.arange(width) / 11)
    noise = rng.normal(0, 30, (length, height, width, 3))
    return np.clip(128 + 60 * waves[..., None] + noise, 0, 255).astype(np.uint8)


def views_of(pipeline, frames, fps=None):
    return pipeline.assemble(
        len(frames),
        lambda indices: np.stack([pipeline.prepare_frame(frames[i], crop=False) for i in indices]),
        fps,
    )


def signature(preprocess):
    frames = tf.TensorSpec((None, None, None, 3), tf.uint8, "frames")
    return [frames, tf.TensorSpec((), tf.float32, "fps")][: 1 + preprocess.needs_fps]


# Making one takes a second: it compares itself with the sampler.
make_sampling = functools.cache(GraphSampling)


def traced(preprocess):
    def call(frames, fps=None):
        return {"views": preprocess(frames, fps)}

    return tf.function(call, input_signature=signature(preprocess), autograph=False)


@functools.cache
def sampling_of_every_length(*sampling):
    sample = make_sampling(*sampling)

    @tf.function(input_signature=[tf.TensorSpec(())], autograph=False)
    def sample_all(fps):
        return tf.map_fn(lambda length: sample(length, fps), LENGTHS)

    return sample_all


def assert_samples_like_the_sampler(sampling, fps):
    name, *counts = sampling
    sampler = samplers.get_sampler(name)
    expected = [sampler(int(length), *counts, fps=fps) for length in LENGTHS]
    np.testing.assert_array_equal(sampling_of_every_length(*sampling)(fps), np.stack(expected))


@pytest.mark.parametrize("sampling", SAMPLINGS + SAMPLINGS_BY_TIME)
def test_samples_the_frames_that_the_sampler_samples(sampling):
    assert_samples_like_the_sampler(sampling, 0.0)


@pytest.mark.parametrize("sampling", SAMPLINGS_BY_TIME)
def test_samples_by_the_frame_rate(sampling):
    for fps in (12.5, 24000 / 1001, 25, 30000 / 1001, 60):
        assert_samples_like_the_sampler(sampling, fps)


@pytest.mark.parametrize("sampling", [("segment", 25, 1), ("slowfast:8", 8, 3)])
def test_hours_of_video_are_sampled_within_a_frame(sampling):
    sample, sampler = make_sampling(*sampling), samplers.get_sampler(sampling[0])
    for length in (10_007, 108_000, 1_000_003):
        expected = sampler(length, *sampling[1:])
        assert np.abs(sample(tf.constant(length)) - expected).max() <= 1


def test_an_unknown_frame_rate_is_the_usual_one():
    sample = make_sampling("slowfast:8", 8, 3)
    expected = samplers.get_sampler("slowfast:8")(200, 8, 3)
    for fps in (None, 0.0, -1.0, 30.0):
        np.testing.assert_array_equal(sample(tf.constant(200), fps), expected)


def test_options_of_a_registered_sampler_are_kept(monkeypatch):
    for function, options in [
        (samplers.sample_segment, {"repeat_first": True}),
        (samplers.sample_uniform, {"segment_frames": 4}),
        (samplers.sample_linspace, {"window": 50}),
        (samplers.sample_dense, {"window": 40}),
        (samplers.sample_slowfast, {"target_fps": 24, "place": 0.25}),
    ]:
        sampler = functools.partial(function, **options)
        monkeypatch.setitem(samplers._SAMPLERS, "mine", sampler)
        sample = GraphSampling("mine", 8)
        for length in (1, 7, 8, 9, 40, 63, 250):
            np.testing.assert_array_equal(sample(tf.constant(length)), sampler(length, 8, 1))


@pytest.mark.parametrize(
    "sampler",
    [
        lambda length, num_frames, num_clips, **_: np.zeros((num_clips, num_frames), int),
        functools.partial(samplers.sample_linspace, start=3.5),
    ],
)
def test_a_sampler_that_it_cannot_write_is_refused(sampler, monkeypatch):
    monkeypatch.setitem(samplers._SAMPLERS, "mine", sampler)
    with pytest.raises(ValueError, match="without the preprocessing.*Received: sampling='mine'"):
        GraphPreprocessing(VideoPipeline(sampling="mine"))


@pytest.mark.parametrize("interpolation", ["bilinear", "opencv_linear"])
@pytest.mark.parametrize(
    ("crop", "sizes"),
    [
        ("center", {"short_side": 80, "crop_size": 71}),
        ("three", {"short_side": 64, "crop_size": 64, "aspect_ratio": 4 / 3}),
        ("uniform", {"short_side": 112, "crop_size": 101, "rounding": "nearest"}),
        ("ten", {"short_side": 81, "crop_size": 60, "num_clips": 2}),
    ],
)
def test_views_are_those_of_the_pipeline(interpolation, crop, sizes):
    pipeline = VideoPipeline(2, interpolation=interpolation, crop=crop, **sizes)
    preprocess = traced(GraphPreprocessing(pipeline))
    for size in SIZES:
        frames = draw_video(5, *size)
        np.testing.assert_array_equal(preprocess(frames)["views"], pipeline(frames))


def test_scaling_in_the_decoder_becomes_what_the_pipeline_does_to_arrays():
    pipeline = VideoPipeline(2, short_side=64, crop_size=56, interpolation="decoder")
    frames = draw_video(3, 72, 128)
    np.testing.assert_array_equal(GraphPreprocessing(pipeline)(frames), pipeline(frames))


@pytest.mark.parametrize("interpolation", ["bilinear", "opencv_linear"])
def test_large_frames_are_resized_exactly(interpolation):
    pipeline = VideoPipeline(1, interpolation=interpolation)
    frames = draw_video(1, 1080, 1920)
    np.testing.assert_array_equal(GraphPreprocessing(pipeline)(frames), pipeline(frames))


@pytest.mark.parametrize("crop", CROPS)
def test_frames_are_cropped_without_resizing(crop):
    pipeline = VideoPipeline(2, short_side=None, crop_size=60, crop=crop)
    for size in SIZES:
        frames = draw_video(3, *size)
        np.testing.assert_array_equal(GraphPreprocessing(pipeline)(frames), pipeline(frames))


def test_frames_smaller_than_the_crop_repeat_their_last_pixels():
    pipeline = VideoPipeline(1, short_side=None, crop_size=60)
    frames = draw_video(1, 50, 60)
    expected = np.pad(frames, ((0, 0), (0, 10), (0, 0), (0, 0)), mode="edge")
    np.testing.assert_array_equal(GraphPreprocessing(pipeline)(frames)[0], expected)


def test_long_sides_are_rounded_as_python_rounds_them():
    short, long = np.meshgrid(np.arange(100, 400), np.arange(100, 700))
    for short_side in (112, 340):
        resizing = GraphResizing(short_side, rounding="nearest")
        size = tf.function(resizing.size, [tf.TensorSpec((), tf.int32)] * 2, autograph=False)
        halves = (short <= long) & (2 * long * short_side % (2 * short) == short)
        floats = (long[halves] * (short_side / short[halves]) + 0.5).astype(int)
        # Python rounds some down and others up.
        for up in (False, True):
            found = floats * short[halves] >= long[halves] * short_side
            for index in np.flatnonzero(found == up)[:20]:
                height, width = size(short[halves][index], long[halves][index])
                assert (height, width) == (short_side, floats[index])
            assert (found == up).any()


@pytest.fixture(scope="module", params=CONVERTED, ids=lambda config: config["crop"])
def converted(request):
    """The pipeline, its graph, and the graph as ONNX."""
    import tf2onnx

    pipeline = VideoPipeline(**{"num_frames": 3, "short_side": 70, "crop_size": 56} | request.param)
    preprocess = GraphPreprocessing(pipeline)
    graph = traced(preprocess)
    onnx, _ = tf2onnx.convert.from_function(graph, signature(preprocess), opset=15)
    return pipeline, graph, onnx.SerializeToString()


def run_onnxruntime(graph, onnx):
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(["views"], inputs)[0]


def run_openvino(graph, onnx):
    import openvino

    model = openvino.Core().read_model(onnx)
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda inputs: compiled(inputs)["views"]


def run_openvino_of_fixed_sizes(graph, onnx):
    import openvino

    def run(inputs):
        model = openvino.Core().read_model(onnx)
        model.reshape({name: list(value.shape) for name, value in inputs.items()})
        return openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(inputs)[0]

    return run


def run_litert(graph, onnx):
    from ai_edge_litert.interpreter import Interpreter

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [graph.get_concrete_function()], tf.Module()
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    runner = Interpreter(model_content=converter.convert()).get_signature_runner()
    return lambda inputs: runner(**inputs)["views"]


@pytest.mark.parametrize(
    "runtime", [run_onnxruntime, run_openvino, run_openvino_of_fixed_sizes, run_litert]
)
def test_every_runtime_gives_the_views_of_the_pipeline(converted, runtime):
    pipeline, graph, onnx = converted
    run = runtime(graph, onnx)
    for shape, fps in (((9, 72, 128), 0), ((40, 135, 100), 25), ((33, 101, 333), 30000 / 1001)):
        frames = draw_video(*shape)
        inputs = {"frames": frames, "fps": np.array(fps, np.float32)}
        if pipeline.sampling != "slowfast":
            del inputs["fps"]
        np.testing.assert_array_equal(run(inputs), views_of(pipeline, frames, fps))
