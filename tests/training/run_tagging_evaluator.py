"""`TaggingEvaluator` on fixed answers; as a worker of TF_CONFIG it prints what it found."""

import json

import keras
import numpy as np
import tensorflow as tf

CLASSES = 7


def answers(count: int = 23, seed: int = 0):
    """Labels of videos, and the logits of a model for them."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((count, CLASSES)) < 0.3).astype("float32")
    return labels, (rng.normal(0, 2, (count, CLASSES)) + labels).astype("float32")


def answering(logits: np.ndarray) -> keras.Model:
    """A model whose answer to features that hold the number `i` is row `i`."""
    inputs = {
        "number": keras.Input((None, 1), name="number"),
        "number_mask": keras.Input((None,), dtype="bool", name="number_mask"),
    }
    table = keras.layers.Embedding(
        *logits.shape, embeddings_initializer=lambda shape, dtype: tf.cast(logits, dtype)
    )
    number = keras.ops.max(inputs["number"], axis=(1, 2))
    nothing = 0.0 * keras.ops.cast(keras.ops.any(inputs["number_mask"], axis=1), "float32")
    return keras.Model(inputs, table(number) + nothing[:, None])


def numbered(labels: np.ndarray, **options):
    """A data set of such features."""
    from keras_video.data import ArrayDataset

    number = np.repeat(np.arange(len(labels), dtype="float32"), 3).reshape(-1, 3, 1)
    mask = np.ones(number.shape[:2], bool)
    return ArrayDataset({"number": number, "number_mask": mask}, labels, **options)


def main() -> None:
    from keras_video.training import TaggingEvaluator, input_shards, make_strategy
    from keras_video.training.replicas import gathering_workers

    strategy = make_strategy("multi_worker")
    num_shards, shard_index = input_shards(strategy)
    labels, logits = answers()
    with strategy.scope():
        model = answering(logits)
    for map_top_k in (None, 3):
        data = numbered(
            labels, batch_size=4, last_batch="pad", num_shards=num_shards, shard_index=shard_index
        )
        evaluator = TaggingEvaluator(model, data, top_k=4, map_top_k=map_top_k)
        # So that the two have to exchange their rows in several parts.
        evaluator._gather = gathering_workers(strategy, numbers=64)
        result = evaluator.evaluate()
        print("RESULT", json.dumps([result, evaluator.positives.tolist()]))


if __name__ == "__main__":
    main()
