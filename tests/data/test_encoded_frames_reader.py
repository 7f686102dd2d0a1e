"""Videos in pictures: lists of encoded frames and folders of numbered files."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_video.data import (
    EncodedFramesReader,
    FrameFolderReader,
    VideoDecodeError,
    VideoPipeline,
    open_video,
)


def encode(picture, format="JPEG", **settings):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format, **settings)
    return file.getvalue()


@pytest.fixture(scope="module")
def pictures(tools):
    return [encode(tools.draw_frame(number), quality=95) for number in range(20)]


@pytest.fixture
def folder(tmp_path, pictures):
    for number, picture in enumerate(pictures, start=1):
        (tmp_path / f"img_{number:05d}.jpg").write_bytes(picture)
    return tmp_path


def numbers(reader, indices, tools):
    return [tools.read_number(frame) for frame in reader.get_frames(indices)]


def test_frames_by_number(pictures, tools):
    with EncodedFramesReader(pictures, fps=10, name="shard") as reader:
        assert (len(reader), reader.width, reader.height, reader.fps) == (20, 96, 64, 10)
        assert reader.duration == pytest.approx(2.0)
        assert numbers(reader, [7, 0, 19, 7], tools) == [7, 0, 19, 7]
        assert np.array_equal(
            reader.get_frames([3])[0], np.asarray(Image.open(io.BytesIO(pictures[3])))
        )
    with pytest.raises(RuntimeError, match="shard is closed"):
        reader.get_frames([0])


def test_only_frames_asked_for_are_loaded(pictures):
    loaded = []

    class Recorder(list):
        def __getitem__(self, number):
            loaded.append(number)
            return super().__getitem__(number)

    EncodedFramesReader(Recorder(pictures)).get_frames([5, 5, 9])
    assert set(loaded) == {0, 5, 9}


def test_open_video_takes_a_list_of_pictures(pictures, tools):
    with open_video(pictures) as reader:
        assert numbers(reader, [12], tools) == [12]
    views = VideoPipeline(short_side=64, crop_size=64)(pictures)
    assert views.shape == (1, 8, 64, 64, 3)


def test_grey_and_transparent_pictures_become_rgb(tools):
    picture = tools.draw_frame(9)
    grey = encode(picture[..., 0], "PNG")
    transparent = encode(np.dstack([picture, picture[..., 0]]), "PNG")
    frames = EncodedFramesReader([grey, transparent]).get_frames([0, 1])
    assert np.array_equal(frames[0], np.repeat(picture[..., :1], 3, axis=-1))
    assert np.array_equal(frames[1], picture)


def test_pictures_of_other_sizes_take_that_of_the_first(tools):
    sizes = [(96, 64), (192, 128)]
    pictures = [encode(tools.draw_frame(5, *size), "PNG") for size in sizes]
    frames = EncodedFramesReader(pictures).get_frames([1])
    assert frames.shape == (1, 64, 96, 3) and tools.read_number(frames[0]) == 5


def test_timestamps_may_be_given(pictures):
    times = np.cumsum(np.linspace(0.1, 0.2, 20))
    assert np.array_equal(EncodedFramesReader(pictures, timestamps=times).timestamps, times)
    with pytest.raises(ValueError, match="one number for each of the 20 frames"):
        EncodedFramesReader(pictures, timestamps=times[1:])
    with pytest.raises(ValueError, match="`fps` must be positive. Received: fps=0"):
        EncodedFramesReader(pictures, fps=0)


def test_damaged_pictures_are_named(pictures):
    broken = [pictures[0], b"nothing", pictures[2][:400]]
    with EncodedFramesReader(broken, name="a.tfrecord#3") as reader:
        for number in (1, 2):
            message = rf"^a.tfrecord#3: frame {number} of 3 is not a whole picture: .*[^:] *$"
            with pytest.raises(VideoDecodeError, match=message):
                reader.get_frames([number])
    with pytest.raises(VideoDecodeError, match="there is no frame"):
        open_video([])


@pytest.mark.parametrize("kind", ["path", "str"])
def test_a_folder_of_pictures_is_a_video(folder, kind, tools):
    with open_video(folder if kind == "path" else str(folder)) as reader:
        assert isinstance(reader, FrameFolderReader)
        assert (len(reader), reader.name) == (20, str(folder))
        assert numbers(reader, [19, 0, 4], tools) == [19, 0, 4]
    assert VideoPipeline(short_side=64, crop_size=64)(str(folder)).shape == (1, 8, 64, 64, 3)


def test_numbers_count_not_names(tmp_path, tools):
    for number in range(12):
        Image.fromarray(tools.draw_frame(number)).save(tmp_path / f"{number}.png")
    (tmp_path / "cover.jpg").write_bytes(b"no number")
    (tmp_path / "notes_1.txt").write_text("no picture")
    with FrameFolderReader(tmp_path, fps=12) as reader:
        assert len(reader) == 12 and reader.duration == pytest.approx(1.0)
        assert numbers(reader, range(12), tools) == list(range(12))


def test_optical_flow_beside_the_pictures_is_not_read(folder, pictures, tools):
    for name in ("flow_x_00001.jpg", "flow_y_00001.jpg"):
        (folder / name).write_bytes(pictures[0])
    assert len(FrameFolderReader(folder)) == 20
    assert len(FrameFolderReader(folder, prefix="flow_x_")) == 1


def test_several_series_are_refused(folder, pictures):
    (folder / "thumb_00001.jpg").write_bytes(pictures[0])
    with pytest.raises(VideoDecodeError, match=r"prefix=...\), of \['img_', 'thumb_'\]"):
        FrameFolderReader(folder)
    assert len(FrameFolderReader(folder, prefix="img_")) == 20
    with pytest.raises(VideoDecodeError, match="no numbered pictures"):
        FrameFolderReader(folder, prefix="image_")


def test_missing_pictures_are_an_error_unless_allowed(folder, tools):
    for number in (3, 4):
        (folder / f"img_{number:05d}.jpg").unlink()
    with pytest.raises(VideoDecodeError, match="2 of the pictures 1 to 20 are missing, 3 the"):
        open_video(folder)
    with open_video(folder, allow_truncated=True) as reader:
        assert numbers(reader, [1, 2], tools) == [1, 4]


def test_two_pictures_of_one_number(folder, pictures):
    (folder / "img_5.jpg").write_bytes(pictures[0])
    with pytest.raises(VideoDecodeError, match="two pictures have the number 5"):
        open_video(folder)


def test_a_picture_deleted_after_opening(folder):
    with open_video(folder) as reader:
        (folder / "img_00008.jpg").unlink()
        with pytest.raises(VideoDecodeError, match="img_00008.jpg cannot be read: No such file"):
            reader.get_frames([7])


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        FrameFolderReader(tmp_path / "none")
