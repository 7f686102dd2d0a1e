"""VGGish beside its contract: its size, its features, and that sounds can be told apart."""

import keras
import numpy as np
import pytest

from keras_video.data import log_mel_examples
from keras_video.models import VGGish

SMALL = {"filters": (4, 8, 8, 16), "hidden_dims": (32,), "embedding_dim": 16}


def test_it_has_the_parameters_of_the_published_network():
    model = VGGish(num_steps=96, embedding_dim=128)
    assert model.count_params() == 72_141_184


def test_its_documentation_says_its_size():
    assert f"{VGGish().count_params():,} parameters by default" in VGGish.__doc__


def test_features_are_what_the_classifier_sees():
    examples = np.random.default_rng(0).normal(size=(3, 50, 64)).astype("float32")
    model = VGGish(num_classes=4, **SMALL)
    features = model.feature_model().predict(examples, verbose=0)
    assert features.shape == (3, 16) and features.dtype == np.float32 and features.min() < 0
    kernel, bias = model.get_layer("classifier").get_weights()
    logits = model.predict(examples, verbose=0)
    np.testing.assert_allclose(np.maximum(features, 0) @ kernel + bias, logits, atol=1e-5)


def test_without_classes_the_output_is_the_features():
    examples = np.random.default_rng(0).normal(size=(2, 50, 64)).astype("float32")
    model = VGGish(**SMALL)
    outputs = model.predict(examples, verbose=0)
    assert outputs.shape == (2, 16)
    np.testing.assert_array_equal(model.feature_model().predict(examples, verbose=0), outputs)
    copy = VGGish.from_config(model.get_config())
    assert copy.output_shape == (None, 16)


def test_it_learns_to_tell_a_whistle_from_a_drum():
    def second(seed, whistle):
        rng = np.random.default_rng(seed)
        time = np.arange(16000) / 16000
        if whistle:
            return 0.3 * np.sin(2 * np.pi * rng.uniform(1900, 2100) * time)
        return rng.uniform(-0.5, 0.5, 16000) * np.exp(-(time % rng.uniform(0.3, 0.5)) / 0.05)

    labels = np.arange(48) % 2
    sounds = [second(seed, label) for seed, label in enumerate(labels)]
    examples = np.concatenate([log_mel_examples(sound.astype("float32")) for sound in sounds])
    keras.utils.set_random_seed(0)
    model = VGGish(num_classes=2, **SMALL)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(examples[:32], labels[:32], batch_size=8, epochs=5, verbose=0)
    told = model.predict(examples[32:], verbose=0).argmax(axis=1)
    assert (told == labels[32:]).mean() > 0.9


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_classes": 0},
        {"num_steps": 50.0},
        {"num_bands": -1},
        {"embedding_dim": True},
        {"filters": (4, 8, 16)},
        {"hidden_dims": (32, 0)},
        {"dropout": 1.0},
        {"dropout": float("nan")},
    ],
)
def test_impossible_sizes_are_refused(wrong):
    ((name, _),) = wrong.items()
    with pytest.raises(ValueError, match=f"`{name}`.*Received: {name}="):
        VGGish(**{**SMALL, **wrong})
