"""`AttentionPooling`: the weighted mean of a sequence, weights learned."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_video")
class AttentionPooling(keras.layers.Layer):
    """The mean of a sequence's steps, weighted by what one dense unit says of each.

    The weights are a softmax over the real steps; steps that the mask leaves out play no role. A
    sequence without any real step gives zeros. The softmax is computed in float32.

    Args:
        use_bias: whether the dense unit has a bias. It changes no weight, since a softmax ignores
            what all steps have in common; published checkpoints have one. Defaults to `True`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        inputs: `(batch, time, channels)`.
        mask: `(batch, time)`, true or 1 where a step is real; `None` where all are.

    Output shape: `(batch, channels)`.

    Example:

    >>> pooled = keras_video.layers.AttentionPooling()(np.ones((2, 300, 2048)))
    >>> pooled.shape
    (2, 2048)

    Reference: Long et al., "Attention Clusters: Purely Attention Based Local Feature Integration
    for Video Classification", https://arxiv.org/abs/1711.09550
    """

    def __init__(self, use_bias: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.supports_masking = True

    def build(self, input_shape):
        self.score = keras.layers.Dense(
            1, use_bias=self.use_bias, dtype=self.dtype_policy, name="score"
        )
        self.score.build(input_shape)

    def call(self, inputs, mask=None):
        if mask is not None:
            real = ops.cast(mask, "bool")
            inputs = ops.where(ops.expand_dims(real, -1), inputs, ops.zeros((), inputs.dtype))
        scores = ops.cast(self.score(inputs)[..., 0], "float32")
        if mask is None:
            weights = ops.softmax(scores)
        else:
            scores = ops.where(real, scores, -1e30)
            highest = ops.stop_gradient(ops.max(scores, axis=1, keepdims=True))
            weights = ops.exp(scores - highest) * ops.cast(real, "float32")
            none = ops.cast(~ops.any(real, axis=1, keepdims=True), "float32")
            weights = weights / (ops.sum(weights, axis=1, keepdims=True) + none)
        weights = ops.cast(weights, inputs.dtype)
        return ops.matmul(weights[:, None], inputs)[:, 0]

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "use_bias": self.use_bias}
