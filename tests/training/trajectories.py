"""The losses of a few training steps of a tiny network, wherever it trains. Run as a worker too:

TF_CONFIG=... python trajectories.py
"""

import functools
import json
import os
import sys

import keras
import numpy as np

PRECISIONS = ("float32", "mixed_bfloat16")
# (precision, XLA, micro-batches)
CASES = [
    (precision, xla, accumulate)
    for precision in PRECISIONS
    for xla in (False, True)
    for accumulate in (1, 2)
]
STEPS = 5
BATCH_SIZE = 8
SHAPE = (4, 16, 16, 3)


def build(precision: str):
    """Everything that may differ between replicas: shift, synchronised statistics, both folds."""
    from keras_video.layers import ConvNorm, FoldTime, TemporalShift, UnfoldTime

    keras.utils.set_random_seed(3)
    clips = keras.Input(SHAPE)
    frames = FoldTime()(keras.layers.Rescaling(1 / 64, -2, dtype=precision)(clips))
    for filters in (6, 8):
        frames = ConvNorm(
            filters, 3, strides=2, activation="relu", synchronized=True, dtype=precision
        )(TemporalShift(num_frames=4, dtype=precision)(frames))
    features = keras.layers.GlobalAveragePooling2D(dtype="float32")(frames)
    features = keras.ops.mean(UnfoldTime(4)(features), axis=1)
    model = keras.Model(clips, keras.layers.Dense(5, dtype="float32")(features))
    model.dtype_policy = keras.dtype_policies.get(precision)
    return model


def build_pathways():
    """What SlowFast is made of, once each: a whole one takes minutes to trace on two replicas."""
    from keras_video.layers import ConvNorm3D
    from keras_video.models.slowfast.slow_frames import SlowFrames

    def conv(filters, kernel_size, strides=(1, 1, 1)):
        return ConvNorm3D(filters, kernel_size, strides, activation="relu", synchronized=True)

    keras.utils.set_random_seed(3)
    clips = keras.Input((8, 32, 32, 3))
    x = keras.layers.Rescaling(1 / 64, -2)(clips)
    slow = conv(8, (1, 3, 3), (1, 2, 2))(SlowFrames(4, "linspace")(x))
    fast = conv(4, (5, 3, 3), (1, 2, 2))(x)
    slow = keras.layers.Concatenate()([slow, conv(6, (5, 1, 1), (4, 1, 1))(fast)])
    pathways = [conv(8, (1, 3, 3))(slow), conv(4, (3, 1, 1))(fast)]
    features = [keras.layers.GlobalAveragePooling3D()(pathway) for pathway in pathways]
    return keras.Model(clips, keras.layers.Dense(5)(keras.layers.Concatenate()(features)))


def batches(num_shards: int = 1, shard_index: int = 0, shape=SHAPE, steps=STEPS):
    from keras_video.data import ArrayDataset

    clips = np.random.default_rng(0).integers(0, 255, (steps * BATCH_SIZE, *shape), "uint8")
    return ArrayDataset(
        clips,
        np.arange(len(clips)) % 5,
        batch_size=BATCH_SIZE // num_shards,
        training=True,
        num_shards=num_shards,
        shard_index=shard_index,
    )


def trajectory(strategy, precision: str, xla: bool, accumulate: int, clip: float = 1.0):
    """The losses of five steps with momentum, clipping and synchronised batch statistics."""
    import tensorflow as tf

    from keras_video.training import SGD, TrainStep, input_shards
    from keras_video.training.replicas import share_out, summed

    with strategy.scope():
        model = build(precision)
        optimizer = SGD(0.02, l2=1e-4, global_clipnorm=clip)
        model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.optimizer.build(model.trainable_variables)
    step = TrainStep(model, xla=xla, accumulate=accumulate)
    replicas = strategy.num_replicas_in_sync
    train = summed(strategy, lambda batch: step(batch)[0] / replicas)
    try:
        data = batches(*input_shards(strategy))
        return [float(train(share_out(batch, strategy))) for batch in data]
    finally:
        tf.config.optimizer.set_jit(False)


def pathways_trajectory(strategy) -> list[float]:
    """The losses of two pathways, whose second step normalises two sub-batches."""
    from keras_video.training import SGD, TrainStep, input_shards
    from keras_video.training.replicas import share_out, summed
    from keras_video.training.sub_batches import sub_batches

    with strategy.scope():
        model = build_pathways()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(SGD(0.1, nesterov=True), loss)
        model.optimizer.build(model.trainable_variables)
    step = TrainStep(model, xla=False)
    replicas = strategy.num_replicas_in_sync
    train = {
        num_splits: summed(
            strategy,
            lambda batch: step(batch)[0] / replicas,
            functools.partial(sub_batches, model, num_splits),
        )
        for num_splits in (1, 2)
    }
    data = batches(*input_shards(strategy), shape=(8, 32, 32, 3), steps=3)
    return [
        float(train[num_splits](share_out(batch, strategy)))
        for num_splits, batch in zip((1, 2, 1), data, strict=True)
    ]


def main() -> None:
    from keras_video.training import make_strategy

    strategy = make_strategy("multi_worker")
    losses = [trajectory(strategy, *case) for case in CASES]
    print("LOSSES", json.dumps(losses), flush=True)
    print("PATHWAYS", json.dumps(pathways_trajectory(strategy)), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("TF_XLA_FLAGS", "--tf_xla_cpu_global_jit")
    sys.exit(main())
