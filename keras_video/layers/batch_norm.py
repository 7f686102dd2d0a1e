"""`BatchNorm`: batch normalisation as video networks are trained with it."""

import keras
from keras import ops

from keras_video._compat import batch_norm, has_own_batch_norm


@keras.saving.register_keras_serializable(package="keras_video")
class BatchNorm(keras.layers.BatchNormalization):
    """Batch normalisation with the constants of video networks, and a faster training pass.

    `keras.layers.BatchNormalization`, but for four things: momentum 0.9 and epsilon 1e-5 by
    default, as PaddlePaddle and torch have them; scale, offset and statistics stay float32 under
    mixed precision; in training on TensorFlow, halves are not made float32 in memory, and replicas
    exchange their statistics in one step; a batch can be normalised in parts (`num_splits`).

    Input and output shape: `(batch, height, width, channels)`, or any other with the channels last.

    Args:
        momentum: of the moving statistics: `moving = momentum * moving + (1 - momentum) * batch`.
            Defaults to 0.9.
        epsilon: added to the variance. Defaults to 1e-5.
        synchronized: whether batch statistics are taken over all replicas (TensorFlow only).
        **kwargs: further arguments of `keras.layers.BatchNormalization`.

    Attributes:
        num_splits: in training, the batch is cut into so many sub-batches of consecutive rows, each
            normalised by its own statistics; 1 at first. Multigrid training sets it, where its
            batches are larger than usual. It belongs to a step of training, not to the layer: it is
            neither weight nor config, and evaluation knows nothing of it. The moving statistics
            are those of all rows together (the mean of the variances and the variance of the
            means), so there is nothing to merge before a checkpoint, a preset or an evaluation.
            Synchronised sub-batches span the replicas, each of which brings a part of every one.

    Example:

    >>> keras_video.layers.BatchNorm()(np.zeros((8, 7, 7, 64))).shape
    (8, 7, 7, 64)

    Reference: Ioffe and Szegedy, https://arxiv.org/abs/1502.03167; sub-batches: Wu et al., "A
    Multigrid Method for Efficiently Training Video Models", https://arxiv.org/abs/1912.00998
    """

    def __init__(
        self,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        **kwargs,
    ):
        super().__init__(momentum=momentum, epsilon=epsilon, synchronized=synchronized, **kwargs)
        self.num_splits = 1

    def add_weight(self, *args, **kwargs):
        return super().add_weight(*args, **{**kwargs, "autocast": False})

    def call(self, inputs, training=None, mask=None):
        usual = (
            mask is None and self.center and self.scale and self.axis in (-1, len(inputs.shape) - 1)
        )
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        if self.num_splits > 1:
            self._check_splits(inputs.shape[0], usual)
        if usual and has_own_batch_norm(inputs):
            outputs, mean, variance = batch_norm(
                inputs, self.gamma, self.beta, self.epsilon, self.synchronized, self.num_splits
            )
        elif self.num_splits > 1:
            outputs, mean, variance = self._normalize_parts(inputs)
        else:
            return super().call(inputs, training=training, mask=mask)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))
        return outputs

    def _normalize_parts(self, inputs) -> tuple:
        """What `batch_norm` does, on every backend."""
        shape = ops.shape(inputs)
        parts = ops.reshape(ops.cast(inputs, "float32"), (self.num_splits, -1, shape[-1]))
        means, variances = ops.moments(
            parts, axes=[1], keepdims=True, synchronized=self.synchronized
        )
        outputs = (parts - means) * (self.gamma * ops.rsqrt(variances + self.epsilon)) + self.beta
        mean = ops.mean(means, axis=(0, 1))
        variance = ops.mean(variances + ops.square(means - mean), axis=(0, 1))
        return ops.cast(ops.reshape(outputs, shape), inputs.dtype), mean, variance

    def _check_splits(self, size: int | None, usual: bool) -> None:
        if not usual:
            raise ValueError(
                "Sub-batches need scale, offset, the channels last and no mask. Received: "
                f"num_splits={self.num_splits} in {self.name!r} with other arguments"
            )
        if size is not None and size % self.num_splits:
            raise ValueError(
                "The batch must be a multiple of the number of sub-batches. "
                f"Received: {size} rows, num_splits={self.num_splits} in {self.name!r}"
            )
