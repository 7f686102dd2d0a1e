"""What the commands share: exit codes, types of arguments, the model of a preset."""

import argparse
import contextlib

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 1, 2, 130, 141
DEFAULT_PRESET = "pp_tsm_k400"


def positive(text: str) -> int:
    """A whole number from 1."""
    value = int(text) if text.lstrip("+-").isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1. Received: {text}")
    return value


def natural(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0. Received: {text}")
    return int(text)


def share(text: str) -> float:
    """A number from 0 to less than 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to less than 1. Received: {text}")
    return value


def load_model(preset: str, debug: bool = False):
    """Loads the model of a preset without TensorFlow's start-up messages."""
    from keras_video.console import quiet_tensorflow

    with quiet_tensorflow(debug):
        from keras_video.models import VideoClassifier
    return VideoClassifier.from_preset(preset)


def require_decoder(name: str) -> None:
    """Raises at once what would else be said of every video: unknown, or not installed."""
    from keras_video.data import VideoDecodeError, open_video

    with contextlib.suppress(VideoDecodeError):
        open_video(b"", decoder=name)
