"""`draw_weights` and `draw_clips`: random numbers that are the same in every process."""

import math
import zlib

import numpy as np


def draw_weights(model) -> None:
    """Fills a model with moderate weights, batch-norm statistics included, from their names.

    So each weight is the same on every backend, and no two are alike.

    Args:
        model: a built Keras model.
    """
    for weight in model.weights:
        low, high = (0.5, 1.5) if weight.path.endswith(("gamma", "moving_variance")) else (-1, 1)
        if weight.path.endswith("kernel"):
            high = math.sqrt(3 / math.prod(weight.shape[:-1]))
            low = -high
        generator = np.random.default_rng(zlib.crc32(weight.path.encode()))
        weight.assign(generator.uniform(low, high, tuple(weight.shape)).astype("float32"))


def draw_clips(batch_size: int, num_frames: int, height: int, width: int) -> np.ndarray:
    """Clips of moving waves and noise.

    Returns:
        uint8 `(batch_size, num_frames, height, width, 3)`, RGB; a clip does not depend on the
        number of clips.
    """
    y, x = np.mgrid[0:height, 0:width]
    times = np.arange(num_frames)[:, None, None, None]
    clips = []
    for seed in range(batch_size):
        generator = np.random.default_rng(seed)
        fx, fy, speed, phase = generator.uniform(0.05, 0.6, (4, 3))
        waves = np.sin(x[..., None] * fx + y[..., None] * fy + times * speed + 10 * phase)
        noise = generator.normal(0, 20, (num_frames, height, width, 3))
        clips.append(np.clip(80 * waves + 120 + noise, 0, 255))
    return np.array(clips).astype("uint8")
