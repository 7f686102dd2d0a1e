"""Sound beside the picture: the right samples at the right time, whatever the file is like."""

import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest

from keras_video.data import (
    NoAudioTrackError,
    VideoDecodeError,
    VideoDecodeWarning,
    read_audio,
    write_video,
)

PICTURES = np.zeros((40, 16, 16, 3), "uint8")  # 4 seconds at 10 a second


def beeps(*times, seconds=4.0, rate=16000):
    """Short tones of 1 kHz, and silence."""
    sound = np.zeros(int(seconds * rate), "float32")
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate // 20) / rate)
    for time in times:
        sound[int(time * rate) : int(time * rate) + len(tone)] = tone
    return sound


def heard(sound, rate=16000):
    """Seconds at which tones begin."""
    loud = np.abs(sound) > 0.15
    first = [i for i in np.flatnonzero(loud) if not loud[max(i - rate // 10, 0) : i].any()]
    return np.array(first) / rate


def write_streams(path, sound, rate, codec="pcm_s16le", offset=0.0, picture_offset=0.0, drop=()):
    """A video whose picture and sound start when told, without the packets of `drop`."""
    with av.open(str(path), "w") as output:
        picture = output.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 16
        layout = "mono" if sound.ndim == 1 else "stereo"
        track = output.add_stream(codec, rate=rate, layout=layout)
        packets = []
        for number in range(40):
            frame = av.VideoFrame.from_ndarray(PICTURES[number], format="rgb24")
            frame.pts, frame.time_base = number + round(picture_offset * 10), Fraction(1, 10)
            packets += picture.encode(frame)
        packets += picture.encode(None)
        samples = np.atleast_2d(sound)
        for start in range(0, samples.shape[1], 1024):
            part = (samples[:, start : start + 1024].T.reshape(1, -1) * 32767).astype("int16")
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout=layout)
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = start + round(offset * rate)
            packets += [packet for packet in track.encode(frame) if start // 1024 not in drop]
        packets += track.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)
    return path


def test_samples_are_those_that_were_written(tmp_path):
    sound = beeps(0.5, 2.0, 3.25)
    path = tmp_path / "video.mp4"
    write_video(path, PICTURES, fps=10, sound=sound)
    read = read_audio(path)
    assert read.dtype == np.float32 and read.ndim == 1
    assert abs(len(read) - 64000) <= 1024, "AAC fills up its last frame"
    np.testing.assert_allclose(heard(read), [0.5, 2.0, 3.25], atol=0.002)
    assert np.corrcoef(read[:64000], sound[: len(read)])[0, 1] > 0.98
    np.testing.assert_array_equal(read_audio(path.read_bytes()), read)


def test_lossless_sound_is_exact(tmp_path):
    sound = np.random.default_rng(0).integers(-32768, 32768, 64000) / 32768
    path = write_streams(tmp_path / "video.mkv", sound.astype("float32"), 16000)
    np.testing.assert_allclose(read_audio(path), sound, atol=1.01 / 32768)


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_other_rates_are_resampled_without_a_shift(tmp_path, rate):
    path = write_streams(tmp_path / "video.mkv", beeps(0.5, 2.0, rate=rate), rate)
    read = read_audio(path)
    assert abs(len(read) - 64000) <= 2
    np.testing.assert_allclose(heard(read), [0.5, 2.0], atol=0.001)
    slow = read_audio(path, sample_rate=8000)
    assert abs(len(slow) - 32000) <= 2
    np.testing.assert_allclose(heard(slow, 8000), [0.5, 2.0], atol=0.001)


def test_channels_are_averaged(tmp_path):
    left, right = beeps(0.5), beeps(0.5, 2.0)
    path = write_streams(tmp_path / "video.mkv", np.stack([left, right]), 16000)
    np.testing.assert_allclose(read_audio(path), (left + right) / 2, atol=3 / 32768)


def test_a_track_that_starts_later_begins_with_silence(tmp_path):
    path = write_streams(tmp_path / "video.mkv", beeps(0.5), 16000, offset=1.25)
    read = read_audio(path)
    np.testing.assert_allclose(heard(read), [1.75], atol=0.002)
    assert len(read) == 64000 + 20000 and not read[:20000].any()


def test_a_track_that_starts_earlier_is_cut(tmp_path):
    path = write_streams(tmp_path / "video.mkv", beeps(0.5, 2.5), 16000, picture_offset=1.5)
    read = read_audio(path)
    np.testing.assert_allclose(heard(read), [1.0], atol=0.002)
    assert len(read) == 64000 - 24000


def test_lost_packets_are_silence_and_the_rest_keeps_its_time(tmp_path):
    path = write_streams(tmp_path / "v.mkv", beeps(0.5, 1.5, 3.0), 16000, drop=range(20, 30))
    read = read_audio(path)
    np.testing.assert_allclose(heard(read), [0.5, 3.0], atol=0.002)
    assert len(read) == 64000 and not read[20 * 1024 + 20 : 30 * 1024 - 20].any()


@pytest.mark.parametrize("codec, name", [("flac", "video.mkv"), ("aac", "video.mp4")])
@pytest.mark.parametrize("where", ["middle", "end"])
def test_damaged_packets_are_silence_for_their_time(tmp_path, codec, name, where):
    sound = beeps(0.5, 1.5, 3.0)
    path = tmp_path / name
    if codec == "aac":
        write_video(path, PICTURES, fps=10, sound=sound)
    else:
        write_streams(path, sound, 16000, codec)
    whole = read_audio(path)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        places = [(p.pos, p.size, float(p.pts * p.time_base)) for p in packets]
    first, last = (1.4, 2.0) if where == "middle" else (2.5, 5.0)
    data = bytearray(path.read_bytes())
    for position, size, time in places:
        if first <= time < last:
            skip = data[position : position + 40].find(b"\xff\xf8") if codec == "flac" else 0
            data[position + skip : position + skip + min(size, 24)] = b"\xff" * min(size, 24)
    with pytest.warns(VideoDecodeWarning, match="packets of its sound are damaged"):
        read = read_audio(bytes(data))
    expected = [0.5, 3.0] if where == "middle" else [0.5, 1.5]
    np.testing.assert_allclose(heard(read), expected, atol=0.03)
    assert abs(len(read) - len(whole)) <= 1024


def test_a_file_that_was_cut_off_says_where_its_sound_ends(tmp_path):
    path = tmp_path / "video.mp4"
    write_video(path, PICTURES, fps=10, sound=beeps(0.5, 3.0))
    data = path.read_bytes()
    with pytest.warns(VideoDecodeWarning, match="truncated: its sound ends at"):
        read = read_audio(data[: -len(data) // 3])
    assert 8000 < len(read) < 64000


def test_silent_films_and_other_files_have_errors_of_their_own(tmp_path):
    silent = tmp_path / "silent.mp4"
    write_video(silent, PICTURES, fps=10)
    with pytest.raises(NoAudioTrackError, match="silent.mp4: the file has no sound track"):
        read_audio(silent)
    assert issubclass(NoAudioTrackError, ValueError)
    with pytest.raises(VideoDecodeError, match="there is no such file"):
        read_audio(tmp_path / "none.mp4")
    with pytest.raises(VideoDecodeError, match="neither picture nor sound"):
        read_audio(b"\x00\x01\x02" * 1000)
    for rate in (0, 16000.0, float("nan"), True):
        with pytest.raises(ValueError, match=f"Received: sample_rate={rate}"):
            read_audio(silent, sample_rate=rate)


def test_sound_alone_is_read_from_its_start(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as output:
        track = output.add_stream("pcm_s16le", rate=16000, layout="mono")
        samples = (beeps(0.5) * 32767).astype("int16")[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 16000
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    np.testing.assert_allclose(heard(read_audio(path)), [0.5], atol=0.001)


def test_memory_beside_the_result_is_bounded(tmp_path):
    path = write_streams(tmp_path / "v.mkv", np.zeros(16000 * 300, "float32"), 16000)
    tracemalloc.start()
    try:
        size = read_audio(path).nbytes
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == 4 * 16000 * 300 and peak < size + 8e6
