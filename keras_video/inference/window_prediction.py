"""`WindowPrediction`: what happens in a part of a video."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class WindowPrediction:
    """What happens in a window of a video or a stream.

    Attributes:
        start: in seconds from the start of the video.
        end: in seconds.
        predictions: `{"label": str, "class_id": int, "score": float}` each, best first.
        scores: probabilities of all classes, float32 `(num_classes,)`.
    """

    start: float
    end: float
    predictions: list[dict]
    scores: np.ndarray

    def to_json(self) -> dict:
        """Plain values, without the scores of all classes; times to the millisecond."""
        return {
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "predictions": self.predictions,
        }
