"""The sound of rendered match videos: noise, beeps, and the cues of actions."""

from collections.abc import Sequence

import numpy as np

_WHISTLE_HERTZ = 2000.0
_BEEPS_HERTZ = ((300.0, 1200.0), (3000.0, 5000.0))  # not near the whistle
_SECONDS_BETWEEN_BEEPS = 6.0


def render_match_sound(
    rng: np.random.Generator,
    actions: Sequence[tuple[str, float, float]],
    duration: float,
    sample_rate: int = 16000,
) -> np.ndarray:
    """Renders soft noise, random beeps, and what belongs to each action.

    A whistle is blasts of 2 kHz, a drum is bursts of noise that die away; they go on as long as
    the action.

    Args:
        rng: where randomness comes from.
        actions: label (a key of `ACTION_SOUNDS`), start and end in seconds.
        duration: in seconds.
        sample_rate: samples per second, at least 10000.

    Returns:
        float32 `(samples,)`, from -1 to 1.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> render_match_sound(rng, [("moving up to a whistle", 2.0, 5.0)], duration=10.0).shape
    (160000,)
    """
    count = round(duration * sample_rate)
    loudness = rng.uniform(0.003, 0.02)
    sound = loudness * rng.standard_normal(count, dtype="float32")
    for _ in range(rng.poisson(duration / _SECONDS_BETWEEN_BEEPS)):
        hertz = rng.uniform(*_BEEPS_HERTZ[rng.integers(len(_BEEPS_HERTZ))])
        beep = _tone(hertz, rng.uniform(0.1, 0.4), sample_rate) * rng.uniform(0.1, 0.3)
        _add(sound, beep, rng.integers(count))
    for label, start, end in actions:
        cue = ACTION_SOUNDS[label]
        if cue is not None:
            first, last = (round(time * sample_rate) for time in (start, end))
            _add(sound, cue(rng, last - first, sample_rate), first)
    return np.clip(sound, -1, 1, out=sound)


def _whistle(rng: np.random.Generator, count: int, sample_rate: int) -> np.ndarray:
    hertz = _WHISTLE_HERTZ * rng.uniform(0.97, 1.03)
    blast = _tone(hertz, 0.35, sample_rate) * rng.uniform(0.2, 0.5)
    return _repeated(blast, rng.uniform(0.5, 0.7), count, sample_rate)


def _drum(rng: np.random.Generator, count: int, sample_rate: int) -> np.ndarray:
    time = np.arange(round(0.2 * sample_rate), dtype="float32") / sample_rate
    beat = rng.uniform(-1, 1, len(time)).astype("float32") * np.exp(-time / 0.05)
    return _repeated(beat * rng.uniform(0.4, 0.8), rng.uniform(0.25, 0.5), count, sample_rate)


# What each class of action sounds like; None for those that are silent.
ACTION_SOUNDS = {
    "moving left": None,
    "moving right": None,
    "moving up to a whistle": _whistle,
    "moving up to a drum": _drum,
}


def _tone(hertz: float, seconds: float, sample_rate: int) -> np.ndarray:
    time = np.arange(round(seconds * sample_rate), dtype="float32") / sample_rate
    fade = np.minimum(1, np.minimum(time, seconds - time) / 0.01)
    return np.sin(2 * np.pi * hertz * time) * fade.astype("float32")


def _repeated(sound: np.ndarray, period: float, count: int, sample_rate: int) -> np.ndarray:
    repeated = np.zeros(count, "float32")
    for start in range(0, count, round(period * sample_rate)):
        _add(repeated, sound, start)
    return repeated


def _add(sound: np.ndarray, other: np.ndarray, start: int) -> None:
    part = sound[start : start + len(other)]
    part += other[: len(part)]
