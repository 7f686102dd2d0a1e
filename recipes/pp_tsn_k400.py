"""PP-TSN, ResNet-50-vd, 3 frames, on Kinetics-400.

    python recipes/pp_tsn_k400.py --workdir=runs/pp_tsn_k400 --config.data.root=/data/k400
    keras-video evaluate --preset runs/pp_tsn_k400/preset --list /data/k400/val.list

Published top-1 with 25 frames and ten crops: 73.68 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/pp-tsn.md).
We have not trained it again. The reference gives 32 clips for each GPU, not the number of GPUs;
4 as for its TSN is our assumption.

Reference: PaddleVideo, https://github.com/PaddlePaddle/PaddleVideo
"""

from keras_video.data.transforms import MixUp, MultiScaleCrop, RandomFlip, ShortSideScale
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 100
    config.batch_size = 128

    config.model.name = "PPTSN"
    config.model.arguments.update(num_frames=3, depth=50, dropout=0.4)
    config.model.backbone = "resnet50_vd_ssld_v2"

    config.schedule.name = "warmup_cosine"
    config.schedule.update(learning_rate=0.01, warmup_epochs=10.0, warmup_start=0.005)
    config.optimizer.update(name="sgd", momentum=0.9, nesterov=True, weight_decay=1e-4)
    config.loss.label_smoothing = 0.1

    config.data.labels = "kinetics400"
    config.data.sampling = "segment"
    config.data.transforms = (
        ShortSideScale(256, interpolation="opencv_linear", rounding="nearest"),
        MultiScaleCrop(224, interpolation="opencv_linear"),
        RandomFlip(),
    )
    config.data.batch_transform = MixUp(0.2)
    # The finished preset looks at 25 frames in ten crops; validation at 3 in the center crop.
    config.preprocessor.update(num_frames=25, sampling="segment", crop="ten")
    config.preprocessor.update(interpolation="opencv_linear", rounding="nearest")
    return config


if __name__ == "__main__":
    recipe.main(get_config)
