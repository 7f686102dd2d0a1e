"""`RMSProp`: with coupled L2 decay, and rates and decays for single weights."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_video.training.optimizer_rules import checked_rules, multipliers


@keras.saving.register_keras_serializable(package="keras_video")
class RMSProp(keras.optimizers.Optimizer):
    """Gradients divided by their recent magnitude, as PaddlePaddle's `RMSProp` does it.

    For a weight `p` with the gradient `g`, after clipping:

        g = g + l2 * decay_multiplier * p
        s = rho * s + (1 - rho) * g^2
        a = rho * a + (1 - rho) * g
        v = momentum * v + learning_rate * rate_multiplier * g / sqrt(s - a^2 + epsilon)
        p = p - v

    without `a` where it is not `centered`. Unlike in `keras.optimizers.RMSprop`, decay is part of
    the gradient instead of shrinking the weights beside it; and `s - a^2`, a variance, is kept from
    falling below 0 by rounding, which would make weights NaN.

    Args:
        learning_rate: a number, or a schedule such as `Piecewise`.
        rho: how much of the averages stays in a step, from 0 to 1 (exclusive). Defaults to 0.95.
        momentum: from 0 to 1 (exclusive). Defaults to 0.
        epsilon: added under the root. Defaults to 1e-6. It is measured in squared gradients: a loss
            a hundred times smaller wants it 10,000 times smaller.
        centered: whether the mean gradient is subtracted. Defaults to `False`.
        l2: coefficient of the coupled decay, for example 1e-4. Defaults to 0.
        rules: triples `(pattern, rate multiplier, decay multiplier)`, as of `SGD`.
        **keras_arguments: of `keras.optimizers.Optimizer`: `global_clipnorm`, `clipnorm`,
            `clipvalue` (all before the decay), `use_ema`, `ema_momentum`, `name` and so on, but not
            `weight_decay`.

    Raises:
        ValueError: an argument is out of range, or, when the optimizer is built, a rule matches no
            trainable weight.

    Example:

    >>> optimizer = keras_video.training.RMSProp(2.5e-4, centered=True, l2=1e-5)
    >>> model.compile(optimizer, keras_video.losses.MultiLabelCrossentropy())

    Reference: Hinton, Neural Networks for Machine Learning, lecture 6; centered: Graves,
    https://arxiv.org/abs/1308.0850; in the form of https://www.paddlepaddle.org.cn
    (`paddle.optimizer.RMSProp`).
    """

    def __init__(
        self,
        learning_rate: float | Callable,
        rho: float = 0.95,
        momentum: float = 0.0,
        epsilon: float = 1e-6,
        centered: bool = False,
        l2: float = 0.0,
        rules: Sequence[tuple[str, float, float]] = (),
        **keras_arguments,
    ):
        if keras_arguments.get("weight_decay") is not None:
            raise ValueError(
                "This optimizer's decay is coupled to the gradient: give it as `l2`. "
                f"Received: weight_decay={keras_arguments['weight_decay']!r}"
            )
        for name, value in (("rho", rho), ("momentum", momentum)):
            if not 0 <= value < 1:
                raise ValueError(f"`{name}` must be from 0 to below 1. Received: {name}={value!r}")
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon!r}")
        if l2 < 0:
            raise ValueError(f"`l2` must not be negative. Received: l2={l2}")
        if isinstance(learning_rate, int):
            learning_rate = float(learning_rate)
        rules = checked_rules(rules)
        super().__init__(learning_rate, **keras_arguments)
        self.rho, self.momentum, self.epsilon = rho, momentum, epsilon
        self.centered, self.l2, self.rules = centered, l2, rules

    def build(self, variables):
        if self.built:
            return
        paths = [getattr(variable, "path", variable.name) for variable in variables]
        self._multipliers = multipliers(paths, self.rules)
        super().build(variables)
        self._mean_squares = self.add_optimizer_variables(variables, "mean_square")
        self._means, self._velocities = [], []
        if self.centered:
            self._means = self.add_optimizer_variables(variables, "mean_gradient")
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
        square = self._averaged(self._mean_squares[index], ops.square(gradient))
        if self.centered:
            mean = self._averaged(self._means[index], gradient)
            square = ops.maximum(ops.subtract(square, ops.square(mean)), ops.cast(0, dtype))
        root = ops.sqrt(ops.add(square, ops.cast(self.epsilon, dtype)))
        rate = ops.multiply(ops.cast(learning_rate, dtype), ops.cast(rate_multiplier, dtype))
        step = ops.divide(ops.multiply(rate, gradient), root)
        if self.momentum:
            velocity = self._velocities[index]
            step = ops.add(ops.multiply(velocity, ops.cast(self.momentum, dtype)), step)
            self.assign(velocity, step)
        self.assign_sub(variable, step)

    def _averaged(self, average, value):
        """The moving average, after it has taken a value into account."""
        rho = ops.cast(self.rho, average.dtype)
        rest = ops.cast(1 - self.rho, average.dtype)
        value = ops.add(ops.multiply(average, rho), ops.multiply(value, rest))
        self.assign(average, value)
        return value

    def get_config(self):
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
            "l2": self.l2,
            "rules": [list(rule) for rule in self.rules],
        }
