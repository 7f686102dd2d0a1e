"""`propose_segments`: from the features of a video to a ranked list of segments."""

import numpy as np

from keras_video.localization.proposal import Proposal
from keras_video.localization.rank_proposals import rank_proposals
from keras_video.localization.soft_nms import soft_nms


def propose_segments(
    model, features: np.ndarray, duration: float, max_proposals: int = 100, **kwargs
) -> list[Proposal]:
    """Ranks the segments of a video by what a boundary-matching network says of its features.

    Args:
        model: such as `models.BMN`.
        features: `(steps, model.feature_dim)`.
        duration: of the video, in seconds.
        max_proposals: at most so many. Defaults to 100.
        **kwargs: of `soft_nms`.

    Returns:
        Proposals in seconds, best first.

    Raises:
        ValueError: features of another shape, or that are no numbers; `duration` is not positive.
    """
    if not (np.isfinite(duration) and duration > 0):
        raise ValueError(
            f"`duration` must be a positive number of seconds. Received: duration={duration!r}"
        )
    features = resize_features(features, model.num_frames, model.feature_dim)
    outputs = model.predict_on_batch({"features": features[np.newaxis]})
    outputs = {name: np.asarray(array[0], "float64") for name, array in outputs.items()}
    segments, scores = rank_proposals(
        outputs["confidence"].transpose(2, 0, 1),
        outputs["starts"],
        outputs["ends"],
        layout=model.map_layout,
    )
    segments, scores = soft_nms(segments, scores, max_proposals=max_proposals, **kwargs)
    segments = np.clip(segments * duration, 0, duration)
    return [
        Proposal(float(start), float(end), float(score))
        for (start, end), score in zip(segments, scores, strict=True)
    ]


def resize_features(features: np.ndarray, num_steps: int, feature_dim: int) -> np.ndarray:
    """Features of a whole video, as float32 `(num_steps, feature_dim)`, linearly interpolated.

    Step `i` of `n` stands for the middle of the part `i / n` to `(i + 1) / n` of the video.

    Raises:
        ValueError: features of another shape, or that are no numbers.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[1] != feature_dim or not len(features):
        raise ValueError(
            f"Features must have the shape (steps, {feature_dim}), which the model was made for "
            f"(`feature_dim`). Received: shape {features.shape}"
        )
    features = features.astype("float32")
    if not np.isfinite(features).all():
        step = int(np.argwhere(~np.isfinite(features))[0, 0])
        raise ValueError(
            f"Features must be finite numbers. Received: NaN or infinity, first in step {step}"
        )
    if len(features) == num_steps:
        return features
    places = (np.arange(num_steps) + 0.5) * len(features) / num_steps - 0.5
    places = np.clip(places, 0, len(features) - 1)
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, len(features) - 1)
    rest = (places - before)[:, np.newaxis].astype("float32")
    return features[before] * (1 - rest) + features[after] * rest
