"""Image layers of Keras on clips."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_video.data.transforms import ClipConsistent, Compose, RandomFlip

FRAMES = 3
LAYERS = {
    "flip": lambda: layers.RandomFlip(seed=1),
    "crop": lambda: layers.RandomCrop(24, 24, seed=1),
    "rotation": lambda: layers.RandomRotation(0.2, seed=1),
    "brightness": lambda: layers.RandomBrightness(0.5, seed=1),
    "erasing": lambda: layers.RandomErasing(1.0, seed=1),
    "rand augment": lambda: layers.RandAugment((0, 255), num_ops=2, factor=0.9, seed=1),
    # These two draw while they transform.
    "jitter": lambda: layers.RandomColorJitter((0, 255), 0.4, 0.4, 0.4, 0.4, seed=1),
    "elastic": lambda: layers.RandomElasticTransform(1.0, 0.9, seed=1),
    # These draw nothing.
    "resizing": lambda: layers.Resizing(16, 16),
    "contrast": lambda: layers.AutoContrast((0, 255)),
    "any": lambda: layers.Rescaling(0.5),
}
RANDOM = [name for name in LAYERS if name not in ("resizing", "contrast", "any")]


@pytest.fixture(scope="module")
def clips():
    """Two clips (as many as RandAugment's operations) of equal frames; of equal clips."""
    frame = np.random.default_rng(0).integers(20, 200, (1, 1, 32, 32, 3))
    return np.tile(frame, (2, FRAMES, 1, 1, 1)).astype(np.float32)


def assert_frames_are_alike(clips):
    np.testing.assert_allclose(clips, np.repeat(clips[:, :1], FRAMES, axis=1), atol=1e-3)


@pytest.mark.parametrize("name", LAYERS)
def test_frames_of_a_batch_are_treated_alike(clips, name):
    layer = ClipConsistent(LAYERS[name]())
    results = [np.asarray(layer(clips, training=True)) for _ in range(3)]
    for result in results:
        assert_frames_are_alike(result)
        assert layer.compute_output_shape(clips.shape) == result.shape
    if name in RANDOM:
        assert len({result.tobytes() for result in results}) > 1
        if name != "crop":  # one place for the whole batch
            assert any(not np.allclose(result[0], result[1]) for result in results)


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "elastic"])  # slow
def test_the_generator_alone_decides_about_a_single_clip(clips, name):
    clip = clips[0].astype(np.uint8)
    layer, other = ClipConsistent(LAYERS[name]()), ClipConsistent(LAYERS[name]())
    layer(clips, training=True)
    results = [layer(clip, np.random.default_rng(seed)) for seed in range(3)]
    for seed, result in enumerate(results):
        assert isinstance(result, np.ndarray) and result.dtype == np.uint8
        assert_frames_are_alike(result[None].astype(np.float32))
        assert np.array_equal(other(clip, np.random.default_rng(seed)), result)
    assert len({result.tobytes() for result in results}) == 1 or name in RANDOM
    assert layer(clips[0], np.random.default_rng(0)).dtype == np.float32


@pytest.mark.parametrize("name", ["rotation", "jitter", "contrast"])
def test_in_a_tf_data_pipeline(clips, name):
    layer = ClipConsistent(LAYERS[name]())
    dataset = tf.data.Dataset.from_tensors(clips).repeat(2).map(lambda x: layer(x, training=True))
    for result in dataset:
        assert_frames_are_alike(result.numpy())


def test_in_a_model_and_only_in_training(clips):
    inputs = keras.Input((FRAMES, 32, 32, 3))
    model = keras.Model(inputs, ClipConsistent(layers.RandomRotation(0.2))(inputs))
    np.testing.assert_array_equal(model(clips, training=False), clips)
    changed = np.asarray(model(clips, training=True))
    assert_frames_are_alike(changed)
    assert not np.allclose(changed, clips)


def test_different_frames_move_together():
    """The same as the image layer does to each frame: here, all of them or none mirrored."""
    clip = np.random.default_rng(0).integers(0, 256, (FRAMES, 8, 8, 3)).astype(np.uint8)
    flip = ClipConsistent(layers.RandomFlip("horizontal"))
    seen = set()
    for seed in range(12):
        result = flip(clip, np.random.default_rng(seed))
        mirrored = np.array_equal(result, clip[:, :, ::-1])
        assert mirrored or np.array_equal(result, clip)
        seen.add(mirrored)
    assert seen == {True, False}


def test_it_composes_with_other_transforms(clips):
    augment = Compose([RandomFlip(), ClipConsistent(layers.RandomRotation(0.2, seed=3))])
    clip = clips[0].astype(np.uint8)
    result, label = augment.call_with_label(clip, 5, np.random.default_rng(0))
    assert result.shape == clip.shape and label == 5
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(augment))
    assert np.array_equal(loaded(clip, np.random.default_rng(0)), result)


def test_layers_that_cannot_be_wrapped():
    for layer in (layers.MixUp(), layers.CutMix()):
        with pytest.raises(ValueError, match="keras_video.data.transforms.*Received: layer=<"):
            ClipConsistent(layer)
    with pytest.raises(ValueError, match="AugMix draws from Python's"):
        ClipConsistent(layers.AugMix((0, 255)))
    with pytest.raises(ValueError, match="must be a Keras layer. Received: layer=3"):
        ClipConsistent(3)
