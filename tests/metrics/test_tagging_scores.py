"""`TaggingScores`: the functions' numbers, from batches of any size, and from several processes."""

import numpy as np
import pytest
from metrics.tagged import videos

from keras_video.metrics import (
    TaggingScores,
    average_precision_per_class,
    global_average_precision,
    hit_at_one,
    perr,
)


def expected(labels, scores, top_k=20, map_top_k=None):
    return {
        "gap": global_average_precision(labels, scores, top_k),
        "hit_at_one": hit_at_one(labels, scores),
        "perr": perr(labels, scores),
        "map": np.nanmean(average_precision_per_class(labels, scores, map_top_k)),
    }


@pytest.mark.parametrize("map_top_k", [None, 2, 7])
@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_the_batches_mean_nothing(batch_size, map_top_k):
    labels, scores = videos(levels=9)
    collected = TaggingScores(12, top_k=5, map_top_k=map_top_k)
    for start in range(0, len(labels), batch_size):
        collected.update(labels[start:][:batch_size], scores[start:][:batch_size])
    assert len(collected) == 40
    assert collected.result() == pytest.approx(expected(labels, scores, 5, map_top_k), rel=1e-6)
    per_class = average_precision_per_class(labels, scores, map_top_k)
    np.testing.assert_allclose(collected.per_class(), per_class)


@pytest.mark.parametrize("map_top_k", [None, 3])
def test_several_processes_together_see_all_videos(map_top_k):
    labels, scores = videos()
    parts = [TaggingScores(12, top_k=4, map_top_k=map_top_k) for _ in range(2)]
    for start, part in zip((0, 15), parts, strict=True):
        part.update(labels[start : start + 15 + start], scores[start : start + 15 + start])
    together = TaggingScores(12, top_k=4, map_top_k=map_top_k)
    together.update(labels[:15], scores[:15])
    together.add(parts[1].rows(0, 10), parts[1].totals)
    together.add(parts[1].rows(10), np.zeros_like(parts[1].totals))
    assert together.result() == pytest.approx(expected(labels, scores, 4, map_top_k), rel=1e-6)


def test_weights_count_videos():
    labels, scores = videos(6)
    weights = np.array([1, 0, 2, 1, 0, 1])
    collected = TaggingScores(12)
    labels[1], scores[1] = 1, 1e9
    collected.update(labels, scores, weights)
    repeated = [np.repeat(part, weights, axis=0) for part in (labels, scores)]
    assert collected.result() == pytest.approx(expected(*repeated), rel=1e-6)


def test_after_a_reset_there_is_nothing():
    collected = TaggingScores(12)
    collected.update(*videos(3))
    collected.reset()
    with pytest.raises(ValueError, match="no videos"):
        collected.result()
    collected.update(*videos(3), np.zeros(3))
    with pytest.raises(ValueError, match="no videos"):
        collected.result()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.ones((2, 3)), np.ones((2, 3))), "each of the 12 classes"),
        ((*videos(2), [1.0]), r"weights of shape \(1,\) for 2"),
        ((*videos(2), [1.0, -1.0]), "a weight from 0"),
        ((videos(2)[0], np.full((2, 12), np.nan)), "NaN"),
    ],
)
def test_impossible_batches_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TaggingScores(12).update(*arguments)
