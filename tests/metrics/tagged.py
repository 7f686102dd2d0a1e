"""Videos with labels and scores, and the metrics of tagging by their definitions, slowly."""

import numpy as np


def videos(count: int = 40, classes: int = 12, seed: int = 0, levels: int | None = None):
    """Labels, and scores that know something of them; only a few different ones with `levels`."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((count, classes)) < 0.2).astype("float32")
    scores = rng.random((count, classes)) + 0.5 * labels
    if levels is not None:
        scores = np.round(scores * levels) / levels
    return labels, scores.astype("float32")


def defined_average_precision(pairs, num_positives) -> float:
    """The sum over positives of the precision among all that score at least as much."""
    total = 0.0
    for score, label in pairs:
        if label:
            at_least = [other for value, other in pairs if value >= score]
            total += sum(at_least) / len(at_least)
    return total / num_positives


def defined_gap(labels, scores, top_k: int) -> float:
    """GAP over all videos, by the definition."""
    pairs = []
    for row, values in zip(labels, scores, strict=True):
        order = sorted(range(len(values)), key=lambda c: (-values[c], c))
        pairs += [(values[c], row[c]) for c in order[:top_k]]
    return defined_average_precision(pairs, labels.sum())


def defined_per_class(labels, scores) -> list[float]:
    """The average precision of each class, by the definition."""
    return [
        defined_average_precision(list(zip(scores[:, c], labels[:, c], strict=True)), count)
        if (count := labels[:, c].sum())
        else np.nan
        for c in range(labels.shape[1])
    ]


def defined_perr(labels, scores) -> float:
    """PERR by the definition."""
    precisions = []
    for row, values in zip(labels, scores, strict=True):
        count = int(row.sum())
        best = sorted(range(len(values)), key=lambda c: (-values[c], c))[:count]
        precisions.append(sum(row[c] for c in best) / count if count else 0.0)
    return float(np.mean(precisions))
