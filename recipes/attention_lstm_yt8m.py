"""AttentionLSTM on YouTube-8M: 3862 labels by features of frames and of sound.

    python recipes/attention_lstm_yt8m.py --workdir=runs/yt8m --config.data.root=/data/yt8m

`data.root` has the official frame-level shards, `train*.tfrecord` and `validate*.tfrecord`, in
whatever folders below it (https://research.google.com/youtube8m/download.html). `keras-video
dataset yt8m /data/yt8m` says whether they are whole. Other features, with their numbers of
channels and their labels: `--config.model.arguments.features="{'clip': 512}"
--config.data.arguments.num_classes=20 --config.data.train=train.list --config.data.val=val.list`,
and `--config.model.arguments.feature_range=none` where they are numbers instead of 8-bit codes.

Published: GAP 86.30 %, Hit@1 89.05 %, PERR 80.49 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/recognition/attention_lstm.md),
means over batches; ours are those of the whole set. We have not trained it again. A step is 1024
videos, 128 on each of eight GPUs; one that takes 128 at once needs `--config.accumulate=8`.

What the published numbers become here. PaddleVideo adds up the losses of a GPU's 128 videos and
averages over GPUs, so its gradient is 128 times that of our loss, the mean over videos. RMSProp
doesn't mind: gradients are divided by their own size. But the decay that is added to the gradient,
4e-4, must be a 128th, 3.125e-6, and epsilon, 1e-6, which is added to squares, a 128th of a 128th.
The steps are then the same, at whatever batch size, which no longer changes the balance of loss
and decay. (The learning rate is that of 1024 videos; as ever, others may want another.)

Reference: Long et al., "Attention Clusters", https://arxiv.org/abs/1711.09550; Abu-El-Haija et al.,
"YouTube-8M", https://arxiv.org/abs/1609.08675
"""

from keras_video.losses import MultiLabelCrossentropy
from keras_video.metrics import HitAtOne
from keras_video.training import TaggingEvaluator, recipe
from keras_video.training.recipe_features import make_feature_data

VIDEOS_OF_A_GPU = 128


def get_config():
    config = recipe.default_config()
    config.num_epochs = 10
    config.batch_size = 8 * VIDEOS_OF_A_GPU

    config.model.name = "AttentionLSTM"
    config.model.arguments.update(features={"rgb": 1024, "audio": 128}, dropout=0.5)

    config.schedule.name = "piecewise"
    config.schedule.update(learning_rate=2.5e-4, boundaries=(5, 8), decay=0.1)
    config.optimizer.update(name="rmsprop", weight_decay=4e-4 / VIDEOS_OF_A_GPU)
    config.optimizer.arguments.update(centered=True, rho=0.95, epsilon=1e-6 / VIDEOS_OF_A_GPU**2)

    config.data.update(train="train*.tfrecord", val="validate*.tfrecord")
    config.data.arguments.update(num_classes=3862, max_frames=512)
    config.monitor = "gap"
    return config


def make_loss(config, model):
    loss = MultiLabelCrossentropy(label_smoothing=config.loss.label_smoothing)
    return {"loss": loss, "metrics": [HitAtOne()]}


def make_evaluator(recipe):
    # The precision of classes by the 20 best of each video, as in the code of YouTube-8M: all
    # 3862 of a million videos would take 22 GB.
    return TaggingEvaluator(recipe.model, recipe.val, strategy=recipe.strategy, map_top_k=20)


if __name__ == "__main__":
    recipe.main(get_config, make_feature_data, make_loss=make_loss, make_evaluator=make_evaluator)
