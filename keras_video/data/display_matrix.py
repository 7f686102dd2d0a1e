"""The turn and the mirroring with which a container wants a video shown."""

import numpy as np


def upright(image: np.ndarray, frame) -> np.ndarray:
    """Turns and mirrors a decoded picture by its frame's display matrix.

    Phones write landscape pictures and a matrix that turns them. Only whole quarter turns and
    mirrorings are applied, as other players do.

    Args:
        image: `(height, width, 3)`.
        frame: the `av.VideoFrame` that the picture comes from.

    Returns:
        The picture as it is to be seen, contiguous in memory.
    """
    matrix = _matrix(frame)
    if matrix is None:
        return image
    a, b, c, d = matrix
    if abs(b) > abs(a):
        image = image.transpose(1, 0, 2)
        flip_x, flip_y = c < 0, b < 0
    else:
        flip_x, flip_y = a < 0, d < 0
    image = image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
    return np.ascontiguousarray(image)


def is_turned(frame) -> bool:
    """Whether `upright` exchanges the height and the width of a decoded frame."""
    matrix = _matrix(frame)
    return matrix is not None and abs(matrix[1]) > abs(matrix[0])


def _matrix(frame) -> tuple[int, int, int, int] | None:
    """`(a, b, c, d)` of x' = a x + c y, y' = b x + d y, with y pointing down; None for none."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return None
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32, 5).tolist()
    return a, b, c, d
