"""The turn and the mirroring with which a container wants a video shown."""

import math

import numpy as np
from av.video.reformatter import VideoReformatter


class DisplayMatrix:
    """How the pictures of a stream become upright.

    Phones write landscape pictures and a matrix that turns them. Only whole quarter turns and
    mirrorings are applied, as other players do.

    Args:
        values: `(a, b, c, d)` of x' = a x + c y, y' = b x + d y, with y pointing down.

    Attributes:
        turns: `upright` exchanges height and width.
    """

    def __init__(self, values: tuple[int, int, int, int] = (1, 0, 0, 1)):
        a, b, c, d = values
        self.turns = abs(b) > abs(a)
        self._flip_x, self._flip_y = (c < 0, b < 0) if self.turns else (a < 0, d < 0)

    def upright(self, image: np.ndarray) -> np.ndarray:
        """Turns and mirrors a decoded picture.

        Args:
            image: `(height, width, channels)`.

        Returns:
            The picture as it is to be seen; contiguous in memory if anything was to be done.
        """
        if not (self.turns or self._flip_x or self._flip_y):
            return image
        if self.turns:
            image = image.transpose(1, 0, 2)
        image = image[:: -1 if self._flip_y else 1, :: -1 if self._flip_x else 1]
        return np.ascontiguousarray(image)


class DisplayMatrices:
    """The display matrix of each frame of a stream.

    PyAV ties a frame whose side data is looked at into a reference cycle, and its picture stays in
    memory until Python's garbage collector runs. So a matrix is read once, from a thumbnail of
    the first frame, and again only at a frame whose angle of rotation is another.
    """

    def __init__(self):
        self._by_angle: dict[int, DisplayMatrix] = {}

    def of(self, frame) -> DisplayMatrix:
        """The `DisplayMatrix` of an `av.VideoFrame`."""
        angle = frame.rotation
        if angle not in self._by_angle:
            self._by_angle[angle] = _read(frame)
        return self._by_angle[angle]


def _read(frame) -> DisplayMatrix:
    thumbnail = VideoReformatter().reformat(frame, 2, 2, "gray", interpolation="POINT", threads=1)
    try:
        listed = list(thumbnail.side_data)
    except ValueError:
        # Something that PyAV has no name for, such as EXIF; the angle can still be told.
        radians = math.radians(frame.rotation)
        cos, sin = round(math.cos(radians)), round(math.sin(radians))
        return DisplayMatrix((cos, -sin, sin, cos))
    for data in listed:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32, 5).tolist()
            return DisplayMatrix((a, b, c, d))
    return DisplayMatrix()
