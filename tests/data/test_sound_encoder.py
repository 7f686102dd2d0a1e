"""Sound that `write_video` takes: what it refuses, and that picture and sound lie side by side."""

import io

import av
import numpy as np
import pytest

from keras_video.data import write_video

PICTURES = np.zeros((50, 16, 16, 3), "uint8")


@pytest.mark.parametrize(
    "sound, received",
    [
        (np.zeros((2, 100)), r"shape=\(2, 100\)"),
        (np.zeros(0), r"shape=\(0,\)"),
        (np.zeros(100, "int16"), "dtype=int16"),
        (np.array([0.0, np.nan]), "values from nan"),
        (np.array([0.0, 1.5]), "to 1.5"),
    ],
)
def test_what_is_no_mono_sound_is_refused(tmp_path, sound, received):
    with pytest.raises(ValueError, match=f"Received: .*{received}"):
        write_video(tmp_path / "video.mp4", PICTURES, sound=sound)
    assert not list(tmp_path.iterdir())


def test_rates_that_aac_does_not_know_are_refused(tmp_path):
    with pytest.raises(ValueError, match="16000.*Received: sample_rate=12345"):
        write_video(tmp_path / "video.mp4", PICTURES, sound=np.zeros(100), sample_rate=12345)
    assert not list(tmp_path.iterdir())


def test_picture_and_sound_lie_side_by_side():
    file = io.BytesIO()
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 48000 * 10)
    write_video(file, PICTURES, fps=5, sound=sound, sample_rate=48000)
    file.seek(0)
    with av.open(file) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        times = {"video": 0.0, "audio": 0.0}
        for packet in container.demux():
            if packet.size:
                times[packet.stream.type] = float(packet.dts * packet.time_base)
            # Encoders hold back some frames before the first packet.
            assert abs(times["video"] - times["audio"]) < 5.5
        assert min(times.values()) > 9


def test_the_same_sound_gives_the_same_bytes():
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 30000)
    files = [io.BytesIO() for _ in range(3)]
    for file in files:
        write_video(file, PICTURES, sound=sound)
    assert len({file.getvalue() for file in files}) == 1
