"""The interface that every decoder offers."""

import abc
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_video.data.resizing import resize
from keras_video.data.video_decode_error import VideoDecodeError

# Frames that readers which cannot give them one by one decode in one go.
_VISITED_AT_ONCE = 16


class VideoReader(abc.ABC):
    """Random access to the frames of one video.

    Frame `i` is the `i`-th frame in order of display, as a decoder that reads the whole file
    shows it: upright (the rotation of phone videos is applied), without the frames that an edit
    list hides, and with all frames of the size of the first. Pixels are RGB; the pixel aspect
    ratio is not applied.

    A reader belongs to the process and the thread that opened it: using it elsewhere, or after a
    fork, raises `RuntimeError` instead of returning wrong frames or crashing the process. Open one
    reader in each worker.

    Subclasses set `timestamps` and implement `_read` and `close`; those whose decoder can scale
    implement `_read_scaled` as well.

    Args:
        name: what messages call the video, usually its path.
        timestamps: time of each frame in seconds, in order of display.
        fps: frames per second, on average.
    """

    decoder: str = ""

    def __init__(self, name: str, timestamps: np.ndarray, fps: float):
        self.name = name
        self.timestamps = timestamps
        self.fps = fps
        self._owner = (os.getpid(), threading.get_ident())
        self._first_frame: np.ndarray | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self.timestamps)

    @property
    def width(self) -> int:
        """Width in pixels of the upright frames."""
        return self._peek().shape[1]

    @property
    def height(self) -> int:
        """Height in pixels of the upright frames."""
        return self._peek().shape[0]

    @property
    def duration(self) -> float:
        """Seconds from the start of the first frame to the end of the last."""
        return float(self.timestamps[-1] - self.timestamps[0]) + 1 / self.fps

    def get_frames(
        self,
        indices: Sequence[int],
        transform: Callable[[np.ndarray], np.ndarray] | None = None,
        size: tuple[int, int] | Callable[[int, int], tuple[int, int]] | None = None,
    ) -> np.ndarray:
        """Decodes the frames at `indices`, each one once, however often it is named.

        Args:
            indices: frame numbers from 0 to `len(reader) - 1`, in any order, repeats allowed.
            transform: applied to each decoded frame, uint8 `(height, width, 3)`, before the next
                one is decoded; a resize here keeps large videos out of memory. All its results
                must have one shape.
            size: `(height, width)` at which frames are decoded, or a function that computes it
                from the video's own `height, width`. FFmpeg's swscale and libjpeg scale in the
                step that makes RGB of what is stored. That takes less time than a resize after
                it, and the pixels differ slightly from those of `resize`. Decoders that cannot
                scale are followed by Pillow's bilinear `resize`.

        Returns:
            uint8 array `(len(indices), height, width, 3)`, or what `transform` makes of it.

        Raises:
            IndexError: an index outside the video.
            VideoDecodeError: frames that the file lists cannot be decoded.
            RuntimeError: the reader is closed, or belongs to another process or thread.
        """
        wanted, positions = np.unique(self._checked(indices), return_inverse=True)
        results = _Results(self.name, len(wanted), transform)
        if size is None:
            found = self._read(wanted.tolist(), results.add)
        else:
            found = self._read_scaled(wanted.tolist(), results.add, self._goal(size))
        self._check_found(wanted.tolist(), found)
        places = np.array([found[index] for index in wanted.tolist()])[positions]
        if np.array_equal(places, np.arange(len(wanted))):
            return results.array
        return results.array[places]

    def visit_frames(
        self,
        indices: Sequence[int],
        visit: Callable[[int, np.ndarray], Any],
        size: tuple[int, int] | Callable[[int, int], tuple[int, int]] | None = None,
    ) -> None:
        """Decodes frames one after the other and keeps none: any number of them in little memory.

        Args:
            indices: as in `get_frames`; each frame is decoded once.
            visit: called as `visit(index, frame)` for each frame as soon as it is there, in
                ascending order; frames that a damaged file does not give at once come later. An
                exception that it raises ends the visit.
            size: as in `get_frames`.

        Raises:
            IndexError: an index outside the video.
            VideoDecodeError: frames that the file lists cannot be decoded.

        Example:

        >>> with open_video("match.mp4") as video:
        ...     video.visit_frames(range(0, len(video), 25), lambda i, frame: print(frame.mean()))
        """
        wanted = np.unique(self._checked(indices)).tolist()
        found = set()

        def note(index: int, frame: np.ndarray) -> None:
            found.add(index)
            visit(index, frame)

        self._visit(wanted, note, None if size is None else self._goal(size))
        self._check_found(wanted, found)

    def _visit(self, wanted: list[int], visit: Callable, size: Callable | None) -> None:
        """As `visit_frames`, of sorted frames without repeats."""
        for start in range(0, len(wanted), _VISITED_AT_ONCE):
            part = wanted[start : start + _VISITED_AT_ONCE]
            for index, frame in zip(part, self.get_frames(part, size=size), strict=True):
                visit(index, frame)

    def _checked(self, indices: Sequence[int]) -> np.ndarray:
        self._check_owner()
        indices = np.asarray(indices)
        if indices.ndim != 1 or indices.size == 0 or indices.dtype.kind not in "iu":
            raise ValueError(
                f"{self.name}: indices must be a flat, non-empty list of integers. "
                f"Received: indices={indices!r}"
            )
        if indices.min() < 0 or indices.max() >= len(self):
            outside = int(indices.min() if indices.min() < 0 else indices.max())
            raise IndexError(
                f"{self.name}: frame indices go from 0 to {len(self) - 1}. Received: {outside}"
            )
        return indices

    def _goal(self, size) -> Callable[[int, int], tuple[int, int]]:
        if not callable(size) and (len(size) != 2 or min(size) < 1):
            raise ValueError(
                f"{self.name}: `size` is a (height, width) of at least one pixel each. "
                f"Received: size={size!r}"
            )
        return size if callable(size) else lambda *_: tuple(size)

    def _check_found(self, wanted: list[int], found) -> None:
        missing = [index for index in wanted if index not in found]
        if missing:
            raise VideoDecodeError(self.name, f"frame {missing[0]} of {len(self)} does not decode")

    @abc.abstractmethod
    def _read(self, wanted: list[int], transform: Callable[[np.ndarray], Any]) -> dict[int, Any]:
        """Decodes the frames of `wanted`, sorted and without repeats.

        Calls `transform` once for each frame; returns `{index: what that returned}`.
        """

    def _read_scaled(
        self,
        wanted: list[int],
        transform: Callable[[np.ndarray], Any],
        size: Callable[[int, int], tuple[int, int]],
    ) -> dict[int, Any]:
        """As `_read`, of frames that have the size `size(height, width)`."""
        return self._read(wanted, lambda frame: transform(resize(frame, size(*frame.shape[:2]))))

    @abc.abstractmethod
    def close(self) -> None:
        """Releases the file. A closed reader decodes nothing more."""

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.name}: {len(self)} frames, {self.fps:.4g} fps, "
            f"{self.duration:.4g} s>"
        )

    def _peek(self) -> np.ndarray:
        if self._first_frame is None:
            self._first_frame = self.get_frames([0])[0]
        return self._first_frame

    def _check_owner(self) -> None:
        process, thread = self._owner
        if process != os.getpid():
            raise RuntimeError(
                f"{self.name} was opened in process {process}; a reader does not survive a fork. "
                f"Open it again in this process. Received: process {os.getpid()}"
            )
        if thread != threading.get_ident():
            raise RuntimeError(
                f"{self.name} was opened in another thread. Open one reader in each thread. "
                f"Received: thread {threading.current_thread().name}"
            )
        if self._closed:
            raise RuntimeError(f"{self.name} is closed. Open it again to read from it.")


class _Results:
    """Transformed frames in one array, in the order in which they come.

    Each is copied there at once, so the memory of a decoded frame serves the next one. Keeping all
    of them and stacking them afterwards takes twice the memory and, for small frames, a fifth more
    time, most of it for fresh pages.
    """

    def __init__(self, name: str, count: int, transform: Callable | None):
        self.array: np.ndarray | None = None
        self._name, self._count, self._transform = name, count, transform
        self._used = 0

    def add(self, frame: np.ndarray) -> int:
        """Transforms a frame and keeps the result; returns its place."""
        result = np.asarray(frame if self._transform is None else self._transform(frame))
        if self.array is None:
            self.array = np.empty((self._count, *result.shape), result.dtype)
        if (result.shape, result.dtype) != (self.array.shape[1:], self.array.dtype):
            raise ValueError(
                f"{self._name}: `transform` must give all frames one shape and type. Received: "
                f"{self.array.dtype} {self.array.shape[1:]} and {result.dtype} {result.shape}"
            )
        self.array[self._used] = result
        self._used += 1
        return self._used - 1
