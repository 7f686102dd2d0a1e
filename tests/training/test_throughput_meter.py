"""Clips per second, and the share of time spent waiting for them."""

import pytest

from keras_video.training import ThroughputMeter


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def batches(clock, seconds, number):
    for index in range(number):
        clock.now += seconds
        yield index


def test_waiting_is_told_from_training(clock):
    meter = ThroughputMeter(clock)
    for _ in meter.waiting(batches(clock, seconds=1, number=4)):
        clock.now += 3
        meter.add(8)
    assert meter.take() == {"clips_per_second": 2.0, "data_wait": 0.25, "seconds": 16.0}
    clock.now += 2
    meter.add(8)
    assert meter.take() == {"clips_per_second": 4.0, "data_wait": 0.0, "seconds": 2.0}


def test_a_validation_in_between_can_be_left_out(clock):
    meter = ThroughputMeter(clock)
    meter.add(8)
    clock.now += 100
    meter.reset()
    clock.now += 2
    meter.add(2)
    assert meter.take() == {"clips_per_second": 1.0, "data_wait": 0.0, "seconds": 2.0}


def test_no_time_is_no_division_by_zero(clock):
    assert ThroughputMeter(clock).take()["clips_per_second"] == 0
