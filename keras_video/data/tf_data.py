"""A `VideoDataset` as a `tf.data.Dataset`."""

from keras_video.data.array_tree import map_arrays


def make_tf_data(dataset, cardinality: int | None, device: str | None = None):
    """Wraps a data set's own iteration; see `BatchDataset.to_tf_data`."""
    import tensorflow as tf

    if dataset.varies:
        raise ValueError(
            "A tf.data.Dataset wants batches of one shape: without a schedule of `shapes`. "
            "Received: a data set with one"
        )
    signature = map_arrays(lambda like: tf.TensorSpec(like.shape, like.dtype), dataset.signature())
    data = tf.data.Dataset.from_generator(lambda: iter(dataset), output_signature=signature)
    if cardinality is not None:
        data = data.apply(tf.data.experimental.assert_cardinality(cardinality))
    options = tf.data.Options()
    options.deterministic = True
    # Every worker reads its own shard already.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    data = data.with_options(options)
    if device is None:
        return data.prefetch(1)
    return data.apply(tf.data.experimental.prefetch_to_device(device, buffer_size=1))
