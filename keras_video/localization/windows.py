"""`plan_windows`, `propose_in_windows`: proposals in videos longer than a network's input."""

from collections.abc import Callable

import numpy as np

from keras_video.localization.nms import nms
from keras_video.localization.rank_proposals import rank_proposals


def plan_windows(num_steps: int, window: int, stride: int) -> list[int]:
    """The first steps of windows that cover a video; the last one ends where the video does.

    Args:
        num_steps: of the video.
        window: steps of a window.
        stride: steps from one window to the next, at most `window`.

    Raises:
        ValueError: numbers below 1, or windows with gaps between them.

    Example:

    >>> plan_windows(num_steps=450, window=200, stride=100)
    [0, 100, 200, 250]
    >>> plan_windows(num_steps=120, window=200, stride=100)
    [0]
    """
    if not 1 <= stride <= window or num_steps < 1:
        raise ValueError(
            "Windows are of at least one step, and overlap or touch. "
            f"Received: num_steps={num_steps}, window={window}, stride={stride}"
        )
    last = max(num_steps - window, 0)
    return [*range(0, last, stride), last]


def take_window(features: np.ndarray, first: int, window: int) -> np.ndarray:
    """The steps from `first` on, float32 `(window, channels)`; after the last there are zeros."""
    part = np.asarray(features[first : first + window], "float32")
    if len(part) == window:
        return part
    return np.concatenate([part, np.zeros((window - len(part), part.shape[1]), "float32")])


def propose_in_windows(
    model,
    features: np.ndarray,
    stride: int | None = None,
    min_duration: int = 5,
    score_threshold: float = 0.03,
    iou_threshold: float = 0.7,
    max_proposals: int = 100,
    batch_size: int = 4,
    predict: Callable | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Proposes segments of a long video, window by window.

    Windows overlap. What a window cuts off at one of its ends is left to the next one, which sees
    it whole; of segments that overlap, the best stays.

    Args:
        model: a network such as `models.BMN`, for windows of `model.num_frames` steps.
        features: `(steps, model.feature_dim)`.
        stride: steps from one window to the next; by default half a window.
        min_duration: of a segment, in steps. Defaults to 5.
        score_threshold: segments below it are dropped. Defaults to 0.03.
        iou_threshold: of the suppression of overlapping segments. Defaults to 0.7.
        max_proposals: for each window's length, at most so many. Defaults to 100.
        batch_size: windows at a time. Defaults to 4.
        predict: computes the outputs of a batch; by default `model.predict_on_batch`.

    Returns:
        Segments `(n, 2)`, in steps, and scores `(n,)`, best first.

    Raises:
        ValueError: features of another width, or that are no numbers.
    """
    features = np.asanyarray(features)
    if features.ndim != 2 or features.shape[1] != model.feature_dim or not len(features):
        raise ValueError(
            f"Features must have the shape (steps, {model.feature_dim}), which the model was made "
            f"for (`feature_dim`). Received: shape {features.shape}"
        )
    window, num_steps = model.num_frames, len(features)
    stride = max(window // 2, 1) if stride is None else stride
    predict = model.predict_on_batch if predict is None else predict
    starts = plan_windows(num_steps, window, stride)
    found, found_scores = [], []
    for number in range(0, len(starts), batch_size):
        places = starts[number : number + batch_size]
        inputs = np.stack([take_window(features, first, window) for first in places])
        if not np.isfinite(inputs).all():
            raise ValueError("Features must be finite numbers. Received: NaN or infinity")
        outputs = predict({"features": inputs})
        outputs = {name: np.asarray(array, "float64") for name, array in outputs.items()}
        for place, first in enumerate(places):
            segments, scores = rank_proposals(
                outputs["confidence"][place].transpose(2, 0, 1),
                outputs["starts"][place],
                outputs["ends"][place],
                min_duration=min_duration,
                layout=model.map_layout,
            )
            segments = np.rint(segments * window)
            kept = scores >= score_threshold
            # Cut off by this window, and not by the video: another window has all of it, unless
            # it is longer than what two windows share.
            cut = (segments[:, 0] == 0) & (first > 0)
            cut |= (segments[:, 1] == window) & (first + window < num_steps)
            kept &= ~cut | (segments[:, 1] - segments[:, 0] > window - stride)
            kept &= first + segments[:, 0] < num_steps
            found.append(segments[kept][:max_proposals] + first)
            found_scores.append(scores[kept][:max_proposals])
    segments = np.minimum(np.concatenate(found), num_steps)
    scores = np.concatenate(found_scores)
    kept = nms(segments, scores, iou_threshold)
    kept = kept[: max(1, round(num_steps / window)) * max_proposals]
    return segments[kept], scores[kept]
