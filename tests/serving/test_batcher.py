"""Views of several requests, computed together."""

import threading
import time

import numpy as np
import pytest
from serving_support import wait_until

from keras_video.serving.batcher import Batcher
from keras_video.serving.cancellation import Cancellation
from keras_video.serving.request_error import RequestError


class Network:
    """Gives each view back doubled; notes the sizes of batches; may be held up or fail."""

    def __init__(self):
        self.sizes, self.go_ahead, self.begun = [], threading.Event(), threading.Event()
        self.go_ahead.set()

    def __call__(self, views):
        self.begun.set()
        assert self.go_ahead.wait(10)
        self.sizes.append(len(views))
        if (views == 13).any():
            raise ValueError("thirteen")
        return views.astype("float32") * 2


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def make_batcher(network):
    batchers = []

    def make(**options):
        batchers.append(Batcher(network, **options))
        return batchers[-1]

    yield make
    network.go_ahead.set()
    for batcher in batchers:
        batcher.close()


def views(*numbers):
    return np.array(numbers, "uint8")[:, None]


def held_up(network, batcher):
    """The future of a request at which the network has just stopped."""
    network.go_ahead.clear()
    network.begun.clear()
    first = batcher.submit(views(0))
    assert network.begun.wait(10)
    return first


def test_requests_are_put_together_and_get_their_own_answers(network, make_batcher):
    batcher = make_batcher(max_batch=8, max_wait=0.001)
    held_up(network, batcher)
    futures = [batcher.submit(views(n, n + 1)) for n in range(1, 9, 2)]
    network.go_ahead.set()
    for number, future in zip(range(1, 9, 2), futures, strict=True):
        assert future.result(10).outputs.tolist() == [[2 * number], [2 * number + 2]]
    assert network.sizes == [1, 8]


def test_batches_are_filled_up_to_a_few_sizes(network, make_batcher):
    batcher = make_batcher(max_batch=8, max_wait=0)
    batcher.warm_up(views(1)[0])
    assert batcher.sizes == (1, 2, 4, 8) and network.sizes == [1, 2, 4, 8]
    held_up(network, batcher)
    future = batcher.submit(views(1, 2, 3))
    network.go_ahead.set()
    assert len(future.result(10).outputs) == 3 and network.sizes[-1] == 4
    assert make_batcher(max_batch=6).sizes == (1, 2, 4, 6)
    assert make_batcher(sizes=(4,)).submit(views(5)).result(10).outputs.tolist() == [[10]]


def test_many_views_of_one_request_go_through_in_several_batches(network, make_batcher):
    computed = make_batcher(max_batch=4).submit(views(*range(11, 12), *range(20, 30))).result(10)
    assert computed.outputs[:, 0].tolist() == [22, *range(40, 60, 2)]
    assert len(computed.seconds) == 3


def test_a_view_waits_for_others_but_not_long(network, make_batcher):
    start = time.monotonic()
    make_batcher(max_batch=4, max_wait=0.2).submit(views(1)).result(10)
    assert time.monotonic() - start >= 0.19


def test_a_full_batch_does_not_wait(network, make_batcher):
    make_batcher(max_batch=4, max_wait=60).submit(views(1, 2, 3, 4)).result(10)


def test_a_batch_that_fails_is_computed_again_for_each_request(network, make_batcher):
    batcher = make_batcher(max_batch=8)
    held_up(network, batcher)
    good, bad, other = (batcher.submit(views(*n)) for n in ([1, 2], [12, 13], [4]))
    network.go_ahead.set()
    assert good.result(10).outputs.tolist() == [[2], [4]]
    assert other.result(10).outputs.tolist() == [[8]]
    with pytest.raises(ValueError, match="thirteen"):
        bad.result(10)
    assert batcher.submit(views(6)).result(10).outputs.tolist() == [[12]]


def test_views_of_other_shapes_harm_nobody(network, make_batcher):
    batcher = make_batcher(max_batch=8)
    held_up(network, batcher)
    good, odd = batcher.submit(views(1)), batcher.submit(np.zeros((1, 5), "uint8"))
    network.go_ahead.set()
    assert good.result(10).outputs.tolist() == [[2]]
    assert odd.result(10).outputs.shape == (1, 5)


def test_what_is_cancelled_is_not_computed(network, make_batcher):
    batcher = make_batcher(max_batch=2)
    held_up(network, batcher)
    given_up, wanted = batcher.submit(views(1, 2)), batcher.submit(views(3))
    assert given_up.cancel()
    network.go_ahead.set()
    assert wanted.result(10).outputs.tolist() == [[6]]
    assert network.sizes == [1, 1]


def test_what_waits_is_bounded(network, make_batcher):
    batcher = make_batcher(max_batch=2, bytes_waiting=4)
    held_up(network, batcher)
    batcher.submit(views(1, 2, 3))
    done, cancellation, futures = threading.Event(), Cancellation(), []

    def submit(*arguments):
        futures.append(batcher.submit(views(4, 5), *arguments))
        done.set()

    threading.Thread(target=submit).start()
    assert not done.wait(0.2)
    network.go_ahead.set()
    assert done.wait(10) and futures[0].result(10)
    done.clear()
    held_up(network, batcher)
    batcher.submit(views(1, 2, 3))
    threading.Thread(target=submit, args=(cancellation,)).start()
    assert not done.wait(0.1)
    cancellation.set()
    assert done.wait(10)


def test_what_waits_at_the_end_gets_an_error(network, make_batcher):
    batcher = make_batcher(max_batch=1)
    first = held_up(network, batcher)
    waiting = batcher.submit(views(1))
    closing = threading.Thread(target=batcher.close)
    closing.start()
    wait_until(waiting.done)
    network.go_ahead.set()
    closing.join()
    assert first.result(0).outputs.tolist() == [[0]]
    for future in (waiting, batcher.submit(views(2))):
        with pytest.raises(RequestError) as caught:
            future.result(0)
        assert caught.value.status == 503
