"""One HTML page that shows clips as a model will see them."""

import base64
import html
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_video.data.whole_file import whole_file

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --bad: #c33; }
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem auto; max-width: 100rem;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .2rem 0; color: var(--quiet); overflow-wrap: anywhere; }
article { border-top: 1px solid var(--line); padding: .8rem 0; }
p + article { margin-top: 1rem; }
h2 { font-size: 1rem; margin: 0 .6rem 0 0; display: inline; }
small { color: var(--quiet); overflow-wrap: anywhere; }
.frames { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 3px;
  margin-top: .4rem; }
.frames img { width: 100%; height: auto; border-radius: 3px; background: #8882; }
.bad { color: var(--bad); margin: .3rem 0 0; }
"""
# Whatever a file name or a label holds, the page loads nothing and runs nothing.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class ContactSheetClip:
    """One clip of a contact sheet.

    Attributes:
        label: its class.
        source: its video.
        frames: array `(time, height, width, 3)` from 0 to 255; None if there are none.
        details: more to say, such as the frames' numbers.
        error: why there are no frames.
    """

    label: str
    source: str
    frames: np.ndarray | None = None
    details: str = ""
    error: str | None = None


def write_contact_sheet(
    path: str | os.PathLike,
    clips: Iterable[ContactSheetClip],
    title: str,
    subtitle: str | Sequence[str] = (),
) -> int:
    """Writes clips into one HTML file that needs no other file, script or network.

    The file appears under its name only when it is complete. All texts are escaped.

    Args:
        path: the HTML file.
        clips: any iterable of `ContactSheetClip`; one is held at a time.
        title: heading of the page.
        subtitle: a line below, or several.

    Returns:
        The number of clips.

    Example:

    >>> clip = ContactSheetClip("moving left", "a.mp4", render_motion_clip("moving left", seed=1))
    >>> write_contact_sheet("page.html", [clip], "What the model sees")
    1
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"Can't write {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise IsADirectoryError(f"Can't write {path}: this is a folder")
    lines = [subtitle] if isinstance(subtitle, str) else subtitle
    count = 0
    with (
        whole_file(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as page,
    ):
        page.write(
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width">\n'
            f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            f"<h1>{html.escape(title)}</h1>\n"
        )
        page.writelines(f"<p>{html.escape(line)}</p>\n" for line in lines)
        for clip in clips:
            page.write(_article(clip))
            count += 1
        page.write("</body>\n</html>\n")
    return count


def _article(clip: ContactSheetClip) -> str:
    said = " · ".join(html.escape(text) for text in (clip.source, clip.details) if text)
    parts = [f"<article>\n<h2>{html.escape(clip.label)}</h2><small>{said}</small>\n"]
    if clip.error is not None:
        parts.append(f'<p class="bad">{html.escape(clip.error)}</p>\n')
    if clip.frames is not None:
        images = "".join(_image(frame, number) for number, frame in enumerate(clip.frames))
        parts.append(f'<div class="frames">\n{images}</div>\n')
    return "".join([*parts, "</article>\n"])


def _image(frame: np.ndarray, number: int) -> str:
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(
            "The frames of a contact sheet are RGB arrays (height, width, 3). "
            f"Received: shape={frame.shape}"
        )
    pixels = np.clip(np.rint(frame), 0, 255).astype(np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=88)
    data = base64.b64encode(encoded.getvalue()).decode("ascii")
    height, width = frame.shape[:2]
    return (
        f'<img src="data:image/jpeg;base64,{data}" width="{width}" height="{height}" '
        f'alt="frame {number + 1}" loading="lazy">\n'
    )
