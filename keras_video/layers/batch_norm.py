"""`BatchNorm`: batch normalisation as video networks are trained with it."""

import keras

from keras_video._compat import batch_norm, has_own_batch_norm


@keras.saving.register_keras_serializable(package="keras_video")
class BatchNorm(keras.layers.BatchNormalization):
    """Batch normalisation with the constants of video networks, and a faster training pass.

    `keras.layers.BatchNormalization`, but for three things: momentum 0.9 and epsilon 1e-5 by
    default, as PaddlePaddle and torch have them; scale, offset and statistics stay float32 under
    mixed precision; in training on TensorFlow, halves are not made float32 in memory, and replicas
    exchange their statistics in one step.

    Input and output shape: `(batch, height, width, channels)`, or any other with the channels last.

    Args:
        momentum: of the moving statistics: `moving = momentum * moving + (1 - momentum) * batch`.
            Defaults to 0.9.
        epsilon: added to the variance. Defaults to 1e-5.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).
        **kwargs: further arguments of `keras.layers.BatchNormalization`.

    Example:

    >>> keras_video.layers.BatchNorm()(np.zeros((8, 7, 7, 64))).shape
    (8, 7, 7, 64)
    """

    def __init__(
        self,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **kwargs,
    ):
        super().__init__(momentum=momentum, epsilon=epsilon, synchronized=synchronized, **kwargs)

    def add_weight(self, *args, **kwargs):
        return super().add_weight(*args, **{**kwargs, "autocast": False})

    def call(self, inputs, training=None, mask=None):
        usual = (
            mask is None and self.center and self.scale and self.axis in (-1, len(inputs.shape) - 1)
        )
        if not (training and self.trainable and usual and has_own_batch_norm(inputs)):
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = batch_norm(
            inputs, self.gamma, self.beta, self.epsilon, self.synchronized
        )
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))
        return outputs
