"""Packages give their public names, whatever was imported before."""

import subprocess
import sys


def test_a_function_is_not_hidden_by_the_file_of_its_name():
    script = """
import keras_video.data.shard_dataset, keras_video.training.enable
from keras_video.data import shard_dataset
from keras_video.training import enable
assert callable(shard_dataset) and callable(enable), (shard_dataset, enable)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
