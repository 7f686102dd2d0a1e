"""Blends of clips and labels, and those of PaddleVideo from its seeds."""

import numpy as np
import pytest
from golden_random import LegacyNumPy

from keras_video.data.transforms import CutMix, MixUp


@pytest.mark.parametrize("seed", range(4))
def test_mixup_is_that_of_the_reference(golden, seed):
    clips, numbers = golden["mix_clips"], golden["mix_labels"]
    labels = np.eye(10)[numbers]
    mixed, soft = MixUp(0.2)(clips, labels, LegacyNumPy(seed))
    assert np.allclose(mixed, golden[f"mixup_seed{seed}"], atol=1e-6)
    weight = golden[f"mixup_seed{seed}_weight"]
    partners = np.eye(10)[golden[f"mixup_seed{seed}_partner_labels"]]
    assert np.allclose(soft, weight * labels + (1 - weight) * partners, atol=1e-6)


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    clips = rng.integers(0, 256, (4, 2, 16, 20, 3)).astype(np.uint8)
    return clips, np.eye(4, dtype=np.float32)


@pytest.mark.parametrize("mix", [MixUp(1.0), CutMix()])
def test_labels_stay_distributions_and_types_stay(batch, mix):
    clips, labels = batch
    before = clips.copy()
    for dtype in (np.uint8, np.float32):
        for seed in range(5):
            mixed, soft = mix(clips.astype(dtype), labels, np.random.default_rng(seed))
            assert mixed.dtype == dtype and mixed.shape == clips.shape
            assert soft.dtype == np.float32 and np.allclose(soft.sum(1), 1)
            again, _ = mix(clips.astype(dtype), labels, np.random.default_rng(seed))
            assert np.array_equal(mixed, again)
    assert np.array_equal(clips, before)


def test_mixup_weights_pixels_as_labels(batch):
    clips, labels = batch
    mixed, soft = MixUp(1.0)(clips, labels, np.random.default_rng(1))
    expected = np.tensordot(soft, clips.astype(np.float32), axes=1)
    assert np.abs(mixed - expected).max() <= 0.51


def test_cutmix_gives_each_clip_its_share_of_the_area():
    clips = np.repeat(np.arange(4, dtype=np.uint8), 3 * 20 * 30 * 3).reshape(4, 3, 20, 30, 3)
    boxes = set()
    for seed in range(30):
        mixed, soft = CutMix()(clips, np.eye(4), np.random.default_rng(seed))
        for index, clip in enumerate(mixed):
            assert (clip == clip[:1]).all()  # the same rectangle in all frames
            for other in range(4):
                share = (clip == other).mean()
                assert share == pytest.approx(soft[index, other], abs=1e-6)
        inside = (mixed[0, 0, :, :, 0] != 0).nonzero()
        if len(inside[0]):
            edges = inside[0].min(), inside[0].max(), inside[1].min(), inside[1].max()
            height, width = edges[1] - edges[0] + 1, edges[3] - edges[2] + 1
            assert len(inside[0]) == height * width
            boxes.add(edges)
    assert len(boxes) > 10


@pytest.mark.parametrize("mix", [MixUp(), CutMix()])
def test_errors_say_what_was_received(batch, mix):
    clips, labels = batch
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"labels of shape \(4,\)"):
        mix(clips, np.arange(4), rng)
    with pytest.raises(ValueError, match=r"labels of shape \(3, 4\)"):
        mix(clips, labels[:3], rng)
    with pytest.raises(ValueError, match=r"clips of shape \(2, 16, 20, 3\)"):
        mix(clips[0], labels, rng)
    for alpha in (0, -1.0, "0.2"):
        with pytest.raises(ValueError, match=f"Received: alpha={alpha!r}"):
            type(mix)(alpha=alpha)
