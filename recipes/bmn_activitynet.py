"""BMN on ActivityNet 1.3: segments in which something happens, by features of whole videos.

    python recipes/bmn_activitynet.py --workdir=runs/bmn --config.data.root=/data/activitynet

`data.root` has the annotations, `activitynet_1.3_annotations.json`, and a folder `fix_feat_100` of
features, `VIDEO.npy` `(100, 400)` of each video: PaddleVideo's two-stream TSN features
(https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/dataset/ActivityNet.md). The
official annotations do as well, `--config.data.train=activity_net.v1-3.min.json
--config.data.val=activity_net.v1-3.min.json`, and so do features of another number of steps and,
with `--config.model.arguments.feature_dim=2048`, of channels, in whatever folder:
`--config.data.arguments.features=FOLDER`. Videos that have no features any more are left out with
`--config.data.arguments.missing=skip`.

Published: AUC 67.23 %; AR@1 33.26 %, AR@5 49.48 %, AR@10 56.86 %, AR@100 75.19 % (PaddleVideo,
https://github.com/PaddlePaddle/PaddleVideo/blob/develop/docs/en/model_zoo/localization/bmn.md).
We have not trained it again.

A step is 16 videos, 4 on each of four GPUs, and the losses balance the segments of a GPU's videos:
on one device, `--config.accumulate=4` gives the published gradients. PaddleVideo's learning rate
falls at step 4200, in the seventh of nine epochs as its data set is; here at the end of that epoch,
whatever the data. Its decay is part of the gradient, as in our `adam`.

Reference: Lin et al., "BMN: Boundary-Matching Network for Temporal Action Proposal Generation",
https://arxiv.org/abs/1907.09702
"""

from keras_video.losses import BoundaryLoss, SegmentConfidenceLoss
from keras_video.training import ProposalEvaluator, recipe
from keras_video.training.recipe_segments import make_segment_data


def get_config():
    config = recipe.default_config()
    config.num_epochs = 9
    config.batch_size = 4 * 4

    config.model.name = "BMN"
    config.model.arguments.update(feature_dim=400, num_frames=100)

    config.schedule.name = "piecewise"
    config.schedule.update(learning_rate=1e-3, boundaries=(7,), decay=0.1)
    config.optimizer.update(name="adam", weight_decay=1e-4)

    config.data.train = config.data.val = "activitynet_1.3_annotations.json"
    config.data.arguments.update(features="fix_feat_100", missing="error", invalid="skip")
    config.monitor = "auc"
    return config


def make_loss(config, model):
    boundaries = {"starts": BoundaryLoss(), "ends": BoundaryLoss()}
    return {"loss": {**boundaries, "confidence": SegmentConfidenceLoss()}}


def make_evaluator(recipe):
    return ProposalEvaluator(recipe.model, recipe.val, strategy=recipe.strategy)


if __name__ == "__main__":
    recipe.main(get_config, make_segment_data, make_loss=make_loss, make_evaluator=make_evaluator)
