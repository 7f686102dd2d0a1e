"""SlowFast 4x16, ResNet-50, 32 frames, on Kinetics-400.

    python recipes/slowfast_4x16_k400.py --workdir=runs/slowfast --config.data.root=/data/k400
    keras-video evaluate --preset runs/slowfast/preset --list /data/k400/val.list

Published top-1, ten clips of three crops: 74.35 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/slowfast.md).
We have not trained it again. 8 GPUs of 8 clips.

Reference: Feichtenhofer et al., "SlowFast Networks for Video Recognition",
https://arxiv.org/abs/1812.03982
"""

from keras_video.data.transforms import JitterScale, RandomCrop, RandomFlip
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 196
    config.batch_size = 64

    config.model.name = "SlowFast"
    config.model.arguments.update(num_frames=32, depth=50, alpha=8, fusion_kernel=5, dropout=0.5)

    config.schedule.name = "warmup_cosine"
    config.schedule.update(learning_rate=0.1, warmup_epochs=34.0, warmup_start=0.01)
    config.optimizer.update(name="sgd", momentum=0.9, nesterov=True, weight_decay=1e-4)
    config.precise_batch_norm, config.precise_batch_norm_every = 200, 10
    config.evaluate_every = 10

    config.data.labels = "kinetics400"
    config.data.transforms = (JitterScale((256, 320)), RandomCrop(224), RandomFlip())
    config.preprocessor.update(num_frames=32, sampling="slowfast", num_clips=10)
    config.preprocessor.update(short_side=256, crop_size=256, crop="uniform")
    return config


if __name__ == "__main__":
    recipe.main(get_config)
