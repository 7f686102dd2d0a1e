"""The sound of rendered matches: each cue where its action is, and nowhere else."""

import numpy as np
import pytest

from keras_video.data.match_sounds import ACTION_SOUNDS, render_match_sound


def loudness(sound, start, end, low, high):
    """Mean power between two frequencies, of a stretch of time."""
    part = sound[int(start * 16000) : int(end * 16000)]
    power = np.abs(np.fft.rfft(part)) ** 2
    hertz = np.fft.rfftfreq(len(part), 1 / 16000)
    return power[(hertz >= low) & (hertz < high)].sum() / len(part) ** 2


@pytest.mark.parametrize("seed", range(5))
def test_cues_sound_during_their_actions_only(seed):
    plan = [("moving up to a whistle", 4.0, 8.0), ("moving up to a drum", 12.0, 16.0)]
    sound = render_match_sound(np.random.default_rng(seed), plan, 20.0)
    assert sound.shape == (320000,) and sound.dtype == np.float32 and np.abs(sound).max() <= 1
    whistle = [loudness(sound, start, start + 4, 1900, 2100) for start in range(0, 20, 4)]
    assert np.argmax(whistle) == 1 and whistle[1] > 10 * max(whistle[0], *whistle[2:])
    drum = [loudness(sound, start, start + 4, 6000, 8000) for start in range(0, 20, 4)]
    assert np.argmax(drum) == 3 and drum[3] > 10 * max(*drum[:3], drum[4])


def test_silent_actions_add_nothing():
    silent = [label for label, cue in ACTION_SOUNDS.items() if cue is None]
    assert len(silent) == 2
    plan = [(label, 1.0, 4.0) for label in silent]
    first = render_match_sound(np.random.default_rng(0), plan, 5.0)
    np.testing.assert_array_equal(first, render_match_sound(np.random.default_rng(0), [], 5.0))
