import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_video.data import (
    VideoDecodeError,
    VideoPipeline,
    VideoPreprocessor,
    open_video,
    sample_slowfast,
)

SMALL = {"short_side": 64, "crop_size": 64}
PIPELINES = {
    "tsn": (
        dict(num_frames=25, crop="ten", interpolation="opencv_linear", rounding="nearest"),
        (10, 25, 224, 224, 3),
    ),
    "tsm": ({}, (1, 8, 224, 224, 3)),
    "pp_tsm": (dict(sampling="uniform", aspect_ratio=4 / 3), (1, 8, 224, 224, 3)),
    "pp_tsm_dense": (
        dict(sampling="dense", num_clips=10, crop="three", aspect_ratio=4 / 3),
        (30, 8, 224, 224, 3),
    ),
    "pp_tsn": (
        dict(num_frames=25, sampling="linspace", crop="ten", interpolation="opencv_linear"),
        (10, 25, 224, 224, 3),
    ),
}


def numbers(view, tools):
    return [tools.read_number(frame) for frame in view]


@pytest.mark.parametrize("name", PIPELINES)
def test_the_test_pipelines_of_the_reference(encoding, name):
    arguments, shape = PIPELINES[name]
    preprocess = VideoPreprocessor(**arguments)
    views = preprocess(encoding("h264 gop 250").path)
    assert views.shape == shape and views.dtype == np.uint8
    assert preprocess.num_views == shape[0]


def test_views_hold_the_sampled_frames(encoding, tools):
    preprocess = VideoPreprocessor(num_frames=8, sampling="dense", num_clips=3, **SMALL)
    views = preprocess(encoding("h264 gop 250").path)
    frames = np.stack([tools.draw_frame(i)[:, 16:80] for i in range(120)])
    for view, indices in zip(views, preprocess.frame_indices(120), strict=True):
        assert np.abs(view.astype(int) - frames[indices]).mean() < 6


def test_crops_are_groups_of_clips():
    frames = np.arange(100, dtype=np.uint8)[:, None, None, None] + np.zeros(
        (1, 64, 96, 3), np.uint8
    )
    frames[:, :, :16] = 200
    preprocess = VideoPreprocessor(
        num_frames=4, sampling="dense", num_clips=2, crop="three", **SMALL
    )
    views = preprocess(frames)
    clips = preprocess.frame_indices(100)
    for crop in range(3):
        assert np.array_equal(views[2 * crop : 2 * crop + 2, :, 32, 40, 0], clips)
    assert (views[:2, :, :, :16] == 200).all()  # left
    assert not (views[2:, :, :, :1] == 200).any()  # right, center


@pytest.mark.parametrize("name", ["h264 gop 12", "h264 gop 250"])
@pytest.mark.parametrize("sampling, num_frames", [("dense", 8), ("slowfast", 32)])
def test_the_views_of_a_video_decode_each_needed_frame_once(encoding, name, sampling, num_frames):
    preprocess = VideoPreprocessor(num_frames, sampling, views="10x3", **SMALL)
    asked, decoded = [], []
    with open_video(encoding(name).path) as video:
        read, decode = video._read, video._decode
        video._read = lambda wanted, transform: asked.append(wanted) or read(wanted, transform)
        video._decode = lambda wanted: (decoded.append(f.pts) or f for f in decode(wanted))
        views = preprocess(video)
    assert views.shape[:2] == (30, num_frames)
    needed = np.unique(preprocess.frame_indices(len(video), video.fps)).tolist()
    assert asked == [needed]
    assert len(needed) <= len(decoded) == len(set(decoded)) <= len(video)


def test_sources_give_the_same_views(encoding):
    path = encoding("h264 gop 12").path
    preprocess = VideoPreprocessor(**SMALL)
    expected = preprocess(path)
    with open_video(path) as video:
        frames = video.get_frames(range(len(video)))
        assert np.array_equal(preprocess(video), expected)
    assert np.array_equal(preprocess(str(path)), expected)
    assert np.array_equal(preprocess(path.read_bytes()), expected)
    with open(path, "rb") as file:
        assert np.array_equal(preprocess(file), expected)
    assert np.array_equal(preprocess(frames), expected)
    assert np.array_equal(preprocess(frames.astype(np.float32)), expected)
    assert np.array_equal(preprocess(keras.ops.convert_to_tensor(frames)), expected)


def test_short_videos(encoding, video_folder, tools):
    path = tools.encode_video(video_folder / "one_frame.mp4", frames=1)
    names = ["segment", "uniform", "linspace", "dense", "interval", "slowfast", "timesformer"]
    for sampling in names:
        preprocess = VideoPreprocessor(sampling=sampling, **SMALL)
        views = preprocess(path)
        assert views.shape == (1, 8, 64, 64, 3)
        assert (views == views[:, :1]).all()
    path = tools.encode_video(video_folder / "five_frames.mp4", frames=5)
    with open_video(path) as video:
        frames = video.get_frames([0, 0, 1, 2, 2, 3, 4, 4])[:, :, 16:80]
    assert np.array_equal(VideoPreprocessor(**SMALL)(path)[0], frames)


@pytest.mark.parametrize(
    "frames, message",
    [
        (np.zeros((8, 64, 64), np.uint8), r"\(time, height, width, 3\).*shape=\(8, 64, 64\)"),
        (np.zeros((1, 8, 64, 64, 3), np.uint8), r"shape=\(1, 8, 64, 64, 3\)"),
        (np.zeros((8, 3, 64, 64), np.uint8), r"RGB last. Received: shape=\(8, 3, 64, 64\)"),
        (np.zeros((8, 64, 64, 4), np.uint8), r"shape=\(8, 64, 64, 4\)"),
        (np.zeros((0, 64, 64, 3), np.uint8), r"shape=\(0, 64, 64, 3\)"),
        (np.zeros((8, 64, 64, 3), np.int64), "uint8, or floats.*dtype=int64"),
        (np.full((8, 64, 64, 3), "a"), "uint8, or floats"),
        (np.full((8, 64, 64, 3), 256.0), "from 0 to 255.*256"),
        (np.full((8, 64, 64, 3), -1.0), "from 0 to 255.*-1"),
        (np.full((8, 64, 64, 3), np.nan), "from 0 to 255.*nan"),
        (np.full((8, 64, 64, 3), 0.5), "scaled to 0..1"),
    ],
)
def test_arrays_that_are_no_video(frames, message):
    with pytest.raises(ValueError, match=message) as info:
        VideoPreprocessor(**SMALL)(frames)
    assert "\n" not in str(info.value)


def test_unreadable_files_keep_their_error(tmp_path):
    with pytest.raises(VideoDecodeError, match="none.mp4: there is no such file"):
        VideoPreprocessor()(tmp_path / "none.mp4")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(num_frames=0), "Received: num_frames=0"),
        (dict(num_clips=1.5), "Received: num_clips=1.5"),
        (dict(sampling="densee"), "Did you mean 'dense'"),
        (dict(crop="five"), r"\['center', 'ten', 'three', 'uniform'\]. Received: crop='five'"),
        (dict(interpolation="cubic"), "Received: interpolation='cubic'"),
        (dict(rounding="up"), "Received: rounding='up'"),
        (dict(crop_size=300), "Received: crop_size=300, short_side=256"),
        (dict(crop_size="224"), "Received: crop_size='224'"),
        (dict(crop_size=0), "Received: crop_size=0"),
        (dict(short_side=256.5), "Received: short_side=256.5"),
        (dict(crop=["ten"]), r"Received: crop=\['ten'\]"),
        (dict(aspect_ratio=0.75), "Received: aspect_ratio=0.75"),
        (dict(aspect_ratio="4/3"), "Received: aspect_ratio='4/3'"),
        (dict(aspect_ratio=float("nan")), "Received: aspect_ratio=nan"),
        (dict(decoder="decrod"), "Did you mean 'decord'.*Received: decoder='decrod'"),
        (dict(decoder=["pyav"]), r"Received: decoder=\['pyav'\]"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        VideoPreprocessor(**arguments)


def test_frames_may_keep_their_size(encoding):
    views = VideoPreprocessor(short_side=None, crop_size=64)(encoding("h264 gop 12").path)
    assert views.shape == (1, 8, 64, 64, 3)


@pytest.mark.parametrize("name", PIPELINES)
def test_keras_saves_and_loads_it(name):
    preprocess = VideoPreprocessor(**PIPELINES[name][0], decoder="decord")
    config = keras.saving.serialize_keras_object(preprocess)
    assert config["registered_name"] == "keras_video>VideoPreprocessor"
    loaded = keras.saving.deserialize_keras_object(config)
    assert loaded == preprocess and loaded.get_config() == preprocess.get_config()
    assert type(loaded) is VideoPreprocessor
    assert hash(loaded) == hash(preprocess) and loaded != VideoPreprocessor(num_frames=3)


def test_views_are_clips_times_crops():
    for views, clips, crop in (("10x3", 10, "three"), ("2X10", 2, "ten"), ("1x1", 1, "center")):
        preprocess = VideoPreprocessor(views=views)
        assert preprocess == VideoPreprocessor(num_clips=clips, crop=crop)
        assert "views" not in preprocess.get_config()
    assert VideoPreprocessor(crop="uniform", views="4x3").crop == "uniform"
    assert VideoPreprocessor(crop="uniform", views="4x1").num_views == 4
    for views in ("10", "10x", "0x3", "3x4", "-1x3", 30, "x3"):
        with pytest.raises(ValueError, match=f"clips x crops.*Received: views={views!r}"):
            VideoPreprocessor(views=views)


def test_slowfast_clips_go_by_the_frame_rate(encoding):
    path = encoding("h264 gop 250").path
    preprocess = VideoPreprocessor(num_frames=4, sampling="slowfast", num_clips=3, **SMALL)
    with open_video(path) as video:
        assert video.fps == 25
        indices = sample_slowfast(len(video), 4, 3, fps=25)
        frames = video.get_frames(indices.reshape(-1))[:, :, 16:80]
    assert np.array_equal(preprocess.frame_indices(120, fps=25), indices)
    assert not np.array_equal(preprocess.frame_indices(120, fps=50), indices)
    assert np.array_equal(preprocess(path), frames.reshape(3, 4, 64, 64, 3))


def test_repr_and_description():
    preprocess = VideoPreprocessor(sampling="dense", num_clips=10, crop="three", aspect_ratio=4 / 3)
    assert eval(repr(preprocess)) == preprocess
    assert preprocess.describe() == (
        "8 frames (dense), short side 256 (bilinear, squashed to 1.33:1), three crop 224, 30 views"
    )


def test_decoding_and_the_pipeline_need_no_keras(encoding):
    code = (
        "import sys, keras_video\n"
        "from keras_video.data import VideoPipeline, open_video\n"
        "VideoPipeline(short_side=64, crop_size=64)(sys.argv[1])\n"
        "print({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules))\n"
    )
    path = str(encoding("h264 gop 12").path)
    output = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert output.stdout == "set()\n" and output.stderr == ""


def test_the_pipeline_is_the_preprocessor_without_keras(encoding):
    preprocess = VideoPreprocessor(num_frames=4, **SMALL)
    path = encoding("h264 gop 12").path
    assert np.array_equal(VideoPipeline(**preprocess.get_config())(path), preprocess(path))
