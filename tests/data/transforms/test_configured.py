"""Saving and loading by Keras, and life without it."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_video.data import transforms
from keras_video.data.transforms import MultiScaleCrop, RandomCrop

SAVED = [
    transforms.CenterCrop(16, "floor"),
    transforms.ColorJitter(0.4, (0.5, 2), 0, 0.1),
    transforms.Compose([RandomCrop(3)]),
    transforms.CutMix(0.5),
    transforms.JitterScale((20, 30), "opencv_linear"),
    transforms.MixUp(0.8),
    transforms.MultiScaleCrop(32, scales=(1.0, 0.5)),
    transforms.Normalize(std=(0.5, 0.5, 0.5)),
    transforms.RandAugment(3, 4.5),
    transforms.RandomCrop(16),
    transforms.RandomErasing(1.0, fill=(1, 2, 3)),
    transforms.RandomFlip(0.25, {1: 2, 2: 1}),
    transforms.RandomResizedCrop(8, (0.5, 1)),
    transforms.ShortSideScale(32, 4 / 3),
    transforms.TenCrop(9),
    transforms.ThreeCrop(9, "width"),
]


@pytest.mark.parametrize("transform", SAVED, ids=lambda transform: type(transform).__name__)
def test_keras_saves_and_loads_it(transform):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(transform)))
    assert config["registered_name"] == f"keras_video>{type(transform).__name__}"
    loaded = keras.saving.deserialize_keras_object(config)
    assert type(loaded) is type(transform) and loaded == transform
    assert hash(loaded) == hash(transform) and repr(loaded) == repr(transform)


def test_different_arguments_are_different_transforms():
    assert RandomCrop(3) == RandomCrop(3) != RandomCrop(4) != MultiScaleCrop(4)
    assert repr(RandomCrop(3)) == "RandomCrop(size=3)"


def test_all_of_them_are_saved():
    classes = {getattr(transforms, name) for name in transforms.__all__}
    classes = {cls for cls in classes if hasattr(cls, "get_config")} - {transforms.Transform}
    classes -= {transforms.ClipConsistent}  # a layer, see test_clip_consistent.py
    assert classes == {type(transform) for transform in SAVED}


def test_every_name_is_there():
    for name in transforms.__all__:
        assert getattr(transforms, name).__name__ == name


def run(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return result.stdout.strip(), result.stderr


def test_transforms_run_without_keras_and_are_saved_once_it_is_there():
    code = (
        "import sys, pickle, numpy as np\n"
        "from keras_video.data.transforms import Compose, MixUp, RandomFlip, RandomResizedCrop\n"
        "augment = pickle.loads(pickle.dumps(Compose([RandomResizedCrop(8), RandomFlip()])))\n"
        "clip = augment(np.zeros((2, 9, 9, 3), np.uint8), np.random.default_rng(0))\n"
        "MixUp()(clip[None], np.ones((1, 1)), np.random.default_rng(0))\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)\n"
        "import keras\n"
        "config = keras.saving.serialize_keras_object(augment)\n"
        "print(keras.saving.deserialize_keras_object(config) == augment)\n"
    )
    output, errors = run(code)
    assert output == "True", errors


def test_a_clip_and_a_seed_give_the_same_pixels_in_every_process():
    rng = np.random.default_rng(7)
    clip = np.arange(2 * 40 * 50 * 3, dtype=np.uint8).reshape(2, 40, 50, 3)
    here = int(MultiScaleCrop(32)(clip, rng).astype(int).sum())
    code = (
        "import numpy as np\n"
        "from keras_video.data.transforms import MultiScaleCrop\n"
        "clip = np.arange(2 * 40 * 50 * 3, dtype=np.uint8).reshape(2, 40, 50, 3)\n"
        "print(int(MultiScaleCrop(32)(clip, np.random.default_rng(7)).astype(int).sum()))\n"
    )
    output, errors = run(code)
    assert output == str(here), errors
