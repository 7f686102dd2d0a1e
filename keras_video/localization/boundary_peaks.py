"""`boundary_peaks`: where actions may start or end."""

import numpy as np

from keras_video.localization.segments import checked_probabilities


def boundary_peaks(probabilities: np.ndarray) -> np.ndarray:
    """Places whose probability is a local peak, or more than half of the highest one.

    A peak is higher than both neighbours; beyond the ends, probabilities are 0. (BSN,
    https://arxiv.org/abs/1806.02964, section 3.3.)

    Args:
        probabilities: of a start, or of an end, at each place: `(time,)`, from 0 to 1.

    Returns:
        bool `(time,)`.

    Raises:
        ValueError: another shape, or numbers that are no probabilities.

    Example:

    >>> boundary_peaks([0.1, 0.3, 0.2, 0.9, 0.5]).tolist()
    [False, True, False, True, True]
    """
    probabilities = checked_probabilities(probabilities, "probabilities")
    if probabilities.ndim != 1:
        raise ValueError(
            f"`probabilities` has the shape (time,). Received: shape {probabilities.shape}"
        )
    before = np.concatenate(([0.0], probabilities[:-1]))
    after = np.concatenate((probabilities[1:], [0.0]))
    peaks = (probabilities > before) & (probabilities > after)
    return peaks | (probabilities > 0.5 * probabilities.max())
