"""`classify_windows`: what happens when in a long video, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from keras_video.inference.window_prediction import WindowPrediction
from keras_video.inference.window_views import WindowViews
from keras_video.models.classify_videos import average_views, best_classes, in_equal_parts


def classify_windows(
    windows: Iterable[WindowViews],
    logits_of: Callable[[np.ndarray], np.ndarray],
    *,
    view_average: str = "logits",
    labels: list[str] | None = None,
    top_k: int = 5,
    batch_size: int = 8,
) -> Iterator[WindowPrediction]:
    """Names what happens in windows; several share a batch.

    Args:
        windows: as `window_views` or `stream_windows` gives them.
        logits_of: makes `(views, num_classes)` of views.
        view_average: see `average_views`.
        labels: names of the classes.
        top_k: how many of them to return.
        batch_size: views that the network takes at a time; 1 answers a window at once.

    Yields:
        A `WindowPrediction` for each window, in order.
    """
    for group in _groups(windows, batch_size):
        views = np.concatenate([window.views for window in group])
        logits = np.concatenate([logits_of(part) for part in in_equal_parts(views, batch_size)])
        ends = np.cumsum([len(window.views) for window in group])
        for window, part in zip(group, np.split(logits, ends[:-1]), strict=True):
            scores = average_views(part, view_average)
            best = best_classes(scores, labels, top_k)
            yield WindowPrediction(window.start, window.end, best, scores)


def _groups(windows: Iterable[WindowViews], batch_size: int) -> Iterator[list[WindowViews]]:
    """Windows whose views fill a batch; one window alone may have more."""
    group: list[WindowViews] = []
    for window in windows:
        group.append(window)
        if (len(group) + 1) * len(window.views) > batch_size:
            yield group
            group = []
    if group:
        yield group
