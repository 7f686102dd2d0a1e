"""Batches of similar lengths, in an order that is still random."""

import numpy as np
import pytest

from keras_video.data.length_order import LengthOrder

LENGTHS = np.random.default_rng(0).integers(20, 400, 5000)


def make(**arguments):
    defaults = {"step": 60, "longest": 300, "bucketed": True, "shuffle": True}
    return LengthOrder(LENGTHS, arguments.pop("batch_size", 16), **{**defaults, **arguments})


@pytest.mark.parametrize("num_shards", [1, 3])
def test_every_record_comes_once_an_epoch_in_batches_of_one_length(num_shards):
    shards = [make(num_shards=num_shards, shard_index=i) for i in range(num_shards)]
    count = shards[0].batches_in(0)
    for epoch in (0, 1):
        seen, mixed = [], 0
        for index in range(count):
            batches = [shard.batch(epoch, index) for shard in shards]
            (length,) = {shard.padded_length(epoch, index) for shard in shards}
            records = np.concatenate(batches)
            seen.append(records[records >= 0])
            rounded = np.minimum(-(-LENGTHS[seen[-1]] // 60) * 60, 300)
            assert rounded.max() == length
            mixed += rounded.min() < length
        assert sorted(np.concatenate(seen)) == list(range(5000))
        # Where one length ends and the next begins, and the last batch.
        assert mixed <= 4 * -(-count // 100) + 1


def test_orders_are_drawn_from_the_seed_for_each_epoch():
    first = [make().shard(epoch).tolist() for epoch in (0, 1)]
    assert first == [make().shard(epoch).tolist() for epoch in (0, 1)]
    assert first[0] != first[1] and make(seed=1).shard(0).tolist() != first[0]
    mates = [{frozenset(make().batch(epoch, i)) for i in range(300)} for epoch in (0, 1)]
    assert not mates[0] & mates[1]


def test_batches_of_all_lengths_follow_each_other_at_random():
    order = make()
    lengths = [order.padded_length(0, index) for index in range(order.batches_in(0))]
    assert set(lengths) == {60, 120, 180, 240, 300}
    changes = np.mean(np.diff(lengths) != 0)
    assert changes > 0.6


def test_what_is_dropped_is_not_always_of_one_length():
    dropped = []
    for epoch in range(20):
        order = make(batch_size=600, last_batch="drop")
        used = np.concatenate([order.batch(epoch, i) for i in range(order.batches_in(epoch))])
        dropped.append(LENGTHS[np.setdiff1d(np.arange(5000), used)])
        assert len(dropped[-1]) == 200
    assert abs(np.mean(dropped) - LENGTHS.mean()) < 10


def test_without_buckets_the_order_is_that_of_all_data_sets():
    order = make(bucketed=False, shuffle=False)
    assert order.batch(0, 1).tolist() == list(range(16, 32))
    assert order.identity()["lengths"] is None
    sorted_order = make(shuffle=False)
    assert (np.diff(np.minimum(-(-LENGTHS[sorted_order.shard(0)] // 60), 5)) >= 0).all()


def test_unknown_lengths_come_with_the_longest_and_make_no_batch_longer():
    order = LengthOrder([50, -1, 170, -1], 2, step=60, longest=None, bucketed=True)
    assert order.batch(0, 0).tolist() == [0, 1] and order.padded_length(0, 0) == 60
    assert order.batch(0, 1).tolist() == [2, 3] and order.padded_length(0, 1) == 180
