"""Sound as a picture: how loud each band of frequencies is at each time."""

import functools

import numpy as np

from keras_video.data.sound_samples import checked_sound

_WINDOW_SECONDS, _HOP_SECONDS, _EXAMPLE_SECONDS = 0.040, 0.020, 1.0
_BANDS, _LOWEST_HERTZ, _HIGHEST_HERTZ = 64, 125.0, 7500.0
_OFFSET = 0.01
_STEPS_AT_ONCE = 1024


def log_mel(samples: np.ndarray, sample_rate: int = 16000) -> np.ndarray:
    """Computes the log-mel spectrogram that the sound models of PaddleVideo take.

    Every 20 ms begins a window of 40 ms (periodic Hann), whose magnitudes (FFT of the next power of
    two) are summed up in 64 triangular bands of equal width in mel from 125 to 7500 Hz; the result
    is `log(band + 0.01)`. 20 ms of silence follow the sound, so that step `i` tells of the sound
    from `i * 20 ms` on and `samples` give `len(samples) // hop` steps.

    Computed in float64, a thousand steps at a time: whatever the length, this takes some 20 MB
    beside the result, which is 46 MB an hour.

    Args:
        samples: mono sound, floats from -1 to 1, `(samples,)`, such as `read_audio` gives.
        sample_rate: samples per second, at least 15000. Defaults to 16000.

    Returns:
        float32 `(steps, 64)`, 50 steps a second.

    Raises:
        ValueError: no samples, another shape, integers, values out of range or NaN, or a rate that
            is too low.

    Example:

    >>> log_mel(np.zeros(16000, "float32")).shape
    (50, 64)

    Reference: Hershey et al., "CNN Architectures for Large-Scale Audio Classification",
    https://arxiv.org/abs/1609.09430, whose windows are of 25 ms every 10 ms; the mel scale is that
    of HTK, `1127 log(1 + hertz / 700)`.
    """
    samples = checked_sound(samples, "samples")
    if not isinstance(sample_rate, int | np.integer) or sample_rate < 2 * _HIGHEST_HERTZ:
        raise ValueError(
            f"`sample_rate` must be an integer from {2 * _HIGHEST_HERTZ:.0f}; bands reach "
            f"{_HIGHEST_HERTZ:.0f} Hz; resample the sound to 16000. "
            f"Received: sample_rate={sample_rate!r}"
        )
    window_length, hop = round(_WINDOW_SECONDS * sample_rate), round(_HOP_SECONDS * sample_rate)
    fft_length = 1 << (window_length - 1).bit_length()
    window = 0.5 - 0.5 * np.cos(2 * np.pi / window_length * np.arange(window_length))
    bands = _mel_bands(int(sample_rate), fft_length // 2 + 1)
    steps = len(samples) // hop
    result = np.empty((steps, _BANDS), "float32")
    for first in range(0, steps, _STEPS_AT_ONCE):
        last = min(first + _STEPS_AT_ONCE, steps)
        part = np.zeros((last - first - 1) * hop + window_length)
        heard = samples[first * hop : first * hop + len(part)]
        part[: len(heard)] = heard
        windows = np.lib.stride_tricks.sliding_window_view(part, window_length)[::hop] * window
        magnitudes = np.abs(np.fft.rfft(windows, fft_length))
        result[first:last] = np.log(magnitudes @ bands + _OFFSET)
    return result


def log_mel_examples(samples: np.ndarray, sample_rate: int = 16000) -> np.ndarray:
    """Cuts the log-mel spectrogram into seconds, the examples of `keras_video.models.VGGish`.

    Args:
        samples: see `log_mel`. What is left after the last whole second is left out.
        sample_rate: see `log_mel`.

    Returns:
        float32 `(seconds, 50, 64)`; no seconds for sound that is shorter than one.

    Raises:
        ValueError: see `log_mel`.

    Example:

    >>> log_mel_examples(keras_video.data.read_audio("match.mp4")).shape
    (60, 50, 64)
    """
    spectrogram = log_mel(samples, sample_rate)
    steps = round(_EXAMPLE_SECONDS / _HOP_SECONDS)
    seconds = len(spectrogram) // steps
    return spectrogram[: seconds * steps].reshape(seconds, steps, _BANDS)


@functools.cache
def _mel_bands(sample_rate: int, num_bins: int) -> np.ndarray:
    """Weights of the FFT's bins in each band, `(bins, 64)`."""
    mel = _hertz_to_mel(np.linspace(0, sample_rate / 2, num_bins))[:, None]
    edges = np.linspace(_hertz_to_mel(_LOWEST_HERTZ), _hertz_to_mel(_HIGHEST_HERTZ), _BANDS + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (mel - low) / (middle - low), (high - mel) / (high - middle)
    return np.maximum(0, np.minimum(rising, falling))


def _hertz_to_mel(hertz):
    return 1127.0 * np.log(1 + hertz / 700.0)
