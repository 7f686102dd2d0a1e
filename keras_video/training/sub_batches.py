"""`sub_batches`: batch normalisation in parts of a batch, for a while."""

import contextlib
from collections.abc import Iterator

import keras

from keras_video._compat import layers_in_order
from keras_video.layers.batch_norm import BatchNorm


@contextlib.contextmanager
def sub_batches(model: keras.Model, num_splits: int) -> Iterator[None]:
    """A model whose batch normalisation divides its batches, as `BatchNorm.num_splits` says.

    What is traced meanwhile divides them ever after; the layers themselves are as before.

    Args:
        model: any; layers other than `keras_video.layers.BatchNorm` take no part.
        num_splits: sub-batches.

    Example:

    >>> with sub_batches(model, 8):
    ...     outputs = model(clips, training=True)
    """
    norms = [layer for layer in layers_in_order(model) if isinstance(layer, BatchNorm)]
    before = [norm.num_splits for norm in norms]
    try:
        for norm in norms:
            norm.num_splits = num_splits
        yield
    finally:
        for norm, value in zip(norms, before, strict=True):
            norm.num_splits = value
