"""`average_precision`: the area under the curve of precision over recall, of one ranking."""

import numpy as np

from keras_video.metrics.predictions import checked_labels, checked_scores


def average_precision(labels, scores, weights=None, num_positives: float | None = None) -> float:
    """Returns the average precision of one ranking, without interpolation.

    Best scores come first; each step down the ranking adds its gain in recall times the precision
    reached. Predictions of equal score are one step, so their order means nothing: it is the
    definition of scikit-learn's `average_precision_score`. (YouTube-8M's code shuffles equal scores
    instead.) A score of `-inf` is no prediction: its label is a miss.

    Args:
        labels: `(predictions,)`, 0 or 1.
        scores: `(predictions,)`, probabilities, logits or any numbers to rank by.
        weights: how often each prediction counts, from 0; by default once.
        num_positives: labels there are, where some are not among the predictions; by default those
            that are.

    Returns:
        A number from 0 to 1; NaN where there are no positives, since no recall is defined then.

    Raises:
        ValueError: labels other than 0 and 1, scores that are NaN, shapes that differ.

    Example:

    >>> average_precision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
    0.8333333333333333
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise ValueError(
            "Labels and scores must be two lists of the same length. "
            f"Received: labels of shape {labels.shape}, scores of shape {scores.shape}"
        )
    labels, scores = checked_labels(labels), checked_scores(scores)
    signed = np.where(labels, 1.0, -1.0)
    if weights is not None:
        weights = np.asarray(weights, np.float64)
        if weights.shape != labels.shape or not (weights >= 0).all():
            raise ValueError(
                "There must be a weight from 0 for each prediction. "
                f"Received: weights={weights!r:.80} for {len(labels)} predictions"
            )
        signed = signed * weights
    if num_positives is None:
        num_positives = signed[signed > 0].sum()
    elif not num_positives >= signed[signed > 0].sum():
        raise ValueError(
            "`num_positives` counts all positives, those of `labels` among them. Received: "
            f"num_positives={num_positives!r}, {signed[signed > 0].sum():g} in `labels`"
        )
    return signed_average_precision(scores, signed, num_positives)


def signed_average_precision(scores: np.ndarray, signed: np.ndarray, num_positives: float) -> float:
    """Average precision of predictions whose weights have the sign of their labels.

    Args:
        scores: `(predictions,)`.
        signed: `(predictions,)`: a positive's weight, a negative's weight times -1.
        num_positives: weight of all positives, those that were not predicted included.
    """
    if not num_positives > 0:
        return float("nan")
    predicted = (scores > -np.inf) & (signed != 0)
    scores, signed = scores[predicted], signed[predicted]
    if not len(scores):
        return 0.0
    order = np.argsort(-scores)
    scores, signed = scores[order], signed[order]
    ends = np.append(scores[1:] != scores[:-1], True)
    found = np.cumsum(np.maximum(signed, 0.0), dtype=np.float64)[ends]
    shown = np.cumsum(np.abs(signed), dtype=np.float64)[ends]
    return float(np.sum(np.diff(found, prepend=0.0) * found / shown) / num_positives)
