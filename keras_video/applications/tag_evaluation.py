"""`evaluate_tagger`: how well a `VideoTag` tags the videos of a list."""

from collections.abc import Callable

import numpy as np

from keras_video.applications.tag_list import TagList
from keras_video.applications.tag_report import summarize_report, tag_report


def evaluate_tagger(
    tagger, tags: TagList, advance: Callable[[], None] | None = None
) -> tuple[list[dict], dict, list[dict]]:
    """Tags every video of a list and compares.

    A video that can't be read counts as one that was given no tag.

    Args:
        tagger: a `VideoTag`; its thresholds count, or 0.5.
        tags: the videos, with the tagger's labels.
        advance: called after each video.

    Returns:
        The rows of `tag_report`, the numbers of `summarize_report`, and path and reason of each
        video that could not be read.

    Raises:
        ValueError: the list has other labels than the tagger.

    Example:

    >>> tags = TagList.read("tags.csv", labels=tagger.labels)
    >>> rows, summary, failures = evaluate_tagger(tagger, tags)
    >>> summary["map"]
    0.95
    """
    if list(tags.labels) != list(tagger.labels):
        raise ValueError(
            "Read the list with the tagger's labels, TagList.read(path, labels=tagger.labels). "
            f"Received: {len(tags.labels)} labels for {len(tagger.labels)} tags"
        )
    scores, failures = np.zeros((len(tags), len(tags.labels)), "float32"), []
    results = tagger.tag_each([video.source for video in tags], top_k=None, errors="return")
    for row, video, result in zip(scores, tags, results, strict=True):
        if isinstance(result, Exception):
            reason = getattr(result, "reason", None) or " ".join(str(result).split())
            failures.append({"path": video.source, "error": reason})
        else:
            row[[tag["class_id"] for tag in result]] = [tag["score"] for tag in result]
        if advance is not None:
            advance()
    thresholds = 0.5 if tagger.thresholds is None else tagger.thresholds
    labels = tags.targets()
    rows = tag_report(labels, scores, thresholds, tags.labels)
    return rows, summarize_report(rows, labels, scores), failures
