"""Clips and a server for the tests of serving."""

import numpy as np
import pytest
from serving_support import PRESET, serving

from keras_video.data import render_motion_clip, write_video
from keras_video.inference import Predictor
from keras_video.serving import Settings, create_app


@pytest.fixture(scope="session")
def predictor():
    return Predictor(PRESET)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """A rendered video of 1.2 s, "moving left"."""
    path = tmp_path_factory.mktemp("clip") / "left.mp4"
    write_video(path, render_motion_clip("moving left", 10**6, 30, 128), 25)
    return path


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory):
    """A video of 40 s, of which windows take a while."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    frames = np.asarray(render_motion_clip("moving up", 10**6, 50, 128))
    write_video(path, (frames[i % 50] for i in range(1000)), 25)
    return path


@pytest.fixture(scope="module")
def app(predictor, tmp_path_factory):
    settings = Settings(workers=2, temp_dir=tmp_path_factory.mktemp("uploads"))
    return create_app(predictor, settings, PRESET)


@pytest.fixture(scope="module")
def client(app):
    with serving(app) as client:
        yield client
