"""What is compared: the results and the truth of videos, checked; and which of them meet."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_video.localization.action import Action
from keras_video.presets.errors import some

# As in ActivityNet's evaluation, to the last bit.
DEFAULT_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())


def check_videos(results: Mapping, truth: Mapping, kinds: tuple[type, ...]) -> None:
    """Raises a ValueError unless both are `{video: items}` and have videos in common."""
    name = kinds[-1].__name__
    _check_items("truth", truth, (Action,), "Action")
    _check_items(f"{name.lower()}s", results, kinds, name)
    if not any(truth.values()):
        raise ValueError(f"The truth has no actions. Received: {len(truth)} videos without any")
    if any(results.values()) and not set(results) & set(truth):
        raise ValueError(
            "None of the videos with results is among those of the truth: names must be the same "
            "(ActivityNet's come with and without v_, see `prefix` of `read_activitynet`). "
            f"Received: {some(results, 2)} and, in the truth, {some(truth, 2)}"
        )


def match_in_order(overlaps: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Which detections find an action of their own.

    One after the other takes, of the actions that none before it has taken, the one that it
    overlaps most, if that overlap reaches the threshold.

    Args:
        overlaps: `(detections, actions)`, the best detection first.
        thresholds: `(thresholds,)`.

    Returns:
        bool `(thresholds, detections)`.
    """
    found = np.zeros((len(thresholds), len(overlaps)), bool)
    if not overlaps.size:
        return found
    # Of equal overlaps the last action comes first, as in ActivityNet's evaluation.
    preferred = np.argsort(overlaps, axis=1, kind="stable")[:, ::-1]
    highest = overlaps.max(axis=1)
    for row, threshold in zip(found, thresholds, strict=True):
        taken = np.zeros(overlaps.shape[1], bool)
        for detection in np.flatnonzero(highest >= threshold):
            for action in preferred[detection]:
                if overlaps[detection, action] < threshold:
                    break
                if not taken[action]:
                    taken[action] = row[detection] = True
                    break
    return found


def by_label(items: Mapping[str, Sequence]) -> dict[str, dict[str, list]]:
    """`{label: {video: items of that label}}`, in order of appearance."""
    found: dict[str, dict[str, list]] = {}
    for video, values in items.items():
        for item in values:
            found.setdefault(item.label, {}).setdefault(video, []).append(item)
    return found


def best_first(items: Sequence) -> list:
    """Sorted by score; of equal scores the first comes first."""
    return sorted(items, key=lambda item: -item.score)


def _check_items(what: str, items, kinds: tuple[type, ...], name: str) -> None:
    if not isinstance(items, Mapping):
        raise ValueError(
            f"The {what} of videos are a dictionary from the video's name to its {name}s. "
            f"Received: {type(items).__name__}"
        )
    for video, values in items.items():
        if isinstance(values, kinds) or not isinstance(values, Sequence):
            raise ValueError(
                f"There is a list of {name}s for each video. "
                f"Received: {type(values).__name__} for {video!r}"
            )
        for value in values:
            if not isinstance(value, kinds):
                raise ValueError(
                    f"There is a list of {name}s for each video. Received: {value!r} for {video!r}"
                )
