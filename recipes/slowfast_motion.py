"""SlowFast, ResNet-14 of half the width, on rendered motions that only time can tell apart.

The eight classes of `tsm_motion.py`: no single frame tells the two of a pair apart.

    python recipes/slowfast_motion.py --workdir=runs/slowfast_motion
    python recipes/slowfast_motion.py --workdir=runs/slow_only_motion --config.model.name=SlowOnly
    python recipes/slowfast_motion.py --workdir=runs/multigrid --config.multigrid.enabled=true

Expected top-1 on 400 unseen clips: at least 95 % by the first two commands, whose output README.md
next to this file shows. The third shows how multigrid training runs; its rates, four times as high
in large batches, were not tuned for adamw. Needs no data and no GPU.

Reference: Feichtenhofer et al., "SlowFast Networks for Video Recognition",
https://arxiv.org/abs/1812.03982
"""

from tsm_motion import make_data

from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 6
    config.batch_size = 32

    config.model.name = "SlowFast"
    config.model.arguments.update(num_frames=16, depth=14, width=16, image_size=48, dropout=0.2)
    # The models' own first weights suit long training only.
    config.model.arguments.zero_scale = False
    config.model.head_std = 0.1

    config.schedule.update(name="piecewise", learning_rate=3e-3, boundaries=(4, 5))
    config.schedule.warmup_epochs = 0.6
    config.optimizer.update(name="adamw", weight_decay=0.02)
    # Nine epochs, on clips of 8 frames of 24 and 34 pixels, and of 16 of 24, 34 and 48.
    config.multigrid.update(size=48, long_cycle=((0.5, 0.5**0.5), (1.0, 1.0)))

    config.data.arguments.update(train_clips=4096, test_clips=400)
    config.preprocessor.update(num_frames=16, short_side=48, crop_size=48)
    return config


if __name__ == "__main__":
    recipe.main(get_config, make_data)
