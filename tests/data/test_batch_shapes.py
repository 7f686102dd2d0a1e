"""Data sets whose batches change their shape, as multigrid training has them."""

import json

import numpy as np
import pytest
from dataset_videos import number_of, write_folder

from keras_video.data import ArrayDataset, VideoDataset
from keras_video.data.batch_shape import BatchShape, sampler_at, transforms_at
from keras_video.data.samplers import sample_interval, sample_segment
from keras_video.data.transforms import (
    Compose,
    JitterScale,
    MultiScaleCrop,
    RandomCrop,
    RandomFlip,
)
from keras_video.training import Multigrid

SHAPES = Multigrid(num_frames=8, size=32, num_epochs=12, boundaries=(4, 8), epoch_factor=1.0)
SMALL = BatchShape(8, 2, 16, num_splits=8, stretch=4, size_ratio=0.5, scale=0.5)
CLIPS = np.arange(200, dtype=np.uint8)[:, None, None, None, None] * np.ones((8, 32, 32, 3), "uint8")


def arrays(**arguments):
    transforms = [RandomCrop(32), RandomFlip()]
    return ArrayDataset(
        CLIPS, np.arange(200) % 3, **{"batch_size": 2, "training": True, "transforms": transforms,
        "shapes": SHAPES, **arguments},
    )  # fmt: skip


def shapes_of(batches):
    return [batch[0].shape[:4] for batch in batches]


def numbers_of(batches):
    return [int(number) for batch in batches for number in batch[0][:, 0, 0, 0, 0]]


@pytest.mark.parametrize("phase", SHAPES.phases, ids=str)
def test_batches_follow_the_schedule(phase):
    data, cycle = arrays(), SHAPES.cycle(phase.start)
    data.restore({**data.state(), "epoch": phase.start, "batch": 0})
    shapes = shapes_of(data)
    assert shapes == [
        (2 * shape.batch_factor, shape.num_frames, shape.size, shape.size)
        for shape in (cycle * 200)[: len(shapes)]
    ]
    assert len(shapes) == data.batches_in_epoch == data.batches_in(phase.start)
    assert data.num_splits(phase.start) == phase.batch_factor
    base = data.base_batches(phase.start)
    assert {shapes[index][1:3] for index in base} == {(phase.num_frames, phase.size)}
    assert len(base) == len(shapes) // 3


def test_an_epoch_is_one_pass_whatever_the_sizes_of_batches():
    data = arrays()
    for epoch in range(SHAPES.num_epochs):
        numbers = numbers_of(data)
        assert data.epoch == epoch and len(set(numbers)) == len(numbers)
        largest = max(shape.batch_factor for shape in SHAPES.cycle(epoch)) * 2
        assert 200 - largest < len(numbers) <= 200
    assert len({data.batches_in(epoch) for epoch in range(SHAPES.num_epochs)}) > 2


def test_shards_share_the_videos_and_have_the_same_batches():
    whole = arrays(batch_size=4)
    shards = [arrays(num_shards=2, shard_index=index) for index in range(2)]
    for expected, first, second in zip(whole, *shards, strict=True):
        numbers = [batch[0][:, 0, 0, 0, 0] for batch in (first, second)]
        together = np.stack(numbers, axis=1).reshape(-1)
        np.testing.assert_array_equal(together, expected[0][:, 0, 0, 0, 0])
        assert first[0].shape[1:] == second[0].shape[1:] == expected[0].shape[1:]


def test_a_position_in_mid_epoch_is_restored_also_beyond_the_next_phase():
    data, passes = arrays(), []
    for _ in range(4):
        passes.append([batch[0] for batch in data])
    again = arrays()
    iterator = iter(again)
    for _ in range(2):
        next(iterator)
    state = json.loads(json.dumps(again.state()))
    iterator.close()
    resumed = arrays()
    resumed.restore(state)
    assert len(resumed) == len(passes[0]) - 2
    rest = [[batch[0] for batch in resumed] for _ in range(4)]
    for ours, expected in zip([passes[0][2:], *passes[1:]], rest, strict=True):
        for clips, clips_before in zip(ours, expected, strict=True):
            np.testing.assert_array_equal(clips, clips_before)
    with pytest.raises(ValueError, match="another data set.*shapes="):
        arrays(shapes=Multigrid(8, 32, 12, (4, 9), epoch_factor=1.0)).restore(state)
    with pytest.raises(ValueError, match="another data set.*shapes="):
        arrays(shapes=None, last_batch="drop").restore(state)


def test_videos_are_sampled_and_cropped_in_the_shape_of_the_batch(tmp_path):
    shapes = Multigrid(4, 32, 4, (2,), epoch_factor=1.0, long_cycle=((0.5, 0.75), (1.0, 1.0)))
    data = VideoDataset.from_folder(
        write_folder(tmp_path), training=True, batch_size=1, sampler="interval", num_frames=4,
        transforms=[JitterScale((36, 40)), RandomCrop(32)], shapes=shapes,
    )  # fmt: skip
    seen = set()
    for _ in range(shapes.num_epochs):
        for clips, labels in data:
            seen.add(clips.shape[1:4])
            assert [number_of(clip) // 6 for clip in clips] == labels.tolist()
    assert seen == {(2, 16, 16), (2, 23, 23), (2, 24, 24), (4, 16, 16), (4, 23, 23), (4, 32, 32)}


def test_transforms_follow_the_size():
    jitter, crop = JitterScale((256, 320)), RandomCrop(224)
    assert transforms_at([jitter, crop, RandomFlip()], SMALL) == [
        JitterScale((128, 320)), RandomCrop(112), RandomFlip()
    ]  # fmt: skip
    both = Compose([MultiScaleCrop(256, more_places=False), crop])
    (scaled,) = transforms_at([both], SMALL)
    assert scaled.transforms == [MultiScaleCrop(128, more_places=False), RandomCrop(112)]
    assert transforms_at([np.negative], SMALL) == [np.negative]


def test_the_distance_between_frames_is_drawn_up_to_the_span_of_a_full_clip():
    sampler = sampler_at(sample_interval, SMALL)
    rng = np.random.default_rng(0)
    distances = [np.diff(sampler(100, 2, 1, rng=rng, fps=25.0)[0])[0] for _ in range(300)]
    counts = np.bincount(distances)
    assert set(np.flatnonzero(counts)) == {2, 3, 4, 5, 6, 7, 8} and counts[2:].min() > 25
    assert np.diff(sampler(100, 2, 1)[0]) == 2
    assert sampler_at(sample_interval, SMALL._replace(stretch=1)) is sample_interval
    assert sampler_at(sample_segment, SMALL) is sample_segment


def test_a_training_too_small_for_a_cycle_is_refused():
    with pytest.raises(ValueError, match="one batch of each shape.*Received: 200 videos.*size=8"):
        arrays(batch_size=8)


def test_only_training_has_shapes():
    with pytest.raises(ValueError, match="training=False"):
        arrays(training=False, last_batch="drop")
    with pytest.raises(ValueError, match="last_batch='pad'"):
        arrays(last_batch="pad")


def test_clips_of_another_size_than_the_schedule_names_are_refused():
    with pytest.raises(ValueError, match=r"asks for clips of 2 frames of 16 .*\(2, 14, 14, 3\)"):
        arrays(transforms=[RandomCrop(28)]).batch(0)


def test_tf_data_wants_one_shape():
    with pytest.raises(ValueError, match="without a schedule of `shapes`"):
        arrays().to_tf_data()
