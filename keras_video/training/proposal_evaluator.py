"""`ProposalEvaluator`: AUC and AR@AN of a network that proposes segments, exact over a data set."""

import functools
from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_video.localization.annotated_video import AnnotatedVideo
from keras_video.localization.average_recall import average_recall
from keras_video.localization.proposal import Proposal
from keras_video.localization.rank_proposals import rank_proposals
from keras_video.localization.soft_nms import soft_nms
from keras_video.training.replicas import gathering_workers, local_replicas, share_out

MAX_PROPOSALS = 100


class ProposalEvaluator:
    """Evaluates a `BMN` on every video of a data set, as ActivityNet evaluates proposals.

    Each video's proposals are ranked by `rank_proposals` and `soft_nms`, and compared with its
    actions by `average_recall`. The result does not depend on the batch size, the replicas or the
    workers. A video whose answer is no number counts as one for which nothing was proposed.

    Args:
        model: a `BMN`, made under `strategy`.
        data: batches `(inputs, labels)` or `(inputs, labels, weights)` of whole videos that is not
            for training, this worker's shard of it, such as `make_bmn_dataset` gives. With more
            than one replica it must pad its last batch.
        videos: with their actions and durations, in the order of the data's records. Defaults to
            `data.videos`.
        strategy: by default the model's.
        **kwargs: of `localization.soft_nms`, but for `max_proposals`, which is 100.

    Attributes:
        proposals: `{video: proposals}` after an evaluation, in seconds, best first.

    Raises:
        ValueError: the data set drops its last batch, or arguments don't fit each other.

    Example:

    >>> evaluator = keras_video.training.ProposalEvaluator(model, validation_data)
    >>> evaluator.evaluate()
    {"auc": 0.6723, "ar@1": 0.3326, "ar@5": 0.4948, "ar@10": 0.5686, "ar@100": 0.7519}
    >>> write_activitynet_results("results.json", evaluator.proposals)
    """

    numbers = ("auc", "ar@1", "ar@5", "ar@10", "ar@100")

    def __init__(
        self,
        model: keras.Model,
        data: Iterable,
        videos: Sequence[AnnotatedVideo] | None = None,
        strategy: tf.distribute.Strategy | None = None,
        **kwargs,
    ):
        self.model, self.data = model, data
        self.strategy = strategy or model.distribute_strategy
        if getattr(data, "last_batch", None) == "drop":
            raise ValueError(
                'Evaluation needs every video: make the data set with `last_batch="pad"`. '
                'Received: last_batch="drop"'
            )
        self.videos = _checked_videos(data, videos)
        self._select = functools.partial(soft_nms, max_proposals=MAX_PROPOSALS, **kwargs)
        self._select(np.zeros((0, 2)), np.zeros(0))  # Refuses what it doesn't know, now.
        self.proposals: dict[str, list[Proposal]] = {}
        self._answer = tf.function(
            lambda inputs: self.strategy.run(self._outputs, args=(inputs,)), autograph=False
        )
        self._gather = gathering_workers(self.strategy)

    def evaluate(self) -> dict[str, float]:
        """Evaluates the model as it is.

        Returns:
            `auc`, the area under the curve of average recall, and `ar@1`, `ar@5`, `ar@10` and
            `ar@100`, the average recall with so many proposals a video: all from 0 to 1.

        Raises:
            ValueError: there was no video, or no action at all.
        """
        rows, pending = [], None
        for index, batch in enumerate(self.data):
            answer = self._answer(share_out((batch[0],), self.strategy))
            # The host ranks the proposals of a batch while the device is busy with the next one.
            if pending is not None:
                rows += self._ranked(*pending)
            pending = (self.data.record_indices(index), answer)
        if pending is not None:
            rows += self._ranked(*pending)
        rows = np.concatenate(rows) if rows else np.zeros((0, 5), np.float32)
        self.proposals = self._of_all_workers(rows)
        truth = {video.video: video.actions for video in self.videos}
        found = average_recall(self.proposals, truth, MAX_PROPOSALS)
        return {
            "auc": found.auc / 100,
            **{f"ar@{count}": found.at(count) / 100 for count in (1, 5, 10, 100)},
        }

    def _outputs(self, inputs: tuple) -> dict:
        outputs = self.model(inputs[0], training=False)
        return {name: tf.cast(output, "float32") for name, output in outputs.items()}

    def _ranked(self, videos: np.ndarray, answer: dict) -> list[np.ndarray]:
        """Proposals of a batch: rows of the video's number, rank, first and last step, score."""
        replicas, found = local_replicas(self.strategy), []
        outputs = {
            name: [part.numpy() for part in self.strategy.experimental_local_results(value)]
            for name, value in answer.items()
        }
        for place, video in enumerate(videos):
            if video < 0:
                continue
            replica, row = place % replicas, place // replicas
            one = {name: values[replica][row] for name, values in outputs.items()}
            if all(np.isfinite(array).all() for array in one.values()):
                found.append(self._rows(video, one))
        return found

    def _rows(self, video: int, outputs: dict) -> np.ndarray:
        segments, scores = rank_proposals(
            outputs["confidence"].astype("float64").transpose(2, 0, 1),
            outputs["starts"].astype("float64"),
            outputs["ends"].astype("float64"),
            layout=self.model.map_layout,
        )
        segments, scores = self._select(segments, scores)
        # In steps, which travel between workers without rounding.
        steps = np.rint(segments * self.model.num_frames)
        numbers = np.full(len(scores), video), np.arange(len(scores))
        return np.column_stack([*numbers, steps, scores]).astype(np.float32)

    def _of_all_workers(self, rows: np.ndarray) -> dict[str, list[Proposal]]:
        rows = np.concatenate([np.zeros((0, 5), np.float32), *self._gather(rows)])
        rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))].astype("float64")
        proposals = {video.video: [] for video in self.videos}
        for number, _, start, end, score in rows.tolist():
            video = self.videos[int(number)]
            times = (step / self.model.num_frames * video.duration for step in (start, end))
            proposals[video.video].append(Proposal(*times, score))
        return proposals


def _checked_videos(data, videos: Sequence[AnnotatedVideo] | None) -> tuple[AnnotatedVideo, ...]:
    videos = getattr(data, "videos", None) if videos is None else videos
    if videos is None:
        raise ValueError(
            "Give `videos`, or data that has them: `localization.make_bmn_dataset`. "
            f"Received: videos=None, data of {type(data).__name__}"
        )
    videos = tuple(videos)
    if len(videos) != data.num_records:
        raise ValueError(
            "There must be a video for each record of the data. "
            f"Received: {len(videos)} videos for {data.num_records} records"
        )
    if len({video.video for video in videos}) < len(videos):
        raise ValueError("Videos need names of their own. Received: one name twice")
    without = [video.video for video in videos if video.duration is None]
    if without:
        raise ValueError(f"Videos need a duration. Received: {without[0]!r} without one")
    return videos
