"""PP-TSM, ResNet-50-vd, 8 frames out of 64, dense sampling, on Kinetics-400.

    python recipes/pp_tsm_k400_dense.py --workdir=runs/pp_tsm_dense --config.data.root=/data/k400
    keras-video evaluate --preset runs/pp_tsm_dense/preset --list /data/k400/val.list

Published top-1, ten clips of three crops: 75.69 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/pp-tsm.md).
We have not trained it again. 8 GPUs of 16 clips.

Reference: PaddleVideo, https://github.com/PaddlePaddle/PaddleVideo
"""

from keras_video.data.transforms import (
    MixUp,
    MultiScaleCrop,
    RandomCrop,
    RandomFlip,
    ShortSideScale,
)
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 80
    config.batch_size = 128

    config.model.name = "PPTSM"
    config.model.arguments.update(num_frames=8, depth=50, dropout=0.5)
    config.model.backbone = "resnet50_vd_ssld_v2"

    config.schedule.name = "warmup_cosine"
    config.schedule.update(learning_rate=0.02, warmup_epochs=10.0, warmup_start=0.01)
    config.optimizer.update(name="sgd", momentum=0.9, nesterov=True, weight_decay=1e-4)
    config.loss.label_smoothing = 0.1
    config.precise_batch_norm, config.precise_batch_norm_every = 200, 5

    config.data.labels = "kinetics400"
    config.data.sampling = "dense"
    config.data.transforms = (
        ShortSideScale(256, aspect_ratio=4 / 3),
        MultiScaleCrop(256),
        RandomCrop(224),
        RandomFlip(),
    )
    config.data.batch_transform = MixUp(0.2)
    # As the reference validates; its test, and the finished preset, take 10 dense clips of 3 crops.
    config.data.val_sampling = "uniform"
    config.preprocessor.update(num_frames=8, sampling="dense", num_clips=10, crop="three")
    config.preprocessor.aspect_ratio = 4 / 3
    return config


if __name__ == "__main__":
    recipe.main(get_config)
