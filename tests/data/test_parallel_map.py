import threading
import time

import pytest

from keras_video.data.parallel_map import parallel_map


def test_results_come_in_the_order_of_the_items():
    def work(number):
        time.sleep(0.02 if number % 3 == 0 else 0)
        return -number

    assert list(parallel_map(work, range(20), workers=4)) == [-number for number in range(20)]
    assert list(parallel_map(work, [], workers=4)) == []


def test_few_items_are_taken_ahead():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    results = parallel_map(abs, items(), workers=2)
    assert next(results) == 0
    assert len(taken) <= 6
    results.close()
    assert len(taken) <= 6


def test_an_error_comes_at_its_turn_and_stops_the_rest():
    stop, begun = threading.Event(), []

    def work(number):
        begun.append(number)
        if number == 3:
            raise ValueError("number 3")
        if number > 3:
            assert stop.wait(30)
        return number

    results = parallel_map(work, range(1000), workers=2, stop=stop)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="number 3"):
        next(results)
    assert stop.is_set()
    assert len(begun) < 10


def test_work_that_ends_well_sets_no_stop():
    stop = threading.Event()
    assert list(parallel_map(abs, range(5), 2, stop)) == [0, 1, 2, 3, 4]
    assert not stop.is_set()
