"""Rules: learning rates and decays of single weights, as `SGD` takes them."""

import re
from collections.abc import Sequence

import keras

from keras_video.presets.errors import did_you_mean, some


def weight_rules(model: keras.Model) -> tuple[tuple[str, float, float], ...]:
    """Returns the rules of a model's published training, for `SGD(rules=...)`.

    They come from the class attribute `weight_rules` of the model; those of weights that are frozen
    are left out, because an optimizer knows the trainable weights only. Call it after freezing.

    Args:
        model: a model of `keras_video.models`, or any model; without the attribute it has no rules.

    Returns:
        Triples `(pattern, rate multiplier, decay multiplier)`.

    Raises:
        ValueError: a rule matches no weight of the model.

    Example:

    >>> model = keras_video.models.TSM(num_classes=4)
    >>> keras_video.training.weight_rules(model)[0]
    ('^classifier/kernel$', 5.0, 1.0)
    """
    rules = tuple(getattr(model, "weight_rules", ()))
    paths = [weight.path for weight in model.weights]
    for pattern, *_ in rules:
        if not any(re.search(pattern, path) for path in paths):
            raise ValueError(
                f"The rule {pattern!r} of {type(model).__name__}.weight_rules matches none of the "
                f"model's weights. Received: a model with {some(paths)}"
            )
    trainable = [weight.path for weight in model.trainable_weights]
    return tuple(rule for rule in rules if any(re.search(rule[0], path) for path in trainable))


def multipliers(
    paths: Sequence[str], rules: Sequence[tuple[str, float, float]]
) -> list[tuple[float, float]]:
    """Returns `(rate multiplier, decay multiplier)` for every path.

    Raises:
        ValueError: a rule matches no path.
    """
    for pattern, *_ in rules:
        if not any(re.search(pattern, path) for path in paths):
            raise ValueError(
                f"The rule {pattern!r} matches none of the {len(paths)} trainable weights, such as "
                f"{some(paths)}.{did_you_mean(pattern, paths)} "
                "`keras_video.training.weight_rules(model)` leaves out the rules of frozen weights."
            )
    found = []
    for path in paths:
        matching = (rule[1:] for rule in rules if re.search(rule[0], path))
        found.append(tuple(next(matching, (1.0, 1.0))))
    return found


def checked_rules(rules: Sequence) -> tuple[tuple[str, float, float], ...]:
    """Returns the rules as a tuple of tuples.

    Raises:
        ValueError: one isn't a regular expression and two numbers from 0.
    """
    checked = []
    for rule in rules:
        try:
            pattern, rate, decay = rule
            re.compile(pattern)
            checked.append((pattern, float(rate), float(decay)))
        except (TypeError, ValueError, re.error) as error:
            raise ValueError(
                "A rule is (regular expression, rate multiplier, decay multiplier). "
                f"Received: {rule!r}"
            ) from error
        if rate < 0 or decay < 0:
            raise ValueError(f"A rule's multipliers must not be negative. Received: {rule!r}")
    return tuple(checked)
