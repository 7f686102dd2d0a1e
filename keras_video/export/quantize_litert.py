"""`quantize_litert`: a `.tflite` file with int8 arithmetic."""

import warnings
from collections.abc import Iterable, Mapping

import numpy as np


def quantize_litert(function, samples: Iterable[Mapping[str, np.ndarray]]) -> bytes:
    """Converts a function of TensorFlow for LiteRT, computing in int8 where there is a kernel.

    Weights are int8 with a scale for every channel, activations int8 with one that the samples
    decide. Tensors that are only moved, such as the parts of a temporal shift, keep their scale.
    What has no kernel in int8 is computed in float. Inputs and outputs keep their types.

    Args:
        function: a concrete function of named tensors, with its weights as constants
            (`FrozenGraph.function`).
        samples: inputs by name, such as the network will meet; one batch at a time is in memory.

    Returns:
        The contents of the file.

    Raises:
        ValueError: there are no samples.

    Example:

    >>> samples = keras_video.export.calibration_samples(model, sorted(Path("videos").glob("*")))
    >>> Path("model.tflite").write_bytes(quantize_litert(frozen.function(), samples))
    """
    import tensorflow as tf

    used = 0

    def representative_dataset():
        nonlocal used
        for sample in samples:
            used += 1
            yield dict(sample)
        if not used:
            raise ValueError(
                "int8 needs samples of what the network will meet, to know how large its values "
                "become. Received: no samples"
            )

    # With an object to belong to, the file keeps the names of inputs and outputs.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative_dataset
    with warnings.catch_warnings():
        # It measures with an interpreter that it says is outdated.
        warnings.simplefilter("ignore")
        return converter.convert()
