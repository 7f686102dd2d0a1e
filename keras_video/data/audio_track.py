"""The sound of a video as samples that lie beside its frames."""

import warnings
from collections.abc import Iterator

import av
import numpy as np

from keras_video.data.video_decode_error import VideoDecodeError, VideoDecodeWarning
from keras_video.data.video_source import VideoSource

# Time stamps are rounded, to 1 ms in Matroska; a lost packet is 20 ms or more.
_JITTER_SECONDS = 0.015
# Nothing is heard so long after the announced end: such a time stamp is damaged.
_SLACK_SECONDS = 60.0
_LONGEST_SECONDS = 86_400.0
_BLOCK = 1 << 20  # samples that the result grows by


class NoAudioTrackError(VideoDecodeError):
    """The `VideoDecodeError` of a file without a sound track.

    Example:

    >>> try:
    ...     sound = read_audio("silent_film.mp4")
    ... except NoAudioTrackError:
    ...     sound = np.zeros(0, "float32")
    """


def read_audio(path, sample_rate: int = 16000) -> np.ndarray:
    """Reads the sound track of a video, mono, from the time of its first frame on.

    Sample `i` is heard `i / sample_rate` seconds after the first frame is shown. A track that
    starts later begins with silence, one that starts earlier is cut. It ends where the track
    does, which may be before or after the last frame. Where packets are lost or damaged there is
    silence for their time; of damaged ones, and of a file that was cut off, a `VideoDecodeWarning`
    tells. Of several tracks, FFmpeg chooses.

    Channels are mixed and samples rounded to 16 bits as `ffmpeg -ac 1 -acodec pcm_s16le` does.
    While it reads, it needs a few megabytes more than the result, which is 230 MB an hour at
    16 kHz.

    Args:
        path: a path, a URL, `bytes` or a binary file object, of a video or of sound alone.
        sample_rate: samples per second of the result, 1000 to 384000. Defaults to 16000.

    Returns:
        float32 `(samples,)`, from -1 to 1.

    Raises:
        NoAudioTrackError: there is no sound track.
        VideoDecodeError: there is no such file, it holds no media, or none of its sound decodes.
        ValueError: `sample_rate` is out of range.

    Example:

    >>> sound = read_audio("match.mp4")
    >>> sound[16000 * 12 : 16000 * 13].std()  # how loud the thirteenth second is
    0.0713
    """
    whole = isinstance(sample_rate, int | np.integer) and not isinstance(sample_rate, bool)
    if not whole or not 1000 <= sample_rate <= 384_000:
        raise ValueError(
            "`sample_rate` must be an integer from 1000 to 384000, samples per second. "
            f"Received: sample_rate={sample_rate!r}"
        )
    source = VideoSource(path)
    try:
        with _opened(source) as container:
            return _Track(source, container, int(sample_rate)).read()
    finally:
        source.close()


def _opened(source: VideoSource):
    try:
        return av.open(
            source.for_ffmpeg(), metadata_errors="ignore", options={"protocol_whitelist": "file"}
        )
    except (av.error.FFmpegError, ValueError, OSError) as error:
        announced = source.announced_size()
        if announced > source.size:
            reason = f"truncated or damaged: {source.size} of its {announced} bytes are there"
        else:
            reason = f"FFmpeg finds neither picture nor sound in the {source.size} bytes"
        raise VideoDecodeError(source.name, reason) from error


class _Track:
    """One reading of one track."""

    def __init__(self, source: VideoSource, container, sample_rate: int):
        self._source, self._name = source, source.name
        self._container, self._rate = container, sample_rate
        self._stream = stream = container.streams.best("audio")
        if stream is None:
            kinds = sorted({other.type for other in container.streams})
            raise NoAudioTrackError(
                source.name,
                f"the file has no sound track, only {' and '.join(kinds) or 'nothing'}; give a "
                "file with sound, or take a model that needs none",
            )
        if stream.codec_context is None:
            raise VideoDecodeError(
                source.name, "the installed FFmpeg has no decoder for the codec of its sound"
            )
        self._zero = _start(container.streams.best("video"))
        if self._zero is None:
            self._zero = _start(stream) or 0.0
        self._limit = _LONGEST_SECONDS
        if container.duration:
            # The announced duration counts from the earliest stream, this limit from the video.
            self._limit = container.duration / av.time_base + _SLACK_SECONDS
        self._sound = np.zeros(0, "float32")
        self._end = 0  # of what the result holds
        self._resampler = None
        self._form = None
        self._anchor = 0.0  # seconds that the resampler's first sample is heard at
        self._taken = self._given = 0  # samples since then: at the track's rate, at the result's
        self._damaged = 0

    def read(self) -> np.ndarray:
        decoded = 0
        for frame in self._frames():
            decoded += 1
            self._take(frame)
        self._flush()
        if not decoded:
            raise VideoDecodeError(
                self._name, f"nothing of its sound decodes; {self._damaged} packets are damaged"
            )
        if damages := "; ".join(self._damages()):
            warnings.warn(f"{self._name}: {damages}", VideoDecodeWarning, stacklevel=3)
        self._sound.resize(self._end, refcheck=False)
        return self._sound

    def _damages(self) -> Iterator[str]:
        if self._damaged:
            yield f"{self._damaged} packets of its sound are damaged; silence stands in for them"
        if self._source.announced_size() > self._source.size:
            yield f"the file is truncated: its sound ends at {self._end / self._rate:.1f} s"

    def _frames(self) -> Iterator[av.AudioFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                self._damaged += 1
                return  # unreadable from here on
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self._damaged += 1
                self._lose(packet)
                continue
            yield from frames

    def _lose(self, packet) -> None:
        """Silence for a packet, which matters at the end; elsewhere the next one's time tells."""
        if packet.pts is None:
            return
        end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - self._zero
        if 0 < end < self._limit:
            self._make_room(round(end * self._rate))

    def _take(self, frame: av.AudioFrame) -> None:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        expected = self._anchor + self._taken / frame.sample_rate
        time = expected
        if frame.pts is not None and frame.time_base:
            time = float(frame.pts * frame.time_base) - self._zero
        if not -_LONGEST_SECONDS < time < self._limit:
            time = expected
        if form != self._form or abs(time - expected) > _JITTER_SECONDS:
            self._flush()
            self._form, self._anchor = form, time
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=self._rate)
        self._taken += frame.samples
        for resampled in self._resampler.resample(frame):
            self._write(resampled)

    def _flush(self) -> None:
        if self._resampler is not None:
            for resampled in self._resampler.resample(None):
                self._write(resampled)
        self._resampler, self._taken, self._given = None, 0, 0

    def _write(self, resampled: av.AudioFrame) -> None:
        samples = resampled.to_ndarray()[0]
        start = round(self._anchor * self._rate) + self._given
        self._given += len(samples)
        samples = samples[max(-start, 0) :]
        if len(samples):
            start = max(start, 0)
            self._make_room(start + len(samples))
            np.divide(samples, np.float32(32768), out=self._sound[start : start + len(samples)])

    def _make_room(self, end: int) -> None:
        self._end = max(self._end, end)
        if end > len(self._sound):
            # In place, with zeros: a list of parts would need the memory twice.
            self._sound.resize(end + _BLOCK, refcheck=False)


def _start(stream) -> float | None:
    """Seconds at which a stream begins; None without one, or where that is a cover picture."""
    if stream is None or stream.start_time is None:
        return None
    if stream.type == "video" and stream.disposition & stream.disposition.attached_pic:
        return None
    return float(stream.start_time * stream.time_base)
