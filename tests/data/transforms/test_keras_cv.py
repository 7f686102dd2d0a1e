"""Image layers of KerasCV, the real package, on clips."""

import warnings

import numpy as np
import pytest

from keras_video.data.transforms import ClipConsistent

LAYERS = {
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.2},
    "RandomHue": {"factor": (0.2, 0.5), "value_range": (0, 255)},
    "RandomCropAndResize": {
        "target_size": (24, 24),
        "crop_area_factor": (0.5, 1.0),
        "aspect_ratio_factor": (0.8, 1.2),
    },
    "GridMask": {},
    "ChannelShuffle": {},
    "RandomCutout": {"height_factor": 0.3, "width_factor": 0.3},
    "JitteredResize": {"target_size": (24, 24), "scale_factor": (0.7, 1.3)},
}


@pytest.fixture(scope="module")
def keras_cv():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras_cv
    return keras_cv


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LAYERS)
def test_frames_are_treated_alike(keras_cv, name):
    layer = ClipConsistent(getattr(keras_cv.layers, name)(**LAYERS[name], seed=1))
    frames = np.random.default_rng(0).integers(0, 256, (4, 1, 32, 32, 3))
    clips = np.repeat(frames, 3, axis=1).astype(np.float32)
    results = [np.asarray(layer(clips, training=True)) for _ in range(4)]
    for result in results:
        # Of 255: a rotation rounds coordinates differently by a picture's place in the batch, which
        # makes up to 0.0014; another random choice, tens.
        np.testing.assert_allclose(result, np.repeat(result[:, :1], 3, axis=1), rtol=0, atol=0.02)
    assert len({result.tobytes() for result in results}) > 1
    np.testing.assert_array_equal(layer(clips, training=False), clips)


@pytest.mark.filterwarnings("ignore")
def test_layers_that_cannot_be_wrapped(keras_cv):
    with pytest.raises(ValueError, match="KerasCV's RandAugment has no step that draws"):
        ClipConsistent(keras_cv.layers.RandAugment((0, 255)))
    flip = ClipConsistent(keras_cv.layers.RandomFlip())
    with pytest.raises(ValueError, match="not from `rng`"):
        flip(np.zeros((2, 8, 8, 3), np.uint8), np.random.default_rng(0))
