"""`dequantize`: features from their 8-bit codes."""

import numpy as np


def dequantize(codes: np.ndarray, feature_range: tuple[float, float] = (-2.0, 2.0)) -> np.ndarray:
    """Turns 8-bit codes into features: `codes * (high - low) / 255 + (high - low) / 512 + low`.

    Models such as `AttentionLSTM` do it themselves, so that uint8 travels to the device.

    Args:
        codes: array of any shape, 0 to 255.
        feature_range: `low` and `high` of the features that were quantised. Defaults to -2 and 2,
            YouTube-8M's.

    Returns:
        float32 array of the same shape, rounded once, from exact float64.

    Raises:
        ValueError: the range is empty.

    Example:

    >>> dequantize(np.array([0, 128, 255], "uint8"))
    array([-1.9921875,  0.015655637,  2.0078125], dtype=float32)

    Reference:
        YouTube-8M's starter code, https://github.com/google/youtube-8m
    """
    low, high = feature_range
    if not low < high:
        raise ValueError(
            "`feature_range` is a low and a higher number. "
            f"Received: feature_range={feature_range!r}"
        )
    codes = np.asarray(codes)
    scale, bias = (high - low) / 255.0, (high - low) / 512.0 + low
    if codes.dtype == np.uint8:
        return (np.arange(256) * scale + bias).astype(np.float32)[codes]
    return (codes * np.float64(scale) + bias).astype(np.float32)
