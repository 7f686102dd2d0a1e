"""TSN, ResNet-50, 3 frames, on Kinetics-400.

    python recipes/tsn_k400.py --workdir=runs/tsn_k400 --config.data.root=/data/k400
    keras-video evaluate --preset runs/tsn_k400/preset --list /data/k400/val.list

Published top-1 with 25 frames and ten crops: 69.81 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/tsn.md).
We have not trained it again. 4 GPUs of 32 clips.

Reference: Wang et al., "Temporal Segment Networks", https://arxiv.org/abs/1608.00859
"""

from keras_video.data.transforms import MultiScaleCrop, RandomFlip, ShortSideScale
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 100
    config.batch_size = 128

    config.model.name = "TSN"
    config.model.arguments.update(num_frames=3, depth=50, dropout=0.4)
    config.model.backbone = "resnet50_imagenet"

    config.schedule.name = "piecewise"
    config.schedule.update(learning_rate=0.01, boundaries=(40, 80), decay=0.1)
    config.optimizer.update(name="sgd", momentum=0.9, weight_decay=1e-4, clip_norm=40.0)

    config.data.labels = "kinetics400"
    config.data.sampling = "segment"
    config.data.transforms = (
        ShortSideScale(256, interpolation="opencv_linear", rounding="nearest"),
        MultiScaleCrop(224, more_places=False, interpolation="opencv_linear"),
        RandomFlip(),
    )
    # The finished preset looks at 25 frames in ten crops; validation at 3 in the center crop.
    config.preprocessor.update(num_frames=25, sampling="segment", crop="ten")
    config.preprocessor.update(interpolation="opencv_linear", rounding="nearest")
    return config


if __name__ == "__main__":
    recipe.main(get_config)
