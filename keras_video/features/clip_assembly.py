"""`ClipAssembly`: frames as they are decoded become clips that may share them."""

from collections.abc import Iterator

import numpy as np


class ClipAssembly:
    """Collects the frames of clips and gives each clip out once it is whole.

    A frame is kept while a clip waits for it, so clips of neighbours need the memory of about one.

    Args:
        clips: int64 `(clips, frames)`, the frames of each; a frame may be in several clips, and
            several times in one.

    Example:

    >>> assembly = ClipAssembly(np.array([[0, 2], [2, 4]]))
    >>> [number for i in (0, 2, 4) for number, _ in assembly.add(i, frames[i])]
    [0, 1]
    """

    def __init__(self, clips: np.ndarray):
        self._clips = clips
        self._waiting: dict[int, list[int]] = {}
        self._missing = []
        for number, clip in enumerate(clips):
            frames = set(clip.tolist())
            self._missing.append(len(frames))
            for frame in frames:
                self._waiting.setdefault(frame, []).append(number)
        self._uses = {frame: len(numbers) for frame, numbers in self._waiting.items()}
        self._frames: dict[int, np.ndarray] = {}

    @property
    def indices(self) -> list[int]:
        """The frames that it needs, sorted."""
        return sorted(self._waiting)

    def add(self, index: int, frame: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Takes a frame, copied; yields number and frames of each clip that is whole with it."""
        self._frames[index] = np.array(frame)
        for number in self._waiting[index]:
            self._missing[number] -= 1
            if not self._missing[number]:
                yield number, np.stack([self._frames[i] for i in self._clips[number].tolist()])
                for used in set(self._clips[number].tolist()):
                    self._uses[used] -= 1
                    if not self._uses[used]:
                        del self._frames[used]
