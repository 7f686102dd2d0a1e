"""`FramePrediction`: what happens in a stream, as of a frame."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class FramePrediction:
    """What happens in a stream up to a frame.

    Attributes:
        frame: its number, from 0.
        predictions: `{"label": str, "class_id": int, "score": float}` each, best first.
        scores: probabilities of all classes, float32 `(num_classes,)`.
    """

    frame: int
    predictions: list[dict]
    scores: np.ndarray

    def to_json(self) -> dict:
        """Plain values, without the scores of all classes."""
        return {"frame": self.frame, "predictions": self.predictions}
