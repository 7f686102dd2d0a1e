"""The command `keras-video dataset render`."""

import argparse
from pathlib import Path

from keras_video.cli_common import count_of, natural, positive


def add_render(command) -> None:
    """Adds `keras-video dataset render`."""
    render = command(
        "render",
        _render,
        "write short videos of moving shapes, to try the others with",
        description="Writes short videos of moving shapes in a folder for each class, to try the "
        "other commands and a training with. Needs no network.",
    )
    render.add_argument("folder", type=Path, metavar="FOLDER")
    render.add_argument(
        "--videos", type=positive, default=160, metavar="N", help="(default: %(default)s)"
    )
    render.add_argument(
        "--seed",
        type=natural,
        default=0,
        metavar="N",
        help="which videos: two seeds have none in common (default: %(default)s)",
    )
    render.add_argument(
        "--pairs",
        action="store_true",
        help="both directions of a motion are one class: four classes that no preset knows, "
        "instead of the eight of tsm_tiny_motion",
    )


def _render(options: argparse.Namespace) -> int:
    from keras_video.console import printable
    from keras_video.data.motion_videos import write_motion_videos

    names = write_motion_videos(options.folder, options.videos, options.seed, options.pairs)
    print(
        f"{count_of(options.videos, 'video')} of {len(names)} classes: {printable(options.folder)}"
    )
    return 0
