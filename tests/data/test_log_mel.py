"""Log-mel spectrograms: the reference's numbers, at every length, in little memory."""

import pathlib
import tracemalloc

import numpy as np
import pytest

from keras_video.data import log_mel, log_mel_examples

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "audio" / "log_mel.npz"


def test_examples_equal_the_reference():
    golden = np.load(GOLDEN)
    examples = log_mel_examples(golden["pcm"] / np.float32(32768))
    assert examples.shape == (2, 50, 64) and examples.dtype == np.float32
    np.testing.assert_allclose(examples, golden["examples"], atol=1e-5)


def test_a_step_depends_on_its_40_ms_only():
    """Also at the seams of the blocks that long sound is computed in."""
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 320 * 2500 + 100).astype("float32")
    whole = log_mel(sound)
    assert whole.shape == (2500, 64)
    for step in (0, 1022, 1023, 1024, 2047, 2048, 2499):
        alone = np.append(sound[step * 320 : step * 320 + 640], np.zeros(640, "float32"))
        if step == 2499:
            alone[420:] = 0
        np.testing.assert_allclose(log_mel(alone)[0], whole[step], atol=1e-5)


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
def test_a_tone_is_loudest_in_its_band_at_every_rate(rate):
    time = np.arange(rate) / rate
    peaks = [log_mel(0.5 * np.sin(2 * np.pi * f * time), rate) for f in (500, 2000, 6000)]
    assert all(abs(len(peak) - 50) <= 1 for peak in peaks)
    mel = 1127 * np.log(1 + np.array([500, 2000, 6000, 125, 7500]) / 700)
    bands = (mel[:3] - mel[3]) / (mel[4] - mel[3]) * 65 - 1
    for peak, band in zip(peaks, bands, strict=True):
        assert abs(peak.mean(axis=0).argmax() - band) < 1


def test_silence_is_the_logarithm_of_the_offset():
    np.testing.assert_allclose(log_mel(np.zeros(3200, "float32")), np.log(0.01), rtol=1e-6)


@pytest.mark.parametrize("count, steps", [(1, 0), (319, 0), (320, 1), (15999, 49), (16000, 50)])
def test_every_20_ms_is_a_step_and_50_are_an_example(count, steps):
    sound = np.full(count, 0.1, "float32")
    assert log_mel(sound).shape == (steps, 64)
    assert log_mel_examples(sound).shape == (steps // 50, 50, 64)


def test_memory_does_not_grow_with_the_sound():
    sound = np.zeros(16000 * 300, "float32")
    tracemalloc.start()
    try:
        size = log_mel(sound).nbytes
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size + 40e6


@pytest.mark.parametrize(
    "samples, received",
    [
        (np.zeros(0, "float32"), r"shape=\(0,\)"),
        (np.zeros((2, 16000), "float32"), r"shape=\(2, 16000\)"),
        (np.zeros(16000, "int16"), "dtype=int16"),
        (np.full(16000, np.nan), "from nan to nan"),
        (np.full(16000, 300.0), "to 300.0"),
    ],
)
def test_what_is_no_sound_is_refused(samples, received):
    for function in (log_mel, log_mel_examples):
        with pytest.raises(ValueError, match=f"`samples`.*Received: samples.*{received}"):
            function(samples)


@pytest.mark.parametrize("rate", [8000, 0, float("nan"), float("inf"), 16000.5])
def test_rates_without_the_highest_band_are_refused(rate):
    with pytest.raises(ValueError, match=f"resample.*Received: sample_rate={rate}"):
        log_mel(np.zeros(16000, "float32"), rate)
