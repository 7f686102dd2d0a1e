"""One form of the layer for `tools/benchmark.py boundary_matching`, in a process of its own."""

import json
import os
import sys

import numpy as np
from benchmark_worker import take_turns

from keras_video.inference.runtime_contestant import peak_memory

CHANNELS, FILTERS, SAMPLES = 128, 512, 32


def sparse_form(steps: int, features):
    """`BoundaryMatching` and its weights."""
    import keras_video

    layer = keras_video.layers.BoundaryMatching(FILTERS, steps, SAMPLES, activation="relu")
    layer.build(features.shape)
    return layer, layer.trainable_variables


def dense_form(steps: int, features):
    """The published form, with the same numbers."""
    import tensorflow as tf

    from keras_video.layers.boundary_sampling import boundary_sampling

    indices, values = boundary_sampling(steps, steps, SAMPLES).entries
    cell, (sample, step) = indices[:, 0], np.divmod(indices[:, 1], steps)
    mask = tf.scatter_nd(
        np.stack([step, sample * steps**2 + cell], axis=1), values, (steps, SAMPLES * steps**2)
    )
    shape = CHANNELS * SAMPLES, FILTERS
    kernel = tf.Variable(tf.random.normal(shape, stddev=(2 / shape[0]) ** 0.5))
    bias = tf.Variable(tf.zeros(FILTERS))

    def call(features):
        samples = tf.matmul(tf.transpose(features, (0, 2, 1)), mask)
        samples = tf.reshape(samples, (-1, CHANNELS * SAMPLES, steps**2))
        mapped = tf.matmul(samples, kernel, transpose_a=True) + bias
        return tf.nn.relu(tf.reshape(mapped, (-1, steps, steps, FILTERS)))

    return call, [kernel, bias]


def main():
    task = json.loads(sys.argv[1])
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    import keras_video.layers  # noqa: F401

    tf.config.threading.set_intra_op_parallelism_threads(task["threads"])
    features = tf.random.normal((task["batch"], task["steps"], CHANNELS))
    before = peak_memory()
    make = sparse_form if task["library"] == "BoundaryMatching" else dense_form
    call, weights = make(task["steps"], features)

    @tf.function(autograph=False)
    def forward(features):
        return tf.reduce_sum(call(features))

    @tf.function(autograph=False)
    def training(features):
        with tf.GradientTape() as tape:
            tape.watch(features)
            total = tf.reduce_sum(tf.square(call(features)))
        return [tf.reduce_sum(part) for part in tape.gradient(total, [features, *weights])]

    work = {"forward": forward, "training": training}[task["how"]]
    parameters = sum(int(np.prod(weight.shape)) for weight in weights)
    take_turns(
        lambda: tf.nest.map_structure(lambda part: part.numpy(), work(features)),
        parameters,
        lambda: peak_memory() - before,
    )


if __name__ == "__main__":
    main()
