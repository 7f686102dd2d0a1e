"""A function over many items, on all cores, results in order."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice


def parallel_map(
    function: Callable,
    items: Iterable,
    workers: int | None = None,
    stop: threading.Event | None = None,
) -> Iterator:
    """Yields `function(item)` of every item, in the order of the items.

    Threads do the work: decoders and encoders release Python's lock. A few items are taken ahead,
    never all of them, so the items may be a generator and results of any size do not pile up. An
    exception of the function comes out at its item's turn and ends the work.

    Args:
        function: called in a thread with one item.
        items: any iterable; taken from in the caller's thread.
        workers: number of threads, by default the number of cores.
        stop: set as soon as the work ends early, by an error, Ctrl-C or `close()`; a function that
            takes long can look at it.

    Returns:
        An iterator. Closing it early waits for what has begun and starts nothing more.

    Example:

    >>> list(parallel_map(abs, [-3, 2, -1]))
    [3, 2, 1]
    """
    workers = workers or os.cpu_count() or 1
    items = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        pending = [pool.submit(function, item) for item in islice(items, 2 * workers)]
        try:
            while pending:
                result = pending.pop(0).result()
                pending += [pool.submit(function, item) for item in islice(items, 1)]
                yield result
        finally:
            if stop is not None and pending:
                stop.set()
            for future in pending:
                future.cancel()
