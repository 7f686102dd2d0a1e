"""TSM, ResNet-18 of a quarter width, on rendered motions that only time can tell apart.

Eight classes in four pairs, left and right, up and down, the two rotations, in and out; a clip
backwards is a clip of the other class of its pair, so no single frame gives the answer away.

    python recipes/tsm_motion.py --workdir=runs/tsm_motion               # bundled tsm_tiny_motion
    python recipes/tsm_motion.py --workdir=runs/tsn_motion --model=tsn   # the same without shift

Expected top-1 on unseen clips: TSM 99 to 100 %; TSN 26 %, and 50 % at best, the pair and then a
coin. README.md next to this file shows what the two commands printed. Needs no data and no GPU:
six minutes of processor time, three to five minutes on two cores.

Reference: Lin et al., "TSM: Temporal Shift Module for Efficient Video Understanding",
https://arxiv.org/abs/1811.08383
"""

import io
import os
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from absl import app, flags

from keras_video.data import MOTION_CLASSES, VideoPreprocessor, render_motion_clip, write_video
from keras_video.models import TSM, TSN

MODELS = {"tsm": TSM, "tsn": TSN}
MIRRORED = np.array([1, 0, 2, 3, 5, 4, 6, 7])  # the class of a clip seen in a mirror
FIRST_TEST_SEED = 1_000_000

FLAGS = flags.FLAGS
flags.DEFINE_string("workdir", None, "Where the preset goes.", required=True)
flags.DEFINE_enum("model", "tsm", sorted(MODELS), "What to train.")
flags.DEFINE_integer("train_clips", 4096, "Clips to render for training.", lower_bound=1)
flags.DEFINE_integer("test_clips", 400, "Clips to render for the test.", lower_bound=1)
flags.DEFINE_integer("epochs", 6, "Passes over the training clips.", lower_bound=1)
flags.DEFINE_integer("batch_size", 32, "Clips in a step.", lower_bound=1)
flags.DEFINE_float("learning_rate", 4e-3, "Highest learning rate.", lower_bound=0)
flags.DEFINE_integer("seed", 0, "Of the initial weights and of the order.")


def record(seeds, preprocessor, num_frames, size):
    """Renders clips, writes them as H.264, and reads them as the model will: views and classes."""
    classes = np.array([seed % len(MOTION_CLASSES) for seed in seeds])

    def view(seed, class_id):
        video = io.BytesIO()
        write_video(video, render_motion_clip(MOTION_CLASSES[class_id], seed, num_frames, size))
        return preprocessor(video.getvalue())[0]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(view, seeds, classes))), classes


def batches(clips, classes, batch_size, rng):
    """Yields batches for ever, in new order each epoch: half mirrored, half played backwards."""
    while True:
        for chosen in np.array_split(rng.permutation(len(clips)), -(-len(clips) // batch_size)):
            batch, labels = clips[chosen], classes[chosen]
            mirror, reverse = rng.random((2, len(chosen))) < 0.5
            batch[mirror], labels[mirror] = batch[mirror, :, :, ::-1], MIRRORED[labels[mirror]]
            batch[reverse], labels[reverse] = batch[reverse, ::-1], labels[reverse] ^ 1
            yield batch, labels


def main(_):
    keras.utils.set_random_seed(FLAGS.seed)
    preprocessor = VideoPreprocessor(num_frames=8, short_side=64, crop_size=64)
    train = record(range(FLAGS.train_clips), preprocessor, num_frames=16, size=96)
    # Longer and larger than the training clips, like the videos of `keras-video demo`.
    test_seeds = range(FIRST_TEST_SEED, FIRST_TEST_SEED + FLAGS.test_clips)
    test_clips, test_classes = record(test_seeds, preprocessor, num_frames=50, size=192)

    arguments = dict(num_classes=8, num_frames=8, depth=18, width=16, image_size=64, dropout=0.2)
    if FLAGS.model == "tsm":
        arguments["shift_ratio"] = 1 / 4
    model = MODELS[FLAGS.model](**arguments)
    # The models start with a tiny head, which suits a pretrained backbone only.
    head = model.get_layer("classifier").kernel
    head.assign(keras.initializers.GlorotUniform()(head.shape))

    epoch_steps = -(-FLAGS.train_clips // FLAGS.batch_size)
    steps, warmup = FLAGS.epochs * epoch_steps, FLAGS.epochs * epoch_steps // 10
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=FLAGS.learning_rate, warmup_steps=warmup
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.02),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    data = batches(*train, FLAGS.batch_size, np.random.default_rng(FLAGS.seed))
    model.fit(data, steps_per_epoch=epoch_steps, epochs=FLAGS.epochs, shuffle=False, verbose=2)

    predicted = model.predict(test_clips, verbose=0).argmax(axis=-1)
    top1 = 100 * np.mean(predicted == test_classes)
    pair = 100 * np.mean(predicted // 2 == test_classes // 2)
    print(
        f"{FLAGS.model}: top-1 {top1:.2f} %, pair {pair:.2f} % of {len(predicted)} unseen clips, "
        f"{sum(np.prod(v.shape) for v in model.trainable_variables):,} parameters"
    )

    model.preprocessor, model.labels = preprocessor, MOTION_CLASSES
    path = os.path.join(FLAGS.workdir, "preset")
    model.save_to_preset(path, weights_dtype="float16", metadata={"metrics": {"top1": top1}})
    print(f"Saved to {path}")


if __name__ == "__main__":
    app.run(main)
