"""The sound track of a video that is being written."""

import numpy as np

_CHUNK = 8192  # samples, some frames of AAC


class SoundEncoder:
    """Adds an AAC track to an open container and fills it as the picture goes on.

    Args:
        output: an `av` container open for writing, to which nothing was written yet.
        sound: checked by `checked_sound`.
        sample_rate: samples per second that AAC knows, such as 16000, 44100, 48000.

    Raises:
        ValueError: the rate is none of AAC's.
    """

    def __init__(self, output, sound: np.ndarray, sample_rate: int):
        import av

        rates = av.codec.Codec("aac", "w").audio_rates
        if sample_rate not in rates:
            raise ValueError(
                f"`sample_rate` must be one of AAC's: {', '.join(map(str, sorted(rates)))}. "
                f"Received: sample_rate={sample_rate!r}"
            )
        self._output, self._sound, self._rate = output, sound, sample_rate
        self._written = 0
        self._stream = output.add_stream(
            "aac", rate=sample_rate, layout="mono", options={"aac_coder": "fast"}
        )
        self._stream.bit_rate = 64_000
        self._stream.codec_context.thread_count = 1

    def write_until(self, seconds: float) -> None:
        """Writes what is heard before a time, so that picture and sound lie side by side."""
        self._write(min(int(seconds * self._rate), len(self._sound)) // _CHUNK * _CHUNK)

    def finish(self) -> None:
        """Writes the rest."""
        self._write(len(self._sound))
        self._output.mux(self._stream.encode(None))

    def _write(self, end: int) -> None:
        import av

        while self._written < end:
            samples = self._sound[self._written : min(self._written + _CHUNK, end)]
            frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = self._rate, self._written
            self._written += len(samples)
            self._output.mux(self._stream.encode(frame))
