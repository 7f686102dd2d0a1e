"""TSM, ResNet-50, 8 frames, on Kinetics-400.

    python recipes/tsm_k400.py --workdir=runs/tsm_k400 --config.data.root=/data/k400

Published top-1, one view: 71.06 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/tsm.md).
We have not trained it again. 8 GPUs of 16 clips.

Reference: Lin et al., "TSM: Temporal Shift Module for Efficient Video Understanding",
https://arxiv.org/abs/1811.08383
"""

from keras_video.data.transforms import MultiScaleCrop, RandomFlip
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 50
    config.batch_size = 128

    config.model.name = "TSM"
    config.model.arguments.update(num_frames=8, depth=50, dropout=0.5)
    config.model.backbone = "resnet50_imagenet"

    config.schedule.name = "piecewise"
    config.schedule.update(learning_rate=0.02, boundaries=(20, 40), decay=0.1)
    config.optimizer.update(name="sgd", momentum=0.9, weight_decay=1e-4, clip_norm=20.0)

    config.data.labels = "kinetics400"
    config.data.sampling = "segment"
    config.data.transforms = (MultiScaleCrop(224), RandomFlip())
    config.preprocessor.update(num_frames=8, sampling="segment")
    return config


if __name__ == "__main__":
    recipe.main(get_config)
