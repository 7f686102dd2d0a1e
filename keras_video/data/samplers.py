"""Which frames make a clip: pure functions of the video's length.

Every sampler is called as `sampler(length, num_frames, num_clips=1, rng=None, fps=None)` and
returns int64 indices `(num_clips, num_frames)`, each from 0 to `length - 1`, also for a video that
is shorter than the clip. What happens then is stated by each sampler.

- `rng`, a `numpy.random.Generator`, makes the random choice of training; without it the indices
  are those of testing, always the same.
- `fps` is the video's frame rate. Samplers that count frames do not look at it.
"""

import difflib
import functools
import inspect
from collections.abc import Callable

import numpy as np


def sample_segment(
    length: int,
    num_frames: int,
    num_clips: int = 1,
    *,
    repeat_first: bool = False,
    rng: np.random.Generator | None = None,
    fps: float | None = None,
) -> np.ndarray:
    """The middle frame of each of `num_frames` equal segments (TSN and TSM).

    The video is cut into segments of `length / num_frames` frames, a fraction allowed, so the
    samples cover all of it. A video shorter than the clip repeats frames in order.

    Args:
        length: number of frames in the video.
        num_frames: frames per clip.
        num_clips: more than one cuts `num_frames * num_clips` segments and deals them out in
            turn, so every clip covers the whole video.
        repeat_first: a video of at most `num_frames * num_clips` frames gives its first frame
            throughout, as PaddleVideo's `select_left` does, instead of all its frames in order.
        rng: draws the frames for training: one frame of each segment of
            `length // (num_frames * num_clips)` frames. A shorter video repeats frames in order.
        fps: not used.

    Returns:
        int64 array `(num_clips, num_frames)`.

    Example:

    >>> sample_segment(20, 8)
    array([[ 1,  3,  6,  8, 11, 13, 16, 18]])

    Reference:
        Wang et al., Temporal Segment Networks, 2016 (https://arxiv.org/abs/1608.00859).
    """
    total = _check(length, num_frames, num_clips)
    segment = length / total
    if rng is not None and length >= total:
        size = length // total
        indices = np.arange(total) * size + rng.integers(0, size, size=total)
    elif repeat_first and length <= total:
        indices = np.zeros(total, np.int64)
    else:
        middle = 0.5 if rng is None else rng.random(total)
        indices = (segment * middle + segment * np.arange(total)).astype(np.int64)
    return _deal(np.minimum(indices, length - 1), num_clips)


def sample_uniform(
    length: int,
    num_frames: int,
    num_clips: int = 1,
    *,
    segment_frames: int = 1,
    rng: np.random.Generator | None = None,
    fps: float | None = None,
) -> np.ndarray:
    """The middle of each of `num_frames` segments of whole frames (PP-TSM's uniform sampling).

    Segments have `length // num_frames` frames, so up to `num_frames - 1` frames at the video's
    end belong to none; the left of two middle frames is taken. A video shorter than the clip
    starts again from its first frame.

    Args:
        length: number of frames in the video.
        num_frames: frames per clip, a multiple of `segment_frames`.
        num_clips: more than one cuts as many times more segments and deals them out in turn.
        segment_frames: consecutive frames taken from each segment.
        rng: draws the frames for training: `segment_frames` neighbours at a random place
            of each segment, the first ones where a segment has fewer.
        fps: not used.

    Returns:
        int64 array `(num_clips, num_frames)`.

    Example:

    >>> sample_uniform(20, 8)
    array([[ 0,  2,  4,  6,  8, 10, 12, 14]])
    """
    total = _check(length, num_frames, num_clips)
    if total % segment_frames:
        raise ValueError(
            "`num_frames` must be a multiple of `segment_frames`. "
            f"Received: num_frames={num_frames}, segment_frames={segment_frames}"
        )
    segments = np.arange(total // segment_frames)
    size = length // len(segments)
    starts = segments * max(size, 1)
    if size >= segment_frames and rng is None:
        starts += (size - 1) // 2
    elif size >= segment_frames:
        starts += rng.integers(0, size - segment_frames + 1, size=len(segments))
    indices = (starts[:, None] + np.arange(segment_frames)).reshape(-1)
    return _deal(indices % length, num_clips)


def sample_linspace(
    length: int,
    num_frames: int,
    num_clips: int = 1,
    *,
    start: float = 0.0,
    end: float | None = None,
    window: float | None = None,
    rng: np.random.Generator | None = None,
    fps: float | None = None,
) -> np.ndarray:
    """Evenly spaced frames, the first and the last included (TimeSformer, PP-TSN on videos).

    A video shorter than the clip repeats frames in order.

    Args:
        length: number of frames in the video.
        num_frames: frames per clip.
        num_clips: more than one takes as many times more frames and deals them out in turn.
        start: position of the first frame.
        end: position of the last frame, by default `length - 1`. A position beyond the video
            gives its last frame.
        window: number of frames from the first to the last, instead of `end`.
        rng: draws the frames for training. With `window`, the window is at a random place
            (TimeSformer); without it, indices are those of `sample_segment` (PP-TSN).
        fps: not used.

    Returns:
        int64 array `(num_clips, num_frames)`.

    Example:

    >>> sample_linspace(20, 8)
    array([[ 0,  2,  5,  8, 10, 13, 16, 19]])
    """
    total = _check(length, num_frames, num_clips)
    if rng is not None and window is None:
        return sample_segment(length, num_frames, num_clips, rng=rng)
    if rng is not None:
        start = rng.uniform(0, max(length - window, 0))
    if window is not None:
        end = start + window - 1
    positions = np.linspace(start, length - 1 if end is None else end, total)
    return _deal(np.clip(positions, 0, length - 1).astype(np.int64), num_clips)


def sample_dense(
    length: int,
    num_frames: int,
    num_clips: int = 10,
    *,
    window: int = 64,
    rng: np.random.Generator | None = None,
    fps: float | None = None,
) -> np.ndarray:
    """Clips of `window` frames each, spread over the video (PP-TSM's dense sampling).

    A clip takes every `window // num_frames`-th frame. A video shorter than the window starts
    again from its first frame, so all clips are the same.

    PaddleVideo adds 1 to these indices also where frames count from 0; that is not repeated here.

    Args:
        length: number of frames in the video.
        num_frames: frames per clip.
        num_clips: number of clips; their starts are evenly spaced from the first possible one to
            the last. A single clip is the one in the middle.
        window: frames that a clip spans.
        rng: draws the frames for training: every clip's window at a random place.
        fps: not used.

    Returns:
        int64 array `(num_clips, num_frames)`.

    Example:

    >>> sample_dense(66, 8, num_clips=2)
    array([[ 0,  8, 16, 24, 32, 40, 48, 56],
           [ 2, 10, 18, 26, 34, 42, 50, 58]])
    """
    _check(length, num_frames, num_clips)
    last = max(length - window, 0)
    if rng is not None:
        # The reference never draws the last start.
        starts = rng.integers(0, last, size=num_clips) if last > 0 else np.zeros(num_clips)
    else:
        starts = np.linspace(0, last, num_clips) if num_clips > 1 else [last // 2]
    offsets = np.arange(num_frames) * max(window // num_frames, 1)
    return (np.asarray(starts).astype(np.int64)[:, None] + offsets) % length


def sample_interval(
    length: int,
    num_frames: int,
    num_clips: int = 1,
    *,
    frame_interval: int = 2,
    rng: np.random.Generator | None = None,
    fps: float | None = None,
) -> np.ndarray:
    """Clips of every `frame_interval`-th frame from the middle of `num_clips` segments.

    The sampling of Video Swin and other models with long clips. A video shorter than the clip
    starts again from its first frame.

    Args:
        length: number of frames in the video.
        num_frames: frames per clip.
        num_clips: number of clips, evenly spaced.
        frame_interval: distance between a clip's frames.
        rng: draws the frames for training: every clip begins at a random place of its
            segment.
        fps: not used.

    Returns:
        int64 array `(num_clips, num_frames)`.

    Example:

    >>> sample_interval(40, 4, num_clips=2, frame_interval=4)
    array([[ 6, 10, 14, 18],
           [18, 22, 26, 30]])
    """
    _check(length, num_frames, num_clips)
    places = length - num_frames * frame_interval + 1
    spacing = places / num_clips
    starts = np.zeros(num_clips, np.int64)
    if rng is None and spacing > 0:
        starts = (np.arange(num_clips) * spacing + spacing / 2).astype(np.int64)
    elif spacing >= 1:
        size = int(spacing)
        starts = np.arange(num_clips) * size + rng.integers(0, size, size=num_clips)
    elif places > 0:
        starts = np.sort(rng.integers(0, places, size=num_clips))
    return (starts[:, None] + np.arange(num_frames) * frame_interval) % length


def sample_slowfast(
    length: int,
    num_frames: int,
    num_clips: int = 1,
    *,
    frame_interval: int = 2,
    target_fps: float = 30.0,
    place: float = 0.5,
    rng: np.random.Generator | None = None,
    fps: float | None = None,
) -> np.ndarray:
    """Clips that last the same time whatever the video's frame rate (SlowFast, TimeSformer).

    A clip spans `num_frames * frame_interval` frames of a video at `target_fps`, so twice as many
    at twice the frame rate. Its frames are evenly spaced, the first and the last included. A video
    shorter than the clip repeats its last frame.

    PaddleVideo's indices can equal the video's length; here the last frame is `length - 1`.

    Args:
        length: number of frames in the video.
        num_frames: frames per clip.
        num_clips: clip `i` starts `i / num_clips` of the way to the last possible start, so the
            end of the video is left out. A single clip is at `place`.
        frame_interval: distance between a clip's frames at `target_fps`.
        target_fps: frame rate that `frame_interval` is meant for.
        place: of a single clip, from 0 (the start of the video) to 1 (its end).
        rng: draws the frames for training: every clip starts anywhere.
        fps: frames per second of the video, `target_fps` where it is not known.

    Returns:
        int64 array `(num_clips, num_frames)`.

    Example:

    >>> sample_slowfast(300, 4, fps=60, frame_interval=16)
    array([[ 86, 128, 170, 213]])

    Reference:
        Feichtenhofer et al., SlowFast Networks, 2019 (https://arxiv.org/abs/1812.03982).
    """
    _check(length, num_frames, num_clips)
    if not fps or fps < 0:
        fps = target_fps
    window = num_frames * frame_interval * fps / target_fps
    last = max(length - window, 0)
    if rng is not None:
        starts = np.asarray(rng.uniform(0, last, size=num_clips))
    elif num_clips == 1:
        starts = np.array([last * place])
    else:
        starts = last * np.arange(num_clips) / num_clips
    positions = [np.linspace(start, start + window - 1, num_frames) for start in starts]
    return np.clip(np.stack(positions).astype(np.int64), 0, length - 1)


_SAMPLERS: dict[str, Callable[..., np.ndarray]] = {
    "segment": sample_segment,
    "uniform": sample_uniform,
    "linspace": sample_linspace,
    "dense": sample_dense,
    "interval": sample_interval,
    "slowfast": sample_slowfast,
    # 8.5 seconds at 8 frames; a single clip is the start of the video.
    "timesformer": functools.partial(sample_slowfast, frame_interval=32, place=0.0),
}


def get_sampler(name: str) -> Callable[..., np.ndarray]:
    """The sampler of a name.

    Args:
        name: `"segment"`, `"uniform"`, `"linspace"`, `"dense"`, `"interval"`, `"slowfast"`,
            `"timesformer"`, or one given to `register_sampler`. A number after a colon is the
            sampler's `frame_interval`: `"slowfast:8"`.

    Example:

    >>> get_sampler("slowfast:16")(300, 4)
    array([[118, 139, 160, 181]])
    """
    plain, _, interval = str(name).partition(":")
    if plain not in _SAMPLERS:
        close = difflib.get_close_matches(plain, _SAMPLERS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"`sampling` must be one of {sorted(_SAMPLERS)}.{hint} Received: sampling={name!r}"
        )
    sampler = _SAMPLERS[plain]
    if not interval:
        return sampler
    takes_it = "frame_interval" in inspect.signature(sampler).parameters
    if not takes_it or not interval.isdigit() or int(interval) < 1:
        raise ValueError(
            "Only samplers with a `frame_interval` take a number from 1 after a colon, such as "
            f"'slowfast:8'. Received: sampling={name!r}"
        )
    return functools.partial(sampler, frame_interval=int(interval))


def register_sampler(name: str, sampler: Callable[..., np.ndarray]) -> None:
    """Adds a sampler, or replaces one.

    Args:
        name: what `VideoPreprocessor(sampling=name)` calls it.
        sampler: called as `sampler(length, num_frames, num_clips)`, returns integer indices
            `(num_clips, num_frames)` from 0 to `length - 1`. Where it takes them, `rng` (a
            `numpy.random.Generator` in training, else None) and `fps` are given too.
    """
    if not callable(sampler):
        raise ValueError(f"A sampler must be callable. Received: sampler={sampler!r}")
    _SAMPLERS[name] = _taking_options(sampler)


def _taking_options(sampler: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A sampler that may be called with `rng` and `fps`, and passes on what `sampler` takes."""
    parameters = inspect.signature(sampler).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return sampler
    unknown = {"rng", "fps"} - {parameter.name for parameter in parameters}
    if not unknown:
        return sampler

    @functools.wraps(sampler)
    def call(*args, **options):
        return sampler(*args, **{k: v for k, v in options.items() if k not in unknown})

    return call


def _check(length: int, num_frames: int, num_clips: int) -> int:
    if min(length, num_frames, num_clips) < 1:
        raise ValueError(
            "A video, a clip and a set of clips each have at least one member. "
            f"Received: length={length}, num_frames={num_frames}, num_clips={num_clips}"
        )
    return num_frames * num_clips


def _deal(indices: np.ndarray, num_clips: int) -> np.ndarray:
    return np.ascontiguousarray(indices.reshape(-1, num_clips).T)
