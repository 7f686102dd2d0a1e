"""Which records make which batch: a function of the seed, the epoch and the shard."""

import numpy as np

from keras_video.data.batch_shape import BatchShape, BatchShapes

PADDING = -1
_STATE_VERSION = 1
LAST_BATCH = ("drop", "keep", "pad")


def default_last_batch(num_records: int, batch_size: int, num_shards: int, training: bool) -> str:
    """`"drop"` in training where there is another batch, else `"keep"`; `"pad"` for shards."""
    if training and num_records >= batch_size * num_shards:
        return "drop"
    return "keep" if num_shards == 1 else "pad"


class EpochOrder:
    """The order of a data set in each epoch, cut into shards and batches.

    All shards have the same number of batches. They are disjoint, and together they cover the
    epoch: with `last_batch="pad"` or one shard and `"keep"` all of it, with `"drop"` all but
    less than a batch of each shard and less than one record for each.

    Args:
        num_records: size of the whole data set.
        batch_size: records in a batch of this shard.
        shuffle: draw a new order for each epoch; else the order of the records.
        seed: of the orders, a whole number from 0.
        num_shards: how many input pipelines share the data set.
        shard_index: which of them this is, from 0.
        last_batch: `"drop"`, `"keep"` (shorter; one shard only) or `"pad"` (with `PADDING`).
        shapes: a schedule of larger batches, in turn; with `"drop"` only.

    Raises:
        ValueError: numbers that make no order, or not one batch.

    Example:

    >>> EpochOrder(5, 2, last_batch="pad").batch(epoch=0, index=2)
    array([ 4, -1])
    """

    def __init__(
        self,
        num_records: int,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        num_shards: int = 1,
        shard_index: int = 0,
        last_batch: str = "pad",
        shapes: BatchShapes | None = None,
    ):
        for name, value, least in (
            ("batch_size", batch_size, 1),
            ("num_shards", num_shards, 1),
            ("seed", seed, 0),
        ):
            if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
                raise ValueError(
                    f"`{name}` must be a whole number from {least}. Received: {name}={value!r}"
                )
        if not 0 <= shard_index < num_shards:
            raise ValueError(
                "`shard_index` goes from 0 to `num_shards` - 1. "
                f"Received: shard_index={shard_index!r}, num_shards={num_shards}"
            )
        if last_batch not in LAST_BATCH:
            raise ValueError(
                f"`last_batch` must be one of {LAST_BATCH}. Received: last_batch={last_batch!r}"
            )
        if last_batch == "keep" and num_shards > 1:
            raise ValueError(
                'Shards with `last_batch="keep"` could differ in their number of batches; use '
                f'"drop" or "pad". Received: num_shards={num_shards}'
            )
        self.num_records, self.batch_size = num_records, batch_size
        self.shuffle, self.seed = shuffle, seed
        self.num_shards, self.shard_index = num_shards, shard_index
        self.last_batch = last_batch
        self.shapes = shapes
        if shapes is not None and last_batch != "drop":
            raise ValueError(
                "Where batches change their shape, the last one of an epoch must be dropped. "
                f"Received: last_batch={last_batch!r}"
            )
        epochs = 1 if shapes is None else shapes.num_epochs
        if any(self.batches_in(epoch) < len(self._sizes(epoch)) for epoch in range(epochs)):
            raise self._too_few()
        self._drawn: tuple[int, np.ndarray] = (-1, np.arange(0))

    def batches_in(self, epoch: int) -> int:
        """Batches in an epoch, which differ where their shapes do."""
        sizes = self._sizes(epoch)
        if self.last_batch != "drop":
            return -(-self.num_records // (self.num_shards * self.batch_size))
        cycles, rest = divmod(self.num_records // self.num_shards, sum(sizes))
        return cycles * len(sizes) + int(np.searchsorted(np.cumsum(sizes), rest, "right"))

    def shape(self, epoch: int, index: int) -> BatchShape | None:
        """The shape of a batch, where shapes differ."""
        if self.shapes is None:
            return None
        cycle = self.shapes.cycle(epoch)
        return cycle[index % len(cycle)]

    def base_batches(self, epoch: int) -> range:
        """The batches of an epoch's base shape: all, where shapes do not differ."""
        length = len(self._sizes(epoch))
        return range(length - 1, self.batches_in(epoch), length)

    def shard(self, epoch: int) -> np.ndarray:
        """Record numbers of this shard in the order of an epoch."""
        epoch = epoch if self.shuffle else 0
        drawn = self._drawn
        if drawn[0] != epoch:
            self._drawn = drawn = (epoch, self._draw_shard(epoch))
        return drawn[1]

    def places(self, epoch: int, index: int) -> range:
        """The places in the shard's order that a batch takes; some may lie beyond its end."""
        sizes = self._sizes(epoch)
        cycles, turn = divmod(index, len(sizes))
        start = cycles * sum(sizes) + sum(sizes[:turn])
        stop = start + sizes[turn]
        if self.last_batch == "keep":
            stop = min(stop, self.num_records)
        return range(start, stop)

    def batch(self, epoch: int, index: int) -> np.ndarray:
        """Record numbers of a batch, `PADDING` where it is filled up."""
        shard = self.shard(epoch)
        return np.array(
            [shard[place] if place < len(shard) else PADDING for place in self.places(epoch, index)]
        )

    def identity(self) -> dict:
        """What must be the same where a saved position means the same, as plain values."""
        names = "num_records batch_size shuffle seed num_shards shard_index last_batch".split()
        shapes = None if self.shapes is None else self.shapes.get_config()
        values = {name: getattr(self, name) for name in names}
        return {"version": _STATE_VERSION, **values, "shapes": shapes}

    def check_identity(self, state: dict) -> None:
        """Raises `ValueError` for a saved position of another order."""
        known = self.identity()
        other = [name for name in known if state.get(name) != known[name]]
        if other:
            raise ValueError(
                "The state is of another data set. Received: "
                + ", ".join(f"{name}={state.get(name)!r}, here {known[name]!r}" for name in other)
            )

    def _sizes(self, epoch: int) -> list[int]:
        """The sizes that batches have in turn."""
        if self.shapes is None:
            return [self.batch_size]
        return [self.batch_size * shape.batch_factor for shape in self.shapes.cycle(epoch)]

    def _too_few(self) -> ValueError:
        what, hint = "one batch", ", a smaller `batch_size`, or `last_batch` 'keep' or 'pad'"
        if self.shapes is not None:
            what, hint = "one batch of each shape in every epoch", " or a smaller `batch_size`"
        return ValueError(
            f"There is not {what}; it takes more videos{hint}. Received: {self.num_records} "
            f"videos, num_shards={self.num_shards}, batch_size={self.batch_size}, "
            f"last_batch={self.last_batch!r}"
        )

    def _draw_shard(self, epoch: int) -> np.ndarray:
        order = np.arange(self.num_records)
        if self.shuffle:
            order = np.random.default_rng([self.seed, epoch, 1]).permutation(order)
        return order[self.shard_index :: self.num_shards]
