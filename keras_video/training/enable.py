"""`enable`: keras_video's train step in `model.fit`."""

import keras

from keras_video.training.distillation import Distillation
from keras_video.training.train_step import TrainStep


def enable(
    model: keras.Model,
    xla: bool | str = "auto",
    accumulate: int = 1,
    distillation: Distillation | None = None,
) -> keras.Model:
    """Makes `model.fit` train with `TrainStep`: XLA inside the replica, micro-batches, a teacher.

    Keras' own `jit_compile=True` and `gradient_accumulation_steps` fail with more than one replica;
    these work with one device and under `tf.distribute.MirroredStrategy`. For several workers use
    `Trainer`: `fit` does not run there in Keras 3.

    Args:
        model: a compiled model (with `jit_compile` left alone). Compile again, and this has to be
            called again.
        xla: `True`, `False`, or `"auto"`: on GPUs and TPUs only.
        accumulate: micro-batches in a batch. Defaults to 1.
        distillation: a `Distillation`.

    Returns:
        The model.

    Raises:
        ValueError: the model is not compiled, or arguments are out of range.

    Example:

    >>> model.compile(keras_video.training.SGD(0.01, nesterov=True), loss)
    >>> keras_video.training.enable(model, accumulate=4).fit(data)
    """
    step = TrainStep(model, xla, accumulate, distillation)
    tracker = next(metric for metric in model.metrics if metric.name == "loss")

    def train_step(data):
        loss, outputs = step(data)
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        tracker.update_state(loss, sample_weight=keras.ops.shape(keras.tree.flatten(x)[0])[0])
        return model.compute_metrics(x, y, outputs, weights)

    model.jit_compile = False
    model.train_step = train_step
    model.train_function = None
    return model
