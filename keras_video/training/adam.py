"""`Adam`: with coupled L2 decay, and rates and decays for single weights."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_video.training.optimizer_rules import checked_rules, multipliers


@keras.saving.register_keras_serializable(package="keras_video")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` whose decay is part of the gradient, as in PaddlePaddle and torch.

    For a weight `p` with the gradient `g`, after clipping, Adam takes
    `g + l2 * decay_multiplier * p` and `learning_rate * rate_multiplier`. (AdamW shrinks weights
    beside the gradient instead: `keras.optimizers.AdamW`.)

    Args:
        learning_rate: a number, or a schedule such as `Piecewise`.
        beta_1: how much of the mean gradient stays in a step. Defaults to 0.9.
        beta_2: the same of the mean squared gradient. Defaults to 0.999.
        epsilon: added to the root of the latter. Defaults to 1e-8.
        l2: coefficient of the coupled decay, for example 1e-4. Defaults to 0.
        rules: triples `(pattern, rate multiplier, decay multiplier)`, as of `SGD`.
        **keras_arguments: of `keras.optimizers.Adam`: `global_clipnorm`, `clipnorm`, `clipvalue`
            (all before the decay), `use_ema`, `amsgrad`, `name` and so on, but not `weight_decay`.

    Raises:
        ValueError: an argument is out of range, or, when the optimizer is built, a rule matches no
            trainable weight.

    Example:

    >>> optimizer = keras_video.training.Adam(1e-3, l2=1e-4)
    >>> model.compile(optimizer, "mean_squared_error")

    Reference: Kingma & Ba, "Adam", https://arxiv.org/abs/1412.6980
    """

    def __init__(
        self,
        learning_rate: float | Callable,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        l2: float = 0.0,
        rules: Sequence[tuple[str, float, float]] = (),
        **keras_arguments,
    ):
        if keras_arguments.get("weight_decay") is not None:
            raise ValueError(
                "This optimizer's decay is coupled to the gradient: give it as `l2`. "
                f"Received: weight_decay={keras_arguments['weight_decay']!r}"
            )
        for name, value in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= value < 1:
                raise ValueError(f"`{name}` must be from 0 to below 1. Received: {name}={value!r}")
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon!r}")
        if not l2 >= 0:
            raise ValueError(f"`l2` must not be negative. Received: l2={l2}")
        if isinstance(learning_rate, int):
            learning_rate = float(learning_rate)
        rules = checked_rules(rules)
        super().__init__(
            learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, **keras_arguments
        )
        self.l2, self.rules = l2, rules

    def build(self, variables):
        if self.built:
            return
        paths = [getattr(variable, "path", variable.name) for variable in variables]
        self._multipliers = multipliers(paths, self.rules)
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        rate_multiplier, decay_multiplier = self._multipliers[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, variable.dtype)
        decay = self.l2 * decay_multiplier
        if decay:
            gradient = gradient + variable * ops.cast(decay, variable.dtype)
        rate = learning_rate * ops.cast(rate_multiplier, learning_rate.dtype)
        super().update_step(gradient, variable, rate)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2, "rules": [list(rule) for rule in self.rules]}
