"""`VideoReader.visit_frames`: the frames of `get_frames`, one by one."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_video.data import EncodedFramesReader, VideoPreprocessor, open_video
from keras_video.data.crops import center_crop


@pytest.mark.parametrize(
    "name",
    ["h264 gop 12", "h264 open gop", "h264 intra refresh ts", "h264 avi with b", "mpeg2 ps", "vp9"],
)
def test_every_frame_is_the_one_of_its_number(encoding, tools, name):
    video = encoding(name)
    seen = {}
    with open_video(video.path) as reader:
        indices = [*range(3, video.frames, 2), 0, 3]
        reader.visit_frames(indices, lambda index, frame: seen.setdefault(index, frame.copy()))
        expected = reader.get_frames(sorted(set(indices)))
    assert sorted(seen) == sorted(set(indices))
    assert [tools.read_number(seen[i]) for i in sorted(seen)] == [
        video.first + i for i in sorted(seen)
    ]
    np.testing.assert_array_equal(np.stack([seen[i] for i in sorted(seen)]), expected)


@pytest.mark.parametrize("decoder", ["pyav", "opencv", "decord"])
def test_frames_come_in_order_with_any_decoder_and_size(encoding, tools, decoder):
    seen = []
    with open_video(encoding("h264 gop 12").path, decoder) as reader:
        reader.visit_frames(
            range(60), lambda index, frame: seen.append((index, frame)), size=(32, 48)
        )
    assert [index for index, _ in seen] == list(range(60))
    assert [tools.read_number(frame) for _, frame in seen] == list(range(60))
    assert {frame.shape for _, frame in seen} == {(32, 48, 3)}


def test_pictures_are_visited_too(tools):
    files = []
    for number in range(40):
        file = io.BytesIO()
        Image.fromarray(tools.draw_frame(number)).save(file, "PNG")
        files.append(file.getvalue())
    seen = []
    EncodedFramesReader(files).visit_frames(
        range(40), lambda i, f: seen.append(tools.read_number(f))
    )
    assert seen == list(range(40))


def test_frames_outside_and_errors_of_the_visitor_end_it(encoding):
    with open_video(encoding("h264 gop 12").path) as reader:
        with pytest.raises(IndexError, match="from 0 to 59"):
            reader.visit_frames([60], lambda index, frame: None)
        with pytest.raises(ValueError, match="at least one pixel"):
            reader.visit_frames([0], lambda index, frame: None, size=(0, 4))

        def stop(index, frame):
            raise KeyError(index)

        with pytest.raises(KeyError):
            reader.visit_frames([5, 6], stop)
        assert len(reader.get_frames([5])) == 1


@pytest.mark.parametrize("interpolation", ["bilinear", "decoder"])
def test_a_preprocessor_visits_the_center_of_its_frames(encoding, interpolation):
    pipeline = VideoPreprocessor(short_side=40, crop_size=32, interpolation=interpolation)
    with open_video(encoding("h264 gop 12").path) as reader:
        seen = []
        pipeline.visit_frames(reader, range(0, 60, 7), lambda i, frame: seen.append(frame))
        expected = center_crop(pipeline.read_frames(reader, range(0, 60, 7)), 32)
    np.testing.assert_array_equal(np.stack(seen), expected)
