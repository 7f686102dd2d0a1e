"""`rgb_normalization`: the first layer of every model that takes raw RGB."""

import keras

# Mean and standard deviation of red, green and blue.
KNOWN = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "kinetics": ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225)),
}


def rgb_normalization(normalize) -> keras.layers.Layer | None:
    """A layer that makes normalised float32 of RGB from 0 to 255.

    Args:
        normalize: `"imagenet"`; `"kinetics"`, 0.45 and 0.225 for every channel, as SlowFast and
            TimeSformer were trained; a pair `(mean, std)` of three numbers each in units of 0 to
            1; or `None` where inputs are normalised already.

    Returns:
        The layer, for any shape with the channels last; `None` for `None`.

    Raises:
        ValueError: another name, or not three numbers each, or a `std` that is not above 0.

    Example:

    >>> rgb_normalization("imagenet")(np.zeros((1, 8, 224, 224, 3), "uint8")).dtype
    'float32'
    """
    if normalize is None:
        return None
    if isinstance(normalize, str):
        if normalize not in KNOWN:
            raise ValueError(
                '`normalize` must be "imagenet", "kinetics", a pair (mean, std) or None. '
                f"Received: normalize={normalize!r}"
            )
        normalize = KNOWN[normalize]
    mean, std = normalize
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise ValueError(
            "`normalize=(mean, std)` takes three numbers each, std above 0. "
            f"Received: normalize={normalize!r}"
        )
    scale = [1 / (255 * s) for s in std]
    offset = [-m / s for m, s in zip(mean, std, strict=True)]
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="normalize")
