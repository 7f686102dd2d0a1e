"""TimeSformer, ViT-B/16, divided space-time attention, 8 frames, on Kinetics-400.

    python recipes/timesformer_k400.py --workdir=runs/timesformer --config.data.root=/data/k400

Published top-1, one clip of three crops: 77.29 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/timesformer.md).
We have not trained it again. A step is 64 clips; a GPU that takes 8 of them at once needs
`--config.accumulate=8`, two such GPUs `--config.accumulate=4`.
`--config.model.arguments.remat=true` takes a quarter of the memory for activations and a quarter
more time; `--config.precision=mixed_bfloat16` (or `mixed_float16`) halves that memory.

Reference: Bertasius et al., "Is Space-Time Attention All You Need for Video Understanding?",
https://arxiv.org/abs/2102.05095
"""

from keras_video.data.transforms import JitterScale, RandomCrop, RandomFlip
from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 15
    config.batch_size = 64

    config.model.name = "TimeSformer"
    config.model.arguments.update(num_frames=8, drop_path=0.1)
    config.model.backbone = "vit_base_patch16_imagenet"

    config.schedule.name = "piecewise"
    config.schedule.update(learning_rate=0.005, boundaries=(11, 14), decay=0.1)
    # L2 on everything: norms, biases and embeddings too.
    config.optimizer.update(name="sgd", momentum=0.9, nesterov=True, weight_decay=1e-4)

    config.data.labels = "kinetics400"
    config.data.sampling = "timesformer"
    config.data.transforms = (
        JitterScale((256, 320), "opencv_linear"),
        RandomCrop(224),
        RandomFlip(),
    )
    config.preprocessor.update(num_frames=8, sampling="timesformer", short_side=224)
    config.preprocessor.update(crop="uniform", interpolation="opencv_linear")
    return config


if __name__ == "__main__":
    recipe.main(get_config)
