"""Measures how fast stored features become batches, against tf.data.

    python tools/benchmark.py features
    python tools/benchmark.py features --records=2000 --rounds=5

writes frame-level TFRecords as YouTube-8M's are, 2000 videos of 120 to 300 frames of 1024 + 128
codes, and reads an epoch of them in batches of 128 in training's order: `FeatureDataset`, and what
a user would write in tf.data, shuffled, parsed in parallel, with `padded_batch` or with
`bucket_by_sequence_length`. They take turns; medians over the rounds. Both check checksums, and
hand over codes and masks. Processor time counts all threads. Steps are the frames of all batches,
padding included: what a model has to compute.
"""

import os
import tempfile
import time

import numpy as np
from absl import flags
from rich.console import Console
from rich.table import Table

FLAGS = flags.FLAGS
flags.DEFINE_integer("records", 2000, "features: videos in the shards.", lower_bound=128)

BATCH = 128
WIDTHS = {"rgb": 1024, "audio": 128}
NUM_CLASSES = 3862
MAX_FRAMES, STEP = 300, 60


def benchmark_features(console: Console, rounds: int) -> None:
    """Prints the table."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        paths = write_shards(folder)
        contestants = {
            "FeatureDataset": ours(paths),
            "tf.data, padded_batch": tf_data(paths, bucketed=False),
            "tf.data, bucketed": tf_data(paths, bucketed=True),
        }
        size = sum(os.path.getsize(path) for path in paths) / 2**20
        title = (
            f"{FLAGS.records} videos, {size:.0f} MiB, batches of {BATCH}, {os.cpu_count()} cores"
        )
        show(console, title, run(contestants, rounds))


def write_shards(folder) -> list[str]:
    from keras_video.data import StoredFeatures, write_feature_shards

    def videos():
        rng = np.random.default_rng(0)
        for number in range(FLAGS.records):
            length = int(rng.integers(120, 301))
            arrays = {n: rng.integers(0, 256, (length, c), np.uint8) for n, c in WIDTHS.items()}
            yield StoredFeatures(f"v{number}", arrays, tuple(rng.integers(0, NUM_CLASSES, 3)))

    return write_feature_shards(videos(), folder, records_per_shard=250).paths


def ours(paths):
    from keras_video.data import FeatureDataset, read_feature_list

    data = FeatureDataset(
        read_feature_list(paths),
        num_classes=NUM_CLASSES,
        batch_size=BATCH,
        training=True,
        max_frames=MAX_FRAMES,
        length_step=STEP,
    )
    return lambda: data


def tf_data(paths, bucketed: bool):
    import tensorflow as tf

    def parse(record):
        context, lists = tf.io.parse_single_sequence_example(
            record,
            context_features={"labels": tf.io.VarLenFeature(tf.int64)},
            sequence_features={n: tf.io.FixedLenSequenceFeature([], tf.string) for n in WIDTHS},
        )
        inputs = {}
        for name, width in WIDTHS.items():
            codes = tf.io.decode_raw(lists[name], tf.uint8)[:MAX_FRAMES]
            inputs[name] = tf.ensure_shape(codes, (None, width))
            inputs[f"{name}_mask"] = tf.ones(tf.shape(codes)[:1], tf.bool)
        labels = tf.sparse.to_dense(context["labels"])
        return inputs, tf.reduce_max(tf.one_hot(labels, NUM_CLASSES), axis=0)

    def make():
        data = tf.data.Dataset.from_tensor_slices(paths).shuffle(len(paths))
        data = data.interleave(
            tf.data.TFRecordDataset, cycle_length=4, num_parallel_calls=tf.data.AUTOTUNE
        )
        data = data.shuffle(512).map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        if bucketed:
            bounds = list(range(STEP + 1, MAX_FRAMES + 1, STEP))
            data = data.bucket_by_sequence_length(
                lambda inputs, labels: tf.shape(inputs["rgb"])[0],
                bounds,
                [BATCH] * (len(bounds) + 1),
            )
        else:
            data = data.padded_batch(BATCH, drop_remainder=True)
        return data.prefetch(2).as_numpy_iterator()

    return make


def run(contestants: dict, rounds: int) -> dict[str, tuple[float, float, float]]:
    """Median seconds and processor seconds of a video, and steps of a video."""
    times, steps = {name: [] for name in contestants}, {}
    for turn in range(rounds + 1):
        for name, make in contestants.items():
            wall, cpu, records, padded = time.perf_counter(), time.process_time(), 0, 0
            for inputs, labels in make():
                records += len(labels)
                padded += inputs["rgb_mask"].size
            spent = (time.perf_counter() - wall, time.process_time() - cpu)
            if turn:
                times[name].append(np.array(spent) / records)
            steps[name] = padded / records
    return {name: (*np.median(spent, axis=0), steps[name]) for name, spent in times.items()}


def show(console: Console, title: str, results: dict) -> None:
    table = Table(title=title)
    for column in ("", "videos/s", "CPU ms/video", "steps/video", "wall ratio", "CPU ratio"):
        table.add_column(column, justify="right" if column else "left")
    first = next(iter(results.values()))
    for name, (wall, cpu, steps) in results.items():
        numbers = [f"{1 / wall:.0f}", f"{1e3 * cpu:.2f}", f"{steps:.0f}"]
        table.add_row(name, *numbers, f"{wall / first[0]:.2f}", f"{cpu / first[1]:.2f}")
    console.print(table)
