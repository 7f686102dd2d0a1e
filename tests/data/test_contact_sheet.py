import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from keras_video.data import render_motion_clip
from keras_video.data.contact_sheet import ContactSheetClip, write_contact_sheet


class Page(HTMLParser):
    """The elements and the visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    def images(self):
        for tag, attributes in self.elements:
            if tag == "img":
                data = attributes["src"].removeprefix("data:image/jpeg;base64,")
                yield np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_the_page_holds_every_frame_as_it_is(tmp_path):
    clips = [render_motion_clip(label, 1, 4, 64) for label in ("moving left", "zooming in")]
    shown = [
        ContactSheetClip("moving left", "a.mp4", clips[0], "frames 1, 2, 3, 4"),
        ContactSheetClip("zooming in", "b.mp4", clips[1].astype("float32")),
    ]
    assert write_contact_sheet(tmp_path / "page.html", iter(shown), "Clips", ["one", "two"]) == 2
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    images = list(page.images())
    assert len(images) == 8
    for image, frame in zip(images, np.concatenate(clips), strict=True):
        assert np.abs(image.astype(float) - frame).mean() < 4
    text = " ".join(page.texts)
    for words in ("Clips", "one", "two", "moving left", "a.mp4 · frames 1, 2, 3, 4", "zooming in"):
        assert words in text
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_nothing_of_a_name_becomes_markup(tmp_path):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\udcff"
    frames = np.zeros((1, 8, 8, 3), "uint8")
    clip = ContactSheetClip(evil, evil, frames, details=evil, error=evil)
    write_contact_sheet(tmp_path / "page.html", [clip], evil, evil)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in {tag for tag, _ in page.elements}
    assert len(list(page.images())) == 1
    names = {name for _, attributes in page.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")}
    assert " ".join(page.texts).count("<script>alert(1)</script>") == 7


def test_the_page_needs_nothing_else(tmp_path):
    clip = ContactSheetClip("a", "https://example.org/a.mp4", np.zeros((2, 8, 8, 3), "uint8"))
    write_contact_sheet(tmp_path / "page.html", [clip], "Clips")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    for _, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"@import|url\(", (tmp_path / "page.html").read_text(encoding="utf-8"))


def test_a_bad_video_shows_its_reason(tmp_path):
    clip = ContactSheetClip("a", "bad.mp4", error="the file is empty (0 bytes)")
    write_contact_sheet(tmp_path / "page.html", [clip], "Clips")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "the file is empty (0 bytes)" in text
    assert "<img" not in text


def test_a_failure_leaves_the_old_page(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("old")
    with pytest.raises(ValueError, match=r"Received: shape=\(8, 8\)"):
        write_contact_sheet(page, [ContactSheetClip("a", "b", np.zeros((1, 8, 8)))], "Clips")
    assert page.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        write_contact_sheet(tmp_path / "missing" / "page.html", [], "Clips")
