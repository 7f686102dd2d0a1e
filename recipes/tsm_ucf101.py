"""TSM on UCF101, from Kinetics-400.

    python recipes/tsm_ucf101.py --workdir=runs/tsm_ucf101 --config.data.root=/data/ucf101

Published top-1 on split 1, one view: 94.42 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/tsm.md);
94.40 % with `--config.precision=mixed_float16`. We have not trained it again. 4 GPUs of 16 clips.

Reference: Lin et al., "TSM: Temporal Shift Module for Efficient Video Understanding",
https://arxiv.org/abs/1811.08383
"""

from keras_video.data.transforms import MultiScaleCrop, RandomFlip
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 25
    config.batch_size = 64

    config.model.preset = "tsm_k400"
    config.model.arguments.dropout = 0.8

    config.schedule.name = "piecewise"
    config.schedule.update(learning_rate=0.001, boundaries=(10, 20), decay=0.1)
    config.optimizer.update(name="sgd", momentum=0.9, weight_decay=1e-4, clip_norm=20.0)
    # Decay is for the classifier's kernel alone.
    config.optimizer.rules = (
        ("^classifier/kernel$", 5.0, 1.0),
        ("^classifier/bias$", 10.0, 0.0),
        ("", 1.0, 0.0),
    )

    config.data.labels = "ucf101"
    config.data.sampling = "segment"
    config.data.transforms = (MultiScaleCrop(224), RandomFlip())
    return config


if __name__ == "__main__":
    recipe.main(get_config)
