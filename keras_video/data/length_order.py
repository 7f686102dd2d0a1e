"""Which records make which batch, where records of similar length belong together."""

import zlib

import numpy as np

from keras_video.data.epoch_order import EpochOrder

# Batches are formed of so many batches' records at a time.
_POOL = 100


class LengthOrder(EpochOrder):
    """An `EpochOrder` whose batches hold records of similar length, and a length for each batch.

    Lengths are rounded up to multiples of `step`, and cut at `longest`. With `bucketed`, an epoch's
    random order is cut into pools of 100 batches, each pool is sorted by rounded length (what is
    equal stays in random order), cut into batches, and the batches of all pools are shuffled. So
    every record comes once an epoch, and batch mates differ from epoch to epoch. The batch that
    is not full, if any, is the last, of whatever lengths.

    A batch is cut across the shards, so they work on batches of the same length at the same time.

    Args:
        lengths: of the records, in steps of time; negative where they are not known.
        batch_size: records in a batch of this shard.
        step: what lengths are multiples of.
        longest: the greatest length, or `None` for no limit.
        bucketed: put records of similar length together.
        **arguments: of `EpochOrder`.

    Example:

    >>> LengthOrder([50, 300, 40, 290], 2, step=60, longest=300, bucketed=True).batch(0, 0)
    array([0, 2])
    """

    def __init__(
        self,
        lengths,
        batch_size: int,
        *,
        step: int,
        longest: int | None,
        bucketed: bool,
        **arguments,
    ):
        lengths = np.asarray(lengths, np.int64)
        super().__init__(len(lengths), batch_size, **arguments)
        self.step, self.longest, self.bucketed = step, longest, bucketed
        # A batch is made longer where need be: by what is not known it is not.
        self._least = self.rounded(np.maximum(lengths, 1)).astype(np.int32)
        self._rounded = np.where(lengths < 0, self._least.max(), self._least)
        self._all: tuple[int, np.ndarray] = (-1, np.arange(0))

    def rounded(self, length):
        """The length to which a batch with records of up to this length is padded."""
        rounded = -(-length // self.step) * self.step
        return rounded if self.longest is None else np.minimum(rounded, self.longest)

    def padded_length(self, epoch: int, index: int) -> int:
        """The length of a batch by what is known of its records, the same in all shards."""
        size = self.batch_size * self.num_shards
        records = self._order(epoch)[index * size : (index + 1) * size]
        return int(self._least[records].max())

    def places(self, epoch: int, index: int) -> range:
        # Threads ask for their shard at once; it is drawn here, before them.
        self.shard(epoch)
        return super().places(epoch, index)

    def identity(self) -> dict:
        lengths = zlib.crc32(self._rounded.tobytes()) if self.bucketed else None
        return {**super().identity(), "lengths": lengths}

    def _draw_shard(self, epoch: int) -> np.ndarray:
        return self._order(epoch)[self.shard_index :: self.num_shards]

    def _order(self, epoch: int) -> np.ndarray:
        """The records of all shards: those of a batch are next to each other."""
        epoch = epoch if self.shuffle else 0
        drawn = self._all
        if drawn[0] != epoch:
            self._all = drawn = (epoch, self._draw(epoch))
        return drawn[1]

    def _draw(self, epoch: int) -> np.ndarray:
        order = np.arange(self.num_records)
        rng = np.random.default_rng([self.seed, epoch, 1])
        if self.shuffle:
            order = rng.permutation(order)
        if not self.bucketed:
            return order
        size = self.batch_size * self.num_shards
        count = self.num_records // size
        if not self.shuffle:
            return order[np.argsort(self._rounded, kind="stable")]
        full, rest = order[: count * size], order[count * size :]
        pools = np.arange(len(full)) // (_POOL * size)
        batches = full[np.lexsort((self._rounded[full], pools))].reshape(count, size)
        # Batches hold one length or two: shuffled within, so that shards do not get the shorter.
        batches = rng.permuted(rng.permutation(batches, axis=0), axis=1)
        return np.concatenate([batches.reshape(-1), rest])
