"""SlowFast 8x8, ResNet-50, 32 frames, on Kinetics-400, on clips of growing length and size.

    python recipes/slowfast_8x8_k400_multigrid.py --workdir=runs/multigrid \
        --config.data.root=/data/k400
    keras-video evaluate --preset runs/multigrid/preset --list /data/k400/val.list

Published top-1, ten clips of three crops: 75.84 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/slowfast.md).
We have not trained it again. 8 GPUs of 8 full clips, or of 128 small ones. The plain schedule below
has 239 epochs; multigrid training stretches it to 358, each of which costs a fraction. Clips of few
frames may last as long as full ones and small crops show as much as large ones, as in PySlowFast;
`--config.multigrid.reference=true` does neither, as PaddleVideo.

Reference: Wu et al., "A Multigrid Method for Efficiently Training Video Models",
https://arxiv.org/abs/1912.00998
"""

from keras_video.data.transforms import JitterScale, RandomCrop, RandomFlip
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 239
    config.batch_size = 64
    config.multigrid.enabled = True

    config.model.name = "SlowFast"
    config.model.arguments.update(num_frames=32, depth=50, alpha=4, fusion_kernel=7, dropout=0.5)

    config.schedule.name = "piecewise"
    config.schedule.update(learning_rate=0.1, boundaries=(94, 154, 196), decay=0.1)
    config.schedule.update(warmup_epochs=34.0, warmup_start=0.01)
    config.optimizer.update(name="sgd", momentum=0.9, nesterov=True, weight_decay=1e-4)
    config.precise_batch_norm, config.precise_batch_norm_every = 200, 20
    config.evaluate_every = 20

    config.data.labels = "kinetics400"
    config.data.transforms = (JitterScale((256, 320)), RandomCrop(224), RandomFlip())
    config.preprocessor.update(num_frames=32, sampling="slowfast", num_clips=10)
    config.preprocessor.update(short_side=224, crop_size=224, crop="uniform")
    return config


if __name__ == "__main__":
    recipe.main(get_config)
