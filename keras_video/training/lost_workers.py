"""Which worker went away, and what to do."""

import contextlib
import socket
from collections.abc import Iterator

import tensorflow as tf

from keras_video.training.strategies import worker_addresses, worker_index

_SIGNS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


class WorkerLostError(RuntimeError):
    """Another worker of the run is gone; this one stops, as it cannot go on without it."""


@contextlib.contextmanager
def naming_lost_workers(several_workers: bool) -> Iterator[None]:
    """Turns the errors of collective operations into `WorkerLostError`, which names the worker."""
    try:
        yield
    except _SIGNS as error:
        lost = unreachable_workers() if several_workers else []
        if not lost:
            raise
        names = ", ".join(lost)
        raise WorkerLostError(
            f"Lost {names}: it no longer answers, so this worker stops too. Look at its log, then "
            "start the same command on all workers again; training goes on from the last "
            f"checkpoint. Received: {error.message.splitlines()[0]:.200}"
        ) from error


def unreachable_workers(timeout: float = 5.0) -> list[str]:
    """The other workers in `TF_CONFIG` that take no connection, such as `worker 1 (10.0.0.2:22)`.

    Args:
        timeout: seconds to wait for each.
    """
    lost = []
    for index, address in enumerate(worker_addresses()):
        if index == worker_index():
            continue
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout).close()
        except OSError:
            lost.append(f"worker {index} ({address})")
    return lost
