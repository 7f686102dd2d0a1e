"""`freeze_batch_norm` and `freeze_layers`: parts of a model that training leaves alone."""

import re
from collections.abc import Sequence

import keras

from keras_video._compat import layers_in_order
from keras_video.presets.errors import did_you_mean


def freeze_batch_norm(model: keras.Model, keep_first: bool = False) -> list[str]:
    """Freezes batch normalisation: neither scale, offset nor moving statistics change.

    The layers then normalise with their moving statistics in training too. Call it before
    `compile`.

    Args:
        model: any model.
        keep_first: whether the first layer stays trainable ("partial batch normalisation" of TSN):
            it adapts to the new kind of input, the others keep the statistics of a larger data set.
            Defaults to `False`.

    Returns:
        Paths of the layers that are frozen now, in the order of the network.

    Raises:
        ValueError: the model has no batch normalisation, or none after the first.

    Example:

    >>> model = keras_video.models.TSN(num_classes=4)
    >>> keras_video.training.freeze_batch_norm(model, keep_first=True)[0]
    'stage1_block1_conv1/norm'

    Reference: Wang et al., "Temporal Segment Networks", section 3.2,
    https://arxiv.org/abs/1608.00859
    """
    normalization = keras.layers.BatchNormalization
    norms = [layer for layer in layers_in_order(model) if isinstance(layer, normalization)]
    frozen = norms[1:] if keep_first else norms
    if not frozen:
        raise ValueError(
            f"The model has no batch normalisation to freeze. Received: {model.name!r} with "
            f"{len(norms)} such layers, keep_first={keep_first}"
        )
    for norm in frozen:
        norm.trainable = False
    return [norm.path for norm in frozen]


def freeze_layers(
    model: keras.Model, patterns: str | Sequence[str] = (), *, until: str | None = None
) -> list[str]:
    """Freezes layers by name: their weights and moving statistics don't change.

    Dropout and the like go on. Call it before `compile`.

    Args:
        model: a functional model, such as those of `keras_video.models`.
        patterns: regular expressions; a layer is frozen where one is found in its path, such as
            `"backbone/stage1_block1_conv1"`.
        until: instead of patterns, the name of the first layer that stays trainable, or the
            beginning of that name up to a `_`: `"stage3"` freezes the stem, stage 1 and stage 2.

    Returns:
        Paths of the layers that are frozen now, in the order of the network.

    Raises:
        ValueError: neither or both are given; a pattern or name fits no layer with weights.

    Example:

    >>> model = keras_video.models.TSM(num_classes=4)
    >>> keras_video.training.freeze_layers(model, until="stage1")
    ['backbone/stem_conv']
    >>> keras_video.training.freeze_layers(model, "backbone")[-1]
    'backbone/stage4_block3_conv3'
    """
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    if bool(patterns) == (until is not None):
        raise ValueError(
            f"Give either patterns or `until`. Received: patterns={patterns!r}, until={until!r}"
        )
    layers = _named_layers(model)
    if until is not None:
        frozen = _before(layers, until)
    else:
        for pattern in patterns:
            if not any(re.search(pattern, path) for path in layers):
                raise _unknown("pattern", pattern, layers)
        frozen = [path for path in layers if any(re.search(p, path) for p in patterns)]
    for path in frozen:
        layers[path].trainable = False
    return frozen


def _before(layers: dict, until: str) -> list[str]:
    paths = list(layers)
    for index, path in enumerate(paths):
        name = path.rpartition("/")[2]
        if name == until or name.startswith(f"{until}_"):
            return paths[:index]
    raise _unknown("layer", until, layers)


def _unknown(kind: str, name: str, layers: dict) -> ValueError:
    names = [path.rpartition("/")[2] for path in layers]
    groups = ", ".join(dict.fromkeys(name.partition("_")[0] for name in names))
    hint = did_you_mean(name, [*dict.fromkeys(n.partition("_")[0] for n in names), *layers])
    return ValueError(
        f"No layer with weights fits the {kind}.{hint} Their names begin with: {groups}. "
        f"Received: {name!r}"
    )


def _named_layers(model: keras.Model, prefix: str = "") -> dict[str, keras.layers.Layer]:
    """The layers with weights, models opened: `{path: layer}` in the order of the network."""
    found = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found.update(_named_layers(layer, f"{prefix}{layer.name}/"))
        elif layer.weights:
            found[prefix + layer.name] = layer
    return found
