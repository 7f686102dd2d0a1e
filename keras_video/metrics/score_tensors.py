"""Labels and scores of a batch, as the Keras metrics take them."""

from keras import ops


def positives(labels):
    """1 where a label is there, else 0, in float32; soft targets count from 0.5 on."""
    return ops.cast(ops.cast(labels, "float32") >= 0.5, "float32")


def predicted(scores):
    """Scores in float32, `-inf` where they are NaN."""
    scores = ops.cast(scores, "float32")
    return ops.where(ops.isnan(scores), -float("inf"), scores)
