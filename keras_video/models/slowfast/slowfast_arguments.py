"""`check_arguments`: what the sizes of SlowFast and SlowOnly may be."""

from keras_video.models.slowfast.pathway import BLOCKS

OPTIONAL = ("num_frames", "image_size", "pool_size")


def check_arguments(**arguments) -> None:
    """Raises `ValueError` for an argument that is not a positive integer or not a known depth."""
    for name, value in arguments.items():
        if value is None and name in OPTIONAL:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            none = ", or None for any" if name in OPTIONAL else ""
            raise ValueError(
                f"`{name}` must be a positive integer{none}. Received: {name}={value!r}"
            )
        if name == "depth" and value not in BLOCKS:
            raise ValueError(f"`depth` must be one of {list(BLOCKS)}. Received: depth={value!r}")
