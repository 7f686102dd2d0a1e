"""Draws a model's predictions under the frames that it saw."""

import functools
import os
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_PANEL = (22, 24, 29)
_TRACK = (44, 48, 56)
_BARS = ((38, 150, 136), (74, 86, 104))  # the first prediction, the others
_TEXT = (240, 242, 245)
_ELLIPSIS = "…"


def annotate(
    frames: np.ndarray,
    predictions: Sequence[Mapping],
    title: str | None = None,
    accent: tuple[int, int, int] | None = None,
    min_side: int = 256,
    font: str | os.PathLike | None = None,
) -> np.ndarray:
    """Draws labels with score bars in a panel under each frame.

    Frames smaller than `min_side` are enlarged first, so that the text is legible whatever
    the size of the clip; the picture itself stays uncovered.

    Args:
        frames: `uint8` RGB array `(time, height, width, 3)`.
        predictions: what `model.classify` returns for the clip, best first: mappings with
            `"label"` and `"score"`, the score from 0 to 1. One row each.
        title: a line above the predictions, such as the true label.
        accent: RGB colour of the title and of a thin line around it; white without a line
            when omitted.
        min_side: smallest width and height of the picture part, in pixels.
        font: a TrueType font file; needed for labels in scripts that Pillow's own font
            lacks, such as Chinese.

    Returns:
        `uint8` RGB array `(time, new_height, new_width, 3)` with even sizes, ready for
        `keras_video.data.write_video`.

    Raises:
        ValueError: frames of another type or shape.

    Example:

    >>> clip = keras_video.data.render_motion_clip("moving left", seed=0)
    >>> annotate(clip, [{"label": "moving left", "score": 0.98}], title="rendered").shape
    (16, 316, 256, 3)
    """
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not frames.size:
        raise ValueError(
            "`frames` must be a uint8 RGB array of shape (time, height, width, 3). "
            f"Received: dtype={frames.dtype}, shape={frames.shape}"
        )
    height, width = frames.shape[1:3]
    scale = max(1.0, min_side / min(height, width))
    width, height = _even(width * scale), _even(height * scale)
    panel = _panel(width, predictions, title, accent, font)
    annotated = np.empty((len(frames), height + len(panel), width, 3), "uint8")
    annotated[:, height:] = panel
    for target, frame in zip(annotated, frames, strict=True):
        if frame.shape[:2] != (height, width):
            frame = Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC)
        target[:height] = frame
    return annotated


def _even(value: float) -> int:
    return 2 * round(value / 2)


def _panel(
    width: int,
    predictions: Sequence[Mapping],
    title: str | None,
    accent: tuple[int, int, int] | None,
    font_path: str | os.PathLike | None,
) -> np.ndarray:
    row = max(18, min(width // 13, 44))
    pad = row // 3
    font = _font(int(row * 0.68), font_path)
    lines = len(predictions) + (title is not None)
    panel = Image.new("RGB", (width, _even(lines * row + 2 * pad)), _PANEL)
    draw = ImageDraw.Draw(panel)

    top = pad
    if title is not None:
        draw.text(
            (pad, top + row // 2 - 2),
            _fitted(title, font, width - 2 * pad),
            font=font,
            fill=accent or _TEXT,
            anchor="lm",
        )
        if accent:
            draw.rectangle((0, 0, width, max(2, row // 8)), fill=accent)
        top += row
    score_width = int(font.getlength("100 %"))
    for rank, prediction in enumerate(predictions):
        score = float(np.clip(prediction["score"], 0, 1))
        left, right, bottom = pad, width - pad - score_width - pad, top + row - 3
        draw.rounded_rectangle((left, top, right, bottom), radius=3, fill=_TRACK)
        filled = left + round((right - left) * score)
        if filled - left >= 3:
            colour = _BARS[min(rank, 1)]
            draw.rounded_rectangle((left, top, filled, bottom), radius=3, fill=colour)
        middle = (top + bottom) // 2 + 1
        label = _fitted(str(prediction["label"]), font, right - left - 2 * pad)
        draw.text((left + pad, middle), label, font=font, fill=_TEXT, anchor="lm")
        draw.text(
            (width - pad, middle),
            f"{score:.0%}".replace("%", " %"),
            font=font,
            fill=_TEXT,
            anchor="rm",
        )
        top += row
    return np.asarray(panel)


@functools.cache
def _font(size: int, path: str | os.PathLike | None) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


def _fitted(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """Shortens a text until it fits into `width` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + _ELLIPSIS) > width:
        text = text[:-1]
    return text.rstrip() + _ELLIPSIS
