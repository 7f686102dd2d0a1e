"""Sound in memory, checked for the mistakes that are easily made."""

import numpy as np


def checked_sound(sound, argument: str = "sound") -> np.ndarray:
    """Returns mono sound as float32, or says why it is none.

    Args:
        sound: floats from -1 to 1, `(samples,)`, at least one.
        argument: what the caller's argument is called.

    Raises:
        ValueError: another shape, no samples, integers, or values that are not in this range.

    Example:

    >>> checked_sound([0.0, 0.5]).dtype
    dtype('float32')
    """
    array = np.asarray(sound)
    if array.ndim != 1 or not array.size or array.dtype.kind != "f":
        raise ValueError(
            f"`{argument}` must be mono samples, floats of shape (samples,), at least one; average "
            "channels, divide int16 by 32768. "
            f"Received: {argument} of shape={array.shape}, dtype={array.dtype}"
        )
    # Written so that NaN fails too.
    if not (array.min() >= -1 and array.max() <= 1):
        raise ValueError(
            f"`{argument}` must be numbers from -1 to 1. "
            f"Received: {argument} with values from {array.min()} to {array.max()}"
        )
    return array.astype("float32", copy=False)
