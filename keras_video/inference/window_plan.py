"""`plan_windows`: which frames of a video each window has."""

from typing import NamedTuple

import numpy as np

# Containers round time stamps to a millisecond.
_ROUNDING = 1e-3
# A day of them every tenth of a second; more are a slip of the keyboard, and fill the memory.
_MOST_WINDOWS = 1_000_000


class Window(NamedTuple):
    """A part of a video.

    Attributes:
        start: in seconds from the video's start.
        end: in seconds.
        first: number of its first frame.
        stop: number of the frame behind its last one.
    """

    start: float
    end: float
    first: int
    stop: int


def plan_windows(
    timestamps: np.ndarray, duration: float, window_seconds: float, hop_seconds: float
) -> list[Window]:
    """Cuts a video into windows.

    One begins every `hop_seconds`; the last one ends where the video does. A video that is not
    longer than a window is one. A window that no frame begins in has the one on screen.

    Args:
        timestamps: of all frames, in seconds.
        duration: of the video in seconds.
        window_seconds: length of a window.
        hop_seconds: from the start of one to the start of the next.

    Returns:
        The windows in order, at least one.

    Raises:
        ValueError: there would be more than a million.
    """
    window_seconds, hop_seconds = check_seconds(window_seconds, hop_seconds)
    times = np.maximum.accumulate(np.asarray(timestamps, np.float64) - timestamps[0])
    last = duration - window_seconds
    if last / hop_seconds > _MOST_WINDOWS:
        raise ValueError(
            f"Windows must be further apart: a video has {_MOST_WINDOWS} of them at most. "
            f"Received: one every {hop_seconds:g} seconds of {duration:g}"
        )
    starts = [0.0]
    while starts[-1] < last - _ROUNDING:
        starts.append(min(len(starts) * hop_seconds, last))
    windows = []
    for start in starts:
        end = min(start + window_seconds, duration)
        first, stop = np.searchsorted(times, [start - _ROUNDING, end - _ROUNDING]).tolist()
        if start == starts[-1]:
            stop = len(times)
        if first >= stop:
            first, stop = max(first - 1, 0), max(first, 1)
        windows.append(Window(start, end, first, stop))
    return windows


def check_seconds(window_seconds: float, hop_seconds: float | None) -> tuple[float, float]:
    """Both lengths as numbers; the hop is half a window by default.

    Raises:
        ValueError: one is no number above 0.
    """
    given = {"window_seconds": window_seconds}
    if hop_seconds is not None:
        given["hop_seconds"] = hop_seconds
    for name, value in given.items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not number or not 0 < value < float("inf"):
            raise ValueError(
                f"`{name}` must be a number of seconds above 0. Received: {name}={value!r}"
            )
    return float(window_seconds), float(window_seconds / 2 if hop_seconds is None else hop_seconds)
