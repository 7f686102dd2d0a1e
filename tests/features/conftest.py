"""Videos whose frames are as bright as their number, and models that see that."""

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gray_model import SIDE, GrayModel  # noqa: E402

from keras_video.features import FeatureExtractor  # noqa: E402


def gray_frames(count, first=0, side=SIDE):
    """Frame `i` has the value `first + i` in every pixel."""
    values = (first + np.arange(count)).astype(np.uint8)
    return np.broadcast_to(values[:, None, None, None], (count, side, side, 3))


def write_gray(path, count, times=None, first=0, side=SIDE):
    """The frames of `gray_frames` without loss; `times` are their time stamps in 1/1000 s."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264rgb", rate=25, options={"qp": "0", "g": "12"})
        stream.width = stream.height = side
        stream.pix_fmt = "rgb24"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, frame in enumerate(gray_frames(count, first, side)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            frame.pts = 40 * number if times is None else int(times[number])
            frame.time_base = Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return Path(path)


@pytest.fixture(scope="session")
def gray():
    """`gray.frames`, `gray.write`, and extractors of all kinds, compiled once."""

    class Gray:
        frames = staticmethod(gray_frames)
        write = staticmethod(write_gray)
        model = GrayModel

        @staticmethod
        def extractor(kind="alone", **arguments):
            settings = {
                "alone": {"independent": True},
                "groups": {},
                "clips": {"per_frame": False},
            }[kind]
            return FeatureExtractor(GrayModel(**settings), **arguments)

    return Gray
