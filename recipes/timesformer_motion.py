"""TimeSformer of two layers, from nothing, on rendered motions that only time can tell apart.

The eight classes of `tsm_motion.py`: no single frame tells the two of a pair apart.

    python recipes/timesformer_motion.py --workdir=runs/all

learns those that slide and those that zoom. The two rotations take further stages: close-ups of
rotations alone, then parts of their videos of every size beside all whole ones. README.md next to
this file has the commands and what they printed: 95.25 % of 400 unseen clips at the end.
Needs no data and no GPU: half an hour on two cores.

Reference: Bertasius et al., "Is Space-Time Attention All You Need for Video Understanding?",
https://arxiv.org/abs/2102.05095
"""

from functools import partial

import numpy as np
import tsm_motion
from PIL import Image

from keras_video import data
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 12
    config.batch_size = 16

    config.model.name = "TimeSformer"
    config.model.arguments.update(num_frames=8, image_size=32, patch_size=4, hidden_dim=64)
    config.model.arguments.update(num_layers=2, num_heads=4, mlp_ratio=2.0, drop_path=0.0)

    config.schedule.update(name="warmup_cosine", learning_rate=2e-3, warmup_epochs=1.0)
    config.optimizer.update(name="adamw", weight_decay=0.02, clip_norm=1.0)
    config.optimizer.arguments.beta_2 = 0.98

    config.data.arguments.update(train_clips=4096, turns=0, any_part=True, test_clips=400)
    config.preprocessor.update(num_frames=8, short_side=32, crop_size=32)
    return config


def make_data(config, train_options, val_options):
    """The data of `tsm_motion.py`, and `data.arguments.turns` parts of videos of rotations."""
    arguments, more, test = config.data.arguments, [], None
    render = partial(
        tsm_motion.render,
        preprocessor=data.VideoPreprocessor(**config.preprocessor),
        change=partial(around_what_moves, any_part=arguments.any_part),
    )
    if arguments.turns:
        more = [render(rotations(0, 4 * arguments.turns), num_frames=16, size=96)]
    if not arguments.train_clips:  # Tested is what is trained on: only rotations, only parts.
        seeds = rotations(tsm_motion.FIRST_TEST_SEED, arguments.test_clips)
        test = render(seeds, num_frames=50, size=192)
    return tsm_motion.make_data(config, train_options, val_options, more, test)


def rotations(first, count):
    """Of so many seeds those of rotations: every fourth."""
    classes = data.MOTION_CLASSES
    return [s for s in range(first, first + count) if "rotating" in classes[s % len(classes)]]


def around_what_moves(frames, seed, any_part=False):
    """A square with most of what changes: as small and central as may be, or drawn from `seed`."""
    size = frames.shape[1]
    changes = frames.mean(axis=-1)
    changes = (changes - changes.mean(axis=(1, 2), keepdims=True)).std(axis=0)
    # Noise is not motion: of single pixels it is as strong.
    coarse = Image.fromarray(changes.astype("float32")).resize((size // 4,) * 2, Image.BOX)
    changes = np.asarray(coarse.resize((size, size), Image.BILINEAR))
    spans = [(p.min(), p.max() + 1) for p in np.nonzero(changes > 0.35 * changes.max())]
    side = min(size, int(1.15 * max(last - first for first, last in spans) + 1))
    if any_part:
        rng = np.random.default_rng(seed)
        side = rng.integers(side, size, endpoint=True)
        top, left = (
            rng.integers(max(0, last - side), min(first, size - side), endpoint=True)
            for first, last in spans
        )
    else:
        top, left = (min(max(0, (first + last - side) // 2), size - side) for first, last in spans)
    return np.ascontiguousarray(frames[:, top : top + side, left : left + side])


if __name__ == "__main__":
    recipe.main(get_config, make_data)
