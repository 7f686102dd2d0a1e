"""`SGD`: momentum with coupled L2 decay, and rates and decays for single weights."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_video.training.optimizer_rules import checked_rules, multipliers


@keras.saving.register_keras_serializable(package="keras_video")
class SGD(keras.optimizers.Optimizer):
    """Stochastic gradient descent as the published video models were trained with.

    For a weight `p` with the gradient `g`, after clipping:

        g = g + l2 * decay_multiplier * p
        v = momentum * v + g
        p = p - learning_rate * rate_multiplier * v                    # plain
        p = p - learning_rate * rate_multiplier * (g + momentum * v)   # nesterov

    Unlike in `keras.optimizers.SGD`, the velocity doesn't contain the learning rate (they differ
    when the rate changes), and decay takes part in the momentum instead of shrinking the weights
    beside it. So do PaddlePaddle's `Momentum` and `torch.optim.SGD`.

    Args:
        learning_rate: a number, or a schedule such as `WarmupCosine`.
        momentum: from 0 to 1 (exclusive). Defaults to 0.9.
        nesterov: whether to look ahead by one step of the velocity. Defaults to `False`.
        l2: coefficient of the coupled decay, for example 1e-4. Defaults to 0.
        rules: triples `(pattern, rate multiplier, decay multiplier)`. The pattern is a regular
            expression that is searched for in `variable.path`; the first rule that matches a
            weight counts, a weight without a rule has the multipliers 1 and 1. Models carry those
            of their published training: `keras_video.training.weight_rules(model)`.
        **keras_arguments: of `keras.optimizers.Optimizer`: `global_clipnorm`, `clipnorm`,
            `clipvalue` (all before the decay), `use_ema`, `ema_momentum`, `name` and so on, but not
            `weight_decay`.

    Raises:
        ValueError: an argument is out of range, or, when the optimizer is built, a rule matches no
            trainable weight.

    Example:

    >>> model = keras_video.models.TSM(num_classes=4)
    >>> optimizer = keras_video.training.SGD(
    ...     0.02, l2=1e-4, global_clipnorm=20.0, rules=keras_video.training.weight_rules(model))
    >>> model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    Reference: Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html, in the
    form of https://www.paddlepaddle.org.cn (`paddle.optimizer.Momentum`).
    """

    def __init__(
        self,
        learning_rate: float | Callable,
        momentum: float = 0.9,
        nesterov: bool = False,
        l2: float = 0.0,
        rules: Sequence[tuple[str, float, float]] = (),
        **keras_arguments,
    ):
        if keras_arguments.get("weight_decay") is not None:
            raise ValueError(
                "This optimizer's decay is coupled to the gradient: give it as `l2`. "
                f"Received: weight_decay={keras_arguments['weight_decay']!r}"
            )
        if not 0 <= momentum < 1:
            raise ValueError(f"`momentum` must be from 0 to below 1. Received: momentum={momentum}")
        if nesterov and momentum == 0:
            raise ValueError("`nesterov=True` needs a momentum. Received: momentum=0")
        if l2 < 0:
            raise ValueError(f"`l2` must not be negative. Received: l2={l2}")
        if isinstance(learning_rate, int):
            learning_rate = float(learning_rate)
        rules = checked_rules(rules)
        super().__init__(learning_rate, **keras_arguments)
        self.momentum = momentum
        self.nesterov = nesterov
        self.l2 = l2
        self.rules = rules

    def build(self, variables):
        if self.built:
            return
        self._multipliers = multipliers([_path(v) for v in variables], self.rules)
        super().build(variables)
        self._velocities = []
        if self.momentum:
            self._velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        index = self._get_variable_index(variable)
        rate_multiplier, decay_multiplier = self._multipliers[index]
        gradient = ops.cast(gradient, dtype)
        decay = self.l2 * decay_multiplier
        if decay:
            gradient = ops.add(gradient, ops.multiply(variable, ops.cast(decay, dtype)))
        direction = gradient
        if self.momentum:
            momentum = ops.cast(self.momentum, dtype)
            velocity = self._velocities[index]
            direction = ops.add(ops.multiply(velocity, momentum), gradient)
            self.assign(velocity, direction)
            if self.nesterov:
                direction = ops.add(gradient, ops.multiply(direction, momentum))
        rate = ops.multiply(ops.cast(learning_rate, dtype), ops.cast(rate_multiplier, dtype))
        self.assign_sub(variable, ops.multiply(direction, rate))

    def get_config(self):
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "l2": self.l2,
            "rules": [list(rule) for rule in self.rules],
        }


def _path(variable) -> str:
    return getattr(variable, "path", variable.name)
