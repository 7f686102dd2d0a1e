"""A short run of `Trainer`, as a process to be killed: python run_trainer.py WORKDIR [OPTIONS].

Options are JSON: `strategy`, `dtype`, `epochs`, `ema`, `accumulate`; `die_at`, the batch at which
the worker `dying_worker` exits without a word; `nan_at`, a batch of NaN; `slow`, seconds to load a
batch; `trainer`, arguments of `Trainer`.
"""

import json
import os
import pathlib
import sys
import time

import keras
import numpy as np
from keras import ops

from keras_video.layers import ConvNorm, FoldTime, UnfoldTime
from keras_video.models import VideoClassifier

TESTS = pathlib.Path(__file__).parents[1]
CLASSES = 3


def worker_index() -> int:
    return json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {}).get("index", 0)


def clips(count: int, seed: int = 0, shape: tuple = (2, 12, 12, 3)):
    """Clips whose class is which of their colours is the brightest."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    clips = rng.integers(0, 100, (count, *shape), "uint8")
    clips[np.arange(count), ..., labels] += 100
    return clips, labels


class Steps:
    """A transform that counts clips, and does what a test wants at a certain one."""

    def __init__(self, options: dict, batch_size: int):
        self.options, self.batch_size, self.count = options, batch_size, 0

    def __call__(self, clip, rng):
        step = self.count // self.batch_size
        self.count += 1
        if "slow" in self.options:
            time.sleep(self.options["slow"] / self.batch_size)
        if self.options.get("die_at") == step and worker_index() == self.options["dying_worker"]:
            os._exit(9)
        clip = clip.astype("float32") + rng.normal(0, 3, clip.shape).astype("float32")
        return clip * np.nan if self.options.get("nan_at") == step else clip


@keras.saving.register_keras_serializable(package="tests")
class Colours(VideoClassifier):
    """What a run may have to keep, and not more: statistics of all replicas, and dropout."""

    def __init__(self, num_classes=CLASSES, dtype=None, name=None):
        clips = keras.Input((2, 12, 12, 3), name="clips")
        frames = FoldTime(name="fold")(keras.layers.Rescaling(1 / 64, -2, name="scale")(clips))
        # Without an activation at the end: TensorFlow's ReLU on CPUs may make 0 of NaN.
        for filters, activation in ((4, "relu"), (8, None)):
            norm = {"activation": activation, "synchronized": True, "name": f"conv{filters}"}
            frames = ConvNorm(filters, 3, strides=2, dtype=dtype, **norm)(frames)
        pool = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pool")
        features = ops.mean(UnfoldTime(2, dtype="float32", name="unfold")(pool(frames)), axis=1)
        features = keras.layers.Dropout(0.3, dtype="float32", name="dropout")(features)
        classifier = keras.layers.Dense(num_classes, dtype="float32", name="classifier")
        super().__init__(clips, classifier(features), dtype=dtype, name=name)
        self.num_classes = num_classes

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


def build(dtype: str = "float32"):
    keras.utils.set_random_seed(1)
    return Colours(dtype=dtype)


def make_trainer(workdir, **options):
    from keras_video.data import ArrayDataset
    from keras_video.training import (
        SGD,
        ClassificationEvaluator,
        Trainer,
        WarmupCosine,
        input_shards,
        make_strategy,
    )

    strategy = make_strategy(options.get("strategy", "one_device"))
    shards = dict(zip(("num_shards", "shard_index"), input_shards(strategy), strict=True))
    batch_size = 8 // shards["num_shards"]
    data = ArrayDataset(
        *clips(40), batch_size=batch_size, training=True,
        transforms=[Steps(options, batch_size)], **shards,
    )  # fmt: skip
    validation = ArrayDataset(*clips(14, 1), batch_size=batch_size, last_batch="pad", **shards)
    epochs = options.get("epochs", 3)
    with strategy.scope():
        model = build(options.get("dtype", "float32"))
        rate = WarmupCosine(0.05, epochs, steps_per_epoch=data.batches_in_epoch, warmup_epochs=1)
        optimizer = SGD(rate, l2=1e-4, nesterov=True, use_ema=options.get("ema", False))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, metrics=["accuracy"])
    return Trainer(
        model,
        data,
        workdir=workdir,
        num_epochs=epochs,
        strategy=strategy,
        accumulate=options.get("accumulate", 1),
        checkpoint_every=3,
        **{
            "log_every": 2,
            "config": {"epochs": epochs},
            "evaluator": ClassificationEvaluator(model, validation),
            **options.get("trainer", {}),
        },
    )


if __name__ == "__main__":
    options = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    print("RESULT", json.dumps(make_trainer(sys.argv[1], **options).run()))
