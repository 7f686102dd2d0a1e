"""`WorkerProcess`: the server's side of one decoding process."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from keras_video.serving.request_error import RequestError
from keras_video.serving.worker_messages import MessageReader

_START_SECONDS = 60.0
_END_SECONDS = 2.0
# What a decoder needs of the environment; no tokens, no proxies.
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


class WorkerLostError(Exception):
    """The process ended before it took the job: another one may."""


class WorkerProcess:
    """Starts `keras_video.serving.decoding_worker` and gives it one job after the other.

    Args:
        config: see there.
        folder: where it starts, which nothing is imported from.

    Attributes:
        jobs: that it was given.
        is_good: whether it may be given another one.
    """

    def __init__(self, config: dict, folder: str | os.PathLike):
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        environment |= {
            "PYTHONPATH": os.pathsep.join(path for path in map(os.path.abspath, sys.path) if path),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "keras_video.serving.decoding_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            cwd=folder,
            # Ctrl-C in a terminal is for the server, which lets requests finish.
            start_new_session=True,
        )
        self._reader = MessageReader(self._process.stdout.fileno())
        self._seconds = config["seconds"]
        self._is_ready = False
        self.jobs = 0
        self.is_good = True
        # One that is gone already is found out about by `wait_until_ready`.
        with contextlib.suppress(BrokenPipeError):
            self._send_line(config)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Waits until it has imported what it needs.

        Raises:
            RuntimeError: it does not start.
        """
        if self._is_ready:
            return
        try:
            self._reader.read(time.monotonic() + _START_SECONDS)
        except (TimeoutError, EOFError, OSError) as error:
            self.kill()
            raise RuntimeError(
                "A decoding process does not start; it may need more memory than --worker-memory "
                f"gives it. Received: exit code {self._process.wait()}"
            ) from error
        self._is_ready = True

    def run(self, job: dict) -> Iterator[tuple[dict, np.ndarray | None]]:
        """Gives it a job and yields its messages; the last one has the key `done`.

        Time in which the caller does not ask for a message does not count.

        Raises:
            WorkerLostError: it was gone already.
            RequestError: what it says about the video; or it died of it, or took too long.
        """
        self.jobs += 1
        left = self._seconds
        try:
            self.wait_until_ready()
            self._send_line(job)
            self._reader.read(time.monotonic() + _START_SECONDS)
        except (OSError, EOFError, TimeoutError, RuntimeError) as error:
            raise WorkerLostError from error
        while True:
            start = time.monotonic()
            try:
                header, payload = self._reader.read(start + left)
            except TimeoutError as error:
                self.kill()
                raise RequestError(
                    422,
                    "decoding_too_slow",
                    f"Decoding the video took more than {self._seconds:g} seconds: make it "
                    "shorter or smaller",
                ) from error
            except (EOFError, OSError) as error:
                self.kill()
                raise RequestError(
                    422,
                    "decoder_crashed",
                    "The decoder crashed on this file, or was stopped by its limits of memory and "
                    "time",
                ) from error
            left -= time.monotonic() - start
            if "error" in header:
                self._raise(header)
            yield header, payload
            if "done" in header:
                return

    def kill(self) -> None:
        """Ends it at once. May be called from any thread."""
        self._process.kill()

    def close(self) -> None:
        """Lets it end, kills it if it does not, and waits for it."""
        self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _send_line(self, content: dict) -> None:
        self._process.stdin.write(json.dumps(content).encode() + b"\n")

    def _raise(self, header: dict) -> None:
        try:
            status, code, message = header["error"]
            if not 400 <= status < 500:
                raise ValueError(status)
            error = RequestError(status, str(code), str(message))
        except (TypeError, ValueError):
            error = RequestError(422, "undecodable", "The decoder failed on this file")
        error.trace = header.get("trace")
        raise error
