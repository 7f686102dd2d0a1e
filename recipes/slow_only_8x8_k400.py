"""SlowOnly 8x8, ResNet-50, every eighth of 64 frames, on Kinetics-400.

    python recipes/slow_only_8x8_k400.py --workdir=runs/slow_only --config.data.root=/data/k400
    keras-video evaluate --preset runs/slow_only/preset --list /data/k400/val.list

Published top-1, ten clips of three crops: 74.80 % (PySlowFast,
https://github.com/facebookresearch/SlowFast/blob/main/MODEL_ZOO.md). We have not trained it again.
8 GPUs of 8 clips.

Reference: Feichtenhofer et al., "SlowFast Networks for Video Recognition",
https://arxiv.org/abs/1812.03982
"""

from keras_video.data.transforms import JitterScale, RandomCrop, RandomFlip
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 196
    config.batch_size = 64

    config.model.name = "SlowOnly"
    config.model.arguments.update(num_frames=8, depth=50, dropout=0.5)

    config.schedule.name = "warmup_cosine"
    config.schedule.update(learning_rate=0.1, warmup_epochs=34.0, warmup_start=0.01)
    config.optimizer.update(name="sgd", momentum=0.9, nesterov=True, weight_decay=1e-4)
    config.precise_batch_norm, config.precise_batch_norm_every = 200, 10
    config.evaluate_every = 10

    config.data.labels = "kinetics400"
    config.data.transforms = (JitterScale((256, 320)), RandomCrop(224), RandomFlip())
    config.preprocessor.update(num_frames=8, sampling="slowfast:8", num_clips=10)
    config.preprocessor.update(short_side=256, crop_size=256, crop="uniform")
    config.preprocessor.interpolation = "opencv_linear"
    return config


if __name__ == "__main__":
    recipe.main(get_config)
