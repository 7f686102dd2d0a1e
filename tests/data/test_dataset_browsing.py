import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from keras_video.data import VideoDataset, VideoPreprocessor, render_motion_clip, write_video
from keras_video.data.dataset_browsing import browse_dataset
from keras_video.data.transforms import MixUp, Normalize
from keras_video.data.video_list import VideoList

LABELS = ("moving left", "zooming <in>")
PREPROCESSOR = VideoPreprocessor(num_frames=4, short_side=48, crop_size=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos")
    for label, motion in zip(LABELS, ("moving left", "zooming in"), strict=True):
        (root / label).mkdir()
        for seed in range(3):
            clip = render_motion_clip(motion, seed, 12, 64)
            write_video(root / label / f"{seed} & co.mp4", clip)
    return root


def dataset_of(folder, **arguments):
    arguments = {"preprocessor": PREPROCESSOR, "batch_size": 4, **arguments}
    return VideoDataset.from_folder(folder, **arguments)


def images(page):
    text = page.read_text(encoding="utf-8")
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    ]


def headings(page):
    return re.findall(r"<h2>(.*?)</h2>", page.read_text(encoding="utf-8"))


def test_the_page_shows_what_training_gets(folder, tmp_path):
    dataset = dataset_of(folder, training=True, seed=3, last_batch="keep")
    assert browse_dataset(dataset, tmp_path / "page.html", epoch=2) == 6
    expected = np.concatenate([dataset.batch(number, 2)[0] for number in range(2)])
    shown = np.stack(images(tmp_path / "page.html")).reshape(6, 4, 40, 40, 3)
    assert np.abs(shown.astype(float) - expected).mean() < 4
    records = np.concatenate([dataset.record_indices(number, 2) for number in range(2)])
    names = [LABELS[dataset.records[index].label] for index in records]
    assert headings(tmp_path / "page.html") == [
        name.replace("<", "&lt;").replace(">", "&gt;") for name in names
    ]
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "6 videos; training, epoch 2, seed 3" in text
    assert "4 frames (segment), short side 48" in text
    assert "&amp; co.mp4 · 40 x 40, 4 frames" in text
    assert "listed as" not in text


def test_a_mirrored_clip_says_what_it_was(folder, tmp_path):
    labels = ["moving left", "moving right"]
    records = VideoList.from_folder(folder).records[:3]
    dataset = VideoDataset(VideoList(records, labels), preprocessor=PREPROCESSOR, training=True)
    shown = []
    for epoch in range(3):
        browse_dataset(dataset, tmp_path / "page.html", epoch=epoch)
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        shown += headings(tmp_path / "page.html")
        assert page.count(", listed as moving left") == shown[-3:].count("moving right")
    assert set(shown) == set(labels)


def test_browsing_changes_nothing_in_the_order(folder, tmp_path):
    dataset, again = (dataset_of(folder, training=True) for _ in range(2))
    browse_dataset(dataset, tmp_path / "page.html")
    for first, second in zip(dataset, again, strict=True):
        assert np.array_equal(first[0], second[0])


def test_epochs_differ(folder, tmp_path):
    dataset = dataset_of(folder, training=True)
    pages = []
    for epoch in range(2):
        browse_dataset(dataset, tmp_path / "page.html", count=2, epoch=epoch)
        pages.append(np.stack(images(tmp_path / "page.html")))
    assert pages[0].shape == pages[1].shape == (8, 40, 40, 3)
    assert not np.array_equal(*pages)


def test_evaluation_leaves_out_what_only_fills_a_batch(folder, tmp_path):
    assert browse_dataset(dataset_of(folder), tmp_path / "page.html") == 6
    assert len(images(tmp_path / "page.html")) == 24
    assert "6 videos; evaluation" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_bad_video_is_named_with_its_reason(folder, tmp_path):
    dataset = dataset_of(folder)
    broken = dataset.records[1].source
    records = [record for record in dataset.records if record.source != broken]
    (tmp_path / "broken.mp4").touch()
    dataset = VideoDataset(
        [str(tmp_path / "broken.mp4"), *(record.source for record in records)],
        preprocessor=PREPROCESSOR,
        batch_size=4,
    )
    browse_dataset(dataset, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Not read: the file is empty (0 bytes); a black clip stands in" in text
    assert headings(tmp_path / "page.html") == ["no class"] * 6


def test_mixed_and_normalised_clips(folder, tmp_path):
    mixed = dataset_of(folder, training=True, batch_transform=MixUp(50.0))
    shown = []
    for epoch in range(4):
        browse_dataset(mixed, tmp_path / "page.html", epoch=epoch)
        shown += headings(tmp_path / "page.html")
    # Those mixed with another of their class have one label.
    assert any(re.fullmatch(r"\d+% .* \+ \d+% .*", text) for text in shown)

    normalised = dataset_of(folder, num_frames=4, transforms=[Normalize()], sampler="segment")
    browse_dataset(normalised, tmp_path / "page.html", count=1)
    assert "values from -" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert np.stack(images(tmp_path / "page.html")).max() > 200


def test_a_page_needs_a_clip(folder, tmp_path):
    with pytest.raises(ValueError, match="Received: count=0"):
        browse_dataset(dataset_of(folder), tmp_path / "page.html", count=0)
