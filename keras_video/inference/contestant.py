"""`Contestant`: a process that is measured in turns with others."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence


class Contestant:
    """A process that does one piece of work for every line that it is sent.

    Several of them take turns, one piece each a round, so that a slow moment of the machine hits
    all. Processes of their own keep threads and memory apart.

    Args:
        command: what to start. It prints one JSON object when it is warm, and one a piece of work.
        name: of it, for messages.
        threads: how many it may use.
    """

    def __init__(self, command: Sequence[str], name: str, threads: int):
        self.name = name
        self.measured: list[dict] = []
        # A pipe that nobody reads would hold up whoever writes much into it.
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )

    def wait_until_warm(self) -> dict:
        """What it says of itself.

        Raises:
            RuntimeError: it ended; the message has what it printed last.
        """
        return self._read()

    def run(self) -> dict:
        """Lets it work once, and returns what that took.

        Raises:
            RuntimeError: it ended; the message has what it printed last.
        """
        try:
            self._process.stdin.write("run\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failure() from error
        self.measured.append(self._read())
        return self.measured[-1]

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()
        self._said.close()

    def _read(self) -> dict:
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise self._failure()

    def _failure(self) -> RuntimeError:
        code = self._process.wait()
        self._said.seek(0)
        said = self._said.read()[-2000:].decode(errors="replace").strip()
        return RuntimeError(f"{self.name} failed: {said or f'exit code {code}'}")


def take_turns(contestants: Sequence[Contestant], rounds: int) -> None:
    """Lets each work once a round."""
    for _ in range(rounds):
        for contestant in contestants:
            contestant.run()


def work_for_every_line(work, said: Mapping, lines: Iterable[str] = sys.stdin) -> None:
    """The other side: says that it is warm, and works once for every line.

    Args:
        work: returns what it took, as a dictionary.
        said: of itself, once it is warm.
        lines: what asks for work.
    """
    print(json.dumps(dict(said)), flush=True)
    for _ in lines:
        print(json.dumps(work()), flush=True)
