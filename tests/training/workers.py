"""Two workers on this machine, as processes."""

import json
import os
import pathlib
import socket
import subprocess
import sys

TESTS = pathlib.Path(__file__).parents[1]


class Workers:
    """The processes of a cluster of workers; killed when the `with` block ends before they do."""

    def __init__(self, processes: list[subprocess.Popen]):
        self.processes = processes

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *exception) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def wait(self, expected: tuple[int, ...] = (0, 0), timeout: float = 300) -> list[str]:
        """What each printed, once all have ended with the expected codes."""
        outputs = [process.communicate(timeout=timeout)[0] for process in self.processes]
        codes = tuple(process.returncode for process in self.processes)
        assert codes == expected, "\n".join(output[-3000:] for output in outputs)
        return outputs


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def start_workers(script: str, *arguments: str, count: int = 2) -> Workers:
    """Starts `tests/training/<script>` once for each worker."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    processes = []
    for index in range(count):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = {
            **os.environ,
            "TF_CONFIG": json.dumps(cluster),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}",
        }
        processes.append(
            subprocess.Popen(
                [sys.executable, str(TESTS / "training" / script), *arguments],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    return Workers(processes)
