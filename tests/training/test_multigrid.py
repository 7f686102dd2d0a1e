"""`Multigrid`: the schedule of PySlowFast and PaddleVideo, to the epoch."""

import json

import pytest

from keras_video.training import Multigrid

ENDS = [73, 110, 142, 158, 205, 228, 248, 259, 291, 308, 322, 329, 358]
LONG_CYCLE = [(8, 8, 158), (4, 16, 158), (2, 16, 224), (1, 32, 224)]


def test_the_phases_are_those_of_the_reference():
    multigrid = Multigrid()
    assert multigrid.num_epochs == 358
    assert [phase.end for phase in multigrid.phases] == ENDS
    assert [phase.start for phase in multigrid.phases] == [0, *ENDS[:-1]]
    shapes = [(phase.batch_factor, phase.num_frames, phase.size) for phase in multigrid.phases]
    assert shapes == [*LONG_CYCLE * 3, LONG_CYCLE[-1]]


def test_the_rates_are_those_of_the_reference():
    multigrid = Multigrid()
    assert multigrid.boundaries == (*ENDS[:-1], 343)
    rates = [8, 4, 2, 1, 0.8, 0.4, 0.2, 0.1, 0.08, 0.04, 0.02, 0.01, 0.01, 0.001]
    assert multigrid.rates == pytest.approx(rates)


@pytest.mark.parametrize(
    "epoch, phase", [(0, 0), (72, 0), (73, 1), (328, 11), (357, 12), (900, 12)]
)
def test_an_epoch_belongs_to_a_phase(epoch, phase):
    multigrid = Multigrid()
    assert multigrid.phase(epoch) is multigrid.phases[phase]


@pytest.mark.parametrize(
    "epoch, sizes, factors",
    [
        (0, (112, 158, 158), (16, 8, 8)),
        (73, (112, 158, 158), (8, 4, 4)),
        (110, (112, 158, 224), (8, 4, 2)),
        (142, (112, 158, 224), (4, 2, 1)),
        (340, (112, 158, 224), (4, 2, 1)),
    ],
)
def test_small_clips_come_in_large_batches(epoch, sizes, factors):
    multigrid = Multigrid()
    phase, cycle = multigrid.phase(epoch), multigrid.cycle(epoch)
    assert tuple(shape.size for shape in cycle) == sizes
    assert tuple(shape.batch_factor for shape in cycle) == factors
    assert {shape.num_frames for shape in cycle} == {phase.num_frames}
    assert {shape.num_splits for shape in cycle} == {phase.batch_factor}


def test_short_clips_may_last_as_long_and_small_ones_show_as_much():
    for epoch, stretch in ((0, 4), (73, 2), (110, 2), (142, 1)):
        for shape in Multigrid().cycle(epoch):
            assert shape.stretch == stretch
            assert shape.scale == shape.size_ratio == shape.size / 224


def test_the_reference_forgets_both_in_its_long_cycle():
    for epoch in (0, 73, 110, 142):
        small, middle, base = Multigrid(reference=True).cycle(epoch)
        assert {small.stretch, middle.stretch, base.stretch} == {1}
        assert (round(256 * small.scale), round(256 * middle.scale)) == (128, 181)
        assert base.scale == 1
    assert Multigrid(reference=True).phases == Multigrid().phases


def test_the_short_cycle_alone_keeps_the_full_clip_as_base():
    multigrid = Multigrid(long_cycle=())
    assert multigrid.num_epochs == 358
    assert multigrid.boundaries == (141, 231, 294)
    assert multigrid.rates == pytest.approx((1, 0.1, 0.01, 0.001))
    assert [(s.batch_factor, s.num_frames, s.size) for s in multigrid.cycle(5)] == [
        (4, 32, 112), (2, 32, 158), (1, 32, 224)
    ]  # fmt: skip
    assert Multigrid(long_cycle=(), reference=True).num_epochs == 239**2


def test_the_long_cycle_alone_has_one_shape_in_an_epoch():
    multigrid = Multigrid(short_cycle=())
    assert multigrid.num_epochs == 358 and len(multigrid.phases) == 13
    cycles = [multigrid.cycle(phase.start) for phase in multigrid.phases[:4]]
    assert [[tuple(s[:3]) for s in cycle] for cycle in cycles] == [[s] for s in LONG_CYCLE]


def test_visits_are_all_shapes_and_all_epochs():
    visits = Multigrid().visits()
    assert sum(visit.epochs for visit in visits) == pytest.approx(358)
    seen = [(v.shape.batch_factor, v.shape.num_frames, v.shape.size, v.shape.num_splits)
            for v in visits]  # fmt: skip
    assert seen == [
        (16, 8, 112, 8), (8, 8, 158, 8), (8, 16, 112, 4), (4, 16, 158, 4), (8, 16, 112, 2),
        (4, 16, 158, 2), (2, 16, 224, 2), (4, 32, 112, 1), (2, 32, 158, 1), (1, 32, 224, 1),
    ]  # fmt: skip
    # 73 + 47 + 32 epochs in two shapes, half of the clips in each.
    assert visits[0].epochs == visits[1].epochs == 76


def test_a_short_training_skips_shapes_that_it_has_no_epoch_for():
    multigrid = Multigrid(num_frames=8, size=64, num_epochs=4, boundaries=(2, 3), epoch_factor=1.0)
    starts = [phase.start for phase in multigrid.phases]
    assert starts == sorted(set(starts)) and multigrid.num_epochs == 4
    assert len(multigrid.rates) == len(multigrid.boundaries) + 1
    assert list(multigrid.boundaries) == sorted(set(multigrid.boundaries))


def test_the_config_is_plain_and_makes_the_same_schedule():
    multigrid = Multigrid(num_frames=16, epoch_factor=2.0)
    config = json.loads(json.dumps(multigrid.get_config()))
    assert config == multigrid.get_config()
    assert Multigrid(**config).phases == multigrid.phases


@pytest.mark.parametrize(
    "arguments, received",
    [
        ({"num_frames": 0}, "num_frames=0"),
        ({"boundaries": (94, 94)}, r"boundaries=\[94, 94\]"),
        ({"boundaries": (94, 239)}, r"boundaries=\[94, 239\], num_epochs=239"),
        ({"epoch_factor": 0}, "epoch_factor=0"),
        ({"long_cycle": (), "short_cycle": ()}, "a long cycle, a short cycle, or both"),
        ({"short_cycle": (2.0,)}, r"short_cycle=\[2.0\]"),
    ],
)
def test_arguments_that_make_no_schedule_are_refused(arguments, received):
    with pytest.raises(ValueError, match=received):
        Multigrid(**arguments)
