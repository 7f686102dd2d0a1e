"""Mirror images, with the labels that they have."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from keras_video.data.transforms.configured import keras_serializable
from keras_video.data.transforms.transform import Transform, as_fraction, check_clip, check_rng

_MIRRORED = {
    "left": "right",
    "right": "left",
    "clockwise": "counterclockwise",
    "counterclockwise": "clockwise",
}
_PATTERN = r"(?<![a-z])(left|right|counterclockwise|clockwise)(?![a-z])"


@keras_serializable
class RandomFlip(Transform):
    """Mirrors a clip left to right, every second time.

    "Pushing something from left to right", mirrored, is "from right to left": where classes
    differ in nothing else, `label_map` tells which label a mirrored clip has.

    Args:
        probability: that a clip is mirrored.
        label_map: class number -> class number of its mirror image, or such pairs; other classes
            keep their number. See `mirrored_labels`.

    Returns:
        The clip or a mirrored view. `call_with_label` returns its label too; a plain call, which
        has none to change, mirrors all the same.

    Example:

    >>> flip = RandomFlip(label_map=mirrored_labels(labels))
    >>> clip, label = flip.call_with_label(clip, label, np.random.default_rng(0))
    """

    def __init__(
        self,
        probability: float = 0.5,
        label_map: Mapping[int, int] | Sequence[tuple[int, int]] | None = None,
    ):
        self.probability = as_fraction("probability", probability)
        # Pairs, because keys of a JSON object are text.
        pairs = label_map.items() if isinstance(label_map, Mapping) else label_map
        self.label_map = tuple((int(a), int(b)) for a, b in pairs) if pairs else None
        self._mirrored = dict(self.label_map or ())
        if sorted(self._mirrored) != sorted(self._mirrored.values()):
            raise ValueError(
                "`label_map` must name each class once on both sides, such as {3: 4, 4: 3}. "
                f"Received: label_map={label_map!r}"
            )

    def __call__(self, clip: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        return self.call_with_label(clip, None, rng)[0]

    def call_with_label(
        self,
        clip: np.ndarray,
        label: int | None,
        rng: np.random.Generator | None = None,
    ) -> tuple[np.ndarray, int | None]:
        """The clip and its label, mirrored or not.

        Args:
            clip: see `Transform`.
            label: class number, or None.
            rng: see `Transform`.
        """
        check_clip(clip)
        if check_rng(self, rng).random() >= self.probability:
            return clip, label
        if label is not None and self._mirrored:
            label = self._mirrored.get(int(label), label)
        return clip[:, :, ::-1], label


def mirrored_labels(labels: Sequence[str]) -> dict[int, int]:
    """Finds the classes that are each other's mirror image by their names.

    Args:
        labels: names of the classes, in order of their numbers.

    Returns:
        Number -> number of the class whose name has "left" for "right", or "clockwise" for
        "counterclockwise" (or "anticlockwise"), and the other way round. Classes without such a
        counterpart are left out.

    Example:

    >>> mirrored_labels(["Turning left", "Turning right", "Standing"])
    {0: 1, 1: 0}
    """

    numbers = {_with_one_name_for_turns(label): number for number, label in enumerate(labels)}
    swaps = {}
    for label, number in numbers.items():
        mirrored = re.sub(_PATTERN, lambda match: _MIRRORED[match[0]], label)
        if mirrored != label and mirrored in numbers:
            swaps[number] = numbers[mirrored]
    return swaps


def _with_one_name_for_turns(label: str) -> str:
    """The label in lower case, every word for the turn to the left spelt "counterclockwise"."""
    return re.sub(r"(?<![a-z])(counter-|anti-?)clockwise", "counterclockwise", label.casefold())
