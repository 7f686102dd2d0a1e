"""`ProposalEvaluator` on fixed answers; as a worker of TF_CONFIG it prints what it found."""

import json

import keras
import numpy as np
import tensorflow as tf

from keras_video.localization import Action, AnnotatedVideo

STEPS = 10
VIDEOS = 11


def answers(count: int = VIDEOS, seed: int = 0) -> dict[str, np.ndarray]:
    """What a model says of videos."""
    rng = np.random.default_rng(seed)
    return {
        "starts": rng.random((count, STEPS), "float32"),
        "ends": rng.random((count, STEPS), "float32"),
        "confidence": rng.random((count, STEPS, STEPS, 2), "float32"),
    }


def annotated(count: int = VIDEOS) -> list[AnnotatedVideo]:
    """Of different durations; the third has no actions."""
    rng, videos = np.random.default_rng(1), []
    for number in range(count):
        duration = float(rng.uniform(5, 90))
        times = np.sort(rng.uniform(0, duration, (1 + number % 3, 2))).tolist()
        actions = [] if number == 2 else [Action(start, end, "any") for start, end in times]
        videos.append(AnnotatedVideo(f"video {number}", duration, "val", actions))
    return videos


def answering(outputs: dict[str, np.ndarray]) -> keras.Model:
    """A model whose answer to features that hold the number `i` is row `i`."""
    features = keras.Input((1, 1), name="features")
    number = features[:, 0, 0]
    said = {}
    for name, array in outputs.items():
        rows = array.reshape(len(array), -1)
        table = keras.layers.Embedding(
            *rows.shape, embeddings_initializer=lambda shape, dtype, rows=rows: tf.cast(rows, dtype)
        )
        said[name] = keras.ops.reshape(table(number), (-1, *array.shape[1:]))
    model = keras.Model({"features": features}, said)
    model.map_layout, model.num_frames = "duration_start", STEPS
    return model


def numbered(count: int = VIDEOS, **options):
    """A data set of such features."""
    from keras_video.data import ArrayDataset

    number = np.arange(count, dtype="float32").reshape(-1, 1, 1)
    return ArrayDataset({"features": number}, np.zeros((count, 2), "float32"), **options)


def main() -> None:
    from keras_video.training import ProposalEvaluator, input_shards, make_strategy
    from keras_video.training.replicas import gathering_workers

    strategy = make_strategy("multi_worker")
    num_shards, shard_index = input_shards(strategy)
    with strategy.scope():
        model = answering(answers())
    data = numbered(batch_size=2, last_batch="pad", num_shards=num_shards, shard_index=shard_index)
    evaluator = ProposalEvaluator(model, data, annotated(), strategy=strategy)
    # So that the two have to exchange their rows in several parts.
    evaluator._gather = gathering_workers(strategy, numbers=64)
    print("RESULT", json.dumps(evaluator.evaluate()))


if __name__ == "__main__":
    main()
