"""From videos to names of what happens in them, whatever computes the logits. Needs no Keras."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

VIEW_AVERAGES = ("logits", "probabilities")


def classify_videos(
    videos,
    preprocess: Callable,
    scores_of_views: Callable[[np.ndarray], np.ndarray],
    *,
    labels: Sequence[str] | None = None,
    top_k: int = 5,
    errors: str = "raise",
) -> Iterator:
    """Names what happens in videos, one result at a time; decodes while the network runs.

    Args:
        videos: any iterable of what `preprocess` takes.
        preprocess: makes `(views, num_frames, height, width, 3)` of a video.
        scores_of_views: makes `(num_classes,)` of these.
        labels: names of the classes.
        top_k: how many classes to return.
        errors: `"raise"`, or `"return"` for the exception in place of the result.

    Yields:
        Lists of `{"label": str, "class_id": int, "score": float}`, best first.
    """
    check_positive(top_k=top_k)
    if errors not in ("raise", "return"):
        raise ValueError(f'`errors` must be "raise" or "return". Received: errors={errors!r}')
    return _results(iter(videos), preprocess, scores_of_views, labels, top_k, errors)


def _results(videos, preprocess, scores_of_views, labels, top_k, errors) -> Iterator:
    workers = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers, "decode") as pool:
        pending = [pool.submit(preprocess, video) for video in islice(videos, workers)]
        try:
            while pending:
                future = pending.pop(0)
                try:
                    views = future.result()
                except (ValueError, OSError) as error:
                    if errors == "raise":
                        raise
                    yield error
                else:
                    yield best_classes(scores_of_views(views), labels, top_k)
                pending += [pool.submit(preprocess, video) for video in islice(videos, 1)]
        finally:
            for future in pending:
                future.cancel()


def best_classes(scores: np.ndarray, labels: Sequence[str] | None, top_k: int) -> list[dict]:
    """The classes of the highest scores, `{"label": str, "class_id": int, "score": float}` each.

    Raises:
        ValueError: a score is no number.
    """
    if not np.isfinite(scores).all():
        raise ValueError(
            "The network gave scores that are no numbers; its weights may be damaged, or too large "
            f"for its precision. Received: {np.count_nonzero(~np.isfinite(scores))} of "
            f"{len(scores)} scores"
        )
    best = np.argsort(-scores, kind="stable")[:top_k]
    labels = labels or [str(number) for number in range(len(scores))]
    return [{"label": labels[i], "class_id": int(i), "score": float(scores[i])} for i in best]


def average_views(logits: np.ndarray, view_average: str = "logits") -> np.ndarray:
    """The probabilities of a video.

    Args:
        logits: of its views, `(views, num_classes)`.
        view_average: `"logits"` averages these, before the softmax; `"probabilities"` after it.

    Returns:
        `(num_classes,)`.
    """
    if view_average == "logits":
        logits = logits.mean(axis=0, keepdims=True)
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).mean(axis=0)


def in_equal_parts(views: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Views in batches of at most that size; equal ones, as every new size is compiled anew."""
    return np.array_split(views, -(-len(views) // batch_size))


def check_positive(**numbers) -> None:
    """Raises `ValueError` for what is no whole number from 1."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"`{name}` must be a whole number from 1. Received: {name}={value!r}")
