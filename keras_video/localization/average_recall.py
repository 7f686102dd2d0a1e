"""`average_recall`: how many actions proposals find, by the number of proposals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_video.localization.action import Action
from keras_video.localization.detection import Detection
from keras_video.localization.evaluated_videos import DEFAULT_THRESHOLDS, best_first, check_videos
from keras_video.localization.proposal import Proposal
from keras_video.localization.segments import checked_thresholds, times
from keras_video.localization.temporal_iou import temporal_iou

POINTS = 100


@dataclass(frozen=True)
class AverageRecall:
    """Recall against the average number of proposals a video (AR@AN), in percent.

    Attributes:
        thresholds: temporal IoUs, `(thresholds,)`.
        proposals_per_video: the curve's numbers of proposals, `(100,)`, the last is the highest.
        recall_per_threshold: recall in percent, `(thresholds, 100)`.

    Example:

    >>> found = average_recall({"a": [Proposal(0.0, 9.0, 0.8)]}, {"a": [Action(0.0, 10.0, "run")]})
    >>> found.at(100), found.auc
    (90.0, 89.1)
    """

    thresholds: np.ndarray
    proposals_per_video: np.ndarray
    recall_per_threshold: np.ndarray

    @property
    def recall(self) -> np.ndarray:
        """The curve: recall in percent, averaged over the thresholds, `(100,)`."""
        return self.recall_per_threshold.mean(axis=0)

    @property
    def auc(self) -> float:
        """Area under the curve from its first to its last point, over the last number: percent."""
        steps, recall = np.diff(self.proposals_per_video), self.recall
        area = np.sum(steps * (recall[1:] + recall[:-1])) / 2
        return float(area / self.proposals_per_video[-1])

    def at(self, proposals: float) -> float:
        """AR@AN: recall in percent with so many proposals a video on average.

        Between two points of the curve, the value lies on the line between them.

        Raises:
            ValueError: a number of proposals before the curve's first or after its last one.
        """
        first, last = self.proposals_per_video[[0, -1]]
        # 100 * 0.29 is a little less than 29.
        if not first * (1 - 1e-9) <= proposals <= last * (1 + 1e-9):
            raise ValueError(
                f"The curve goes from {first:g} to {last:g} proposals a video. "
                f"Received: proposals={proposals!r}"
            )
        return float(np.interp(proposals, self.proposals_per_video, self.recall))


def average_recall(
    proposals: Mapping[str, Sequence[Proposal | Detection]],
    truth: Mapping[str, Sequence[Action]],
    max_proposals: float = 100,
    thresholds: Sequence[float] = DEFAULT_THRESHOLDS,
) -> AverageRecall:
    """AR@AN and AUC, equal to ActivityNet's official evaluation of proposals.

    An action is found where a proposal overlaps it by the threshold; labels play no role. Videos
    are cut to the same share of their proposals, the best ones, so that they have `max_proposals`
    on average; the curve's point k takes k percent of `max_proposals` in the same way. As
    officially, shares are rounded down, and proposals of videos without actions count in the
    average before the cut, though they are left out then.

    Args:
        proposals: `{video: proposals}` in any order. A video of the truth that isn't there, or has
            none, has found nothing.
        truth: `{video: actions}`, such as `{v.video: v.actions for v in read_activitynet(path)}`.
            Videos without actions are left out.
        max_proposals: highest average number of proposals a video. Defaults to 100.
        thresholds: temporal IoUs. Defaults to 0.5, 0.55, ..., 0.95.

    Returns:
        An `AverageRecall`.

    Raises:
        ValueError: no actions, no video in common, or arguments of another form.

    Reference: https://github.com/activitynet/ActivityNet, `eval_proposal.py`.

    Example:

    >>> truth = {"a": [Action(0.0, 10.0, "run"), Action(20.0, 30.0, "run")]}
    >>> average_recall({"a": [Proposal(0.0, 10.0, 0.8)]}, truth).at(100)
    50.0
    """
    check_videos(proposals, truth, (Detection, Proposal))
    thresholds = checked_thresholds(thresholds)
    if not 0 < max_proposals < float("inf"):
        raise ValueError(f"`max_proposals` is above 0. Received: max_proposals={max_proposals!r}")
    videos = [video for video, actions in truth.items() if actions]
    total = sum(map(len, proposals.values()))
    share = max_proposals * len(videos) / max(total, 1)

    cut = {}
    for video in videos:
        ranked = best_first(proposals.get(video, ()))
        cut[video] = ranked[: min(int(len(ranked) * share), len(ranked))]
    kept = sum(map(len, cut.values()))

    fractions = np.arange(1, POINTS + 1) / POINTS
    shares = fractions * (max_proposals * len(videos) / max(kept, 1))
    found = np.zeros((len(thresholds), POINTS))
    for video, ranked in cut.items():
        if not ranked:
            continue
        counts = np.minimum((len(ranked) * shares).astype(int), len(ranked))
        overlaps = temporal_iou(times(truth[video]), times(ranked))
        hits = overlaps >= thresholds[:, None, None]
        # The number of proposals that each action needs to be found.
        needed = np.where(hits.any(axis=-1), hits.argmax(axis=-1) + 1, len(ranked) + 1)
        found += (needed[:, :, None] <= counts).sum(axis=1)
    actions = sum(len(truth[video]) for video in videos)
    return AverageRecall(thresholds, fractions * max_proposals, 100 * found / actions)
