"""Decoding processes: limited, replaced, never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from serving_support import wait_until

from keras_video.data import VideoPipeline
from keras_video.serving.cancellation import Cancellation
from keras_video.serving.request_error import RequestError
from keras_video.serving.worker_messages import MessageReader, write_message
from keras_video.serving.worker_pool import WorkerPool

LIMITS = {"max_seconds": 600, "max_pixels": 4096 * 2304, "max_frames": 36_000}
PIPELINE = VideoPipeline(num_frames=8, short_side=64, crop_size=64)


def config(**changed):
    return {
        "kind": "views",
        "limits": LIMITS,
        "options": {"pipeline": PIPELINE.get_config()},
        "memory": 2**31,
        "file_bytes": 0,
        "seconds": 30.0,
        **changed,
    }


class Answer:
    """What a pool says about one video."""

    def __init__(self, pool, path, windows=None, wait=0.0):
        self.messages, self.cancellation, self._wait = [], Cancellation(), wait
        job = {"path": str(path), "windows": windows}
        self.future = pool.submit(job, self.take, self.cancellation)

    def take(self, header, payload):
        self.messages.append((header, payload))
        time.sleep(self._wait)

    def error(self):
        with pytest.raises(RequestError) as caught:
            self.future.result(60)
        return caught.value.status, caught.value.code

    @property
    def views(self):
        return [payload for _, payload in self.messages if payload is not None]


MANY_WINDOWS = {"seconds": 1.0, "hop": 0.05, "most": 10_000}


@pytest.fixture
def make_pool(tmp_path):
    pools = []

    def make(workers=1, videos=100, **changed):
        pools.append(WorkerPool(config(**changed), workers, videos, tmp_path))
        return pools[-1]

    yield make
    for pool in pools:
        pids = pool.pids
        pool.close()
        assert pool.pids == []
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


def test_views_are_those_of_the_pipeline_and_processes_are_renewed(make_pool, clip):
    pool = make_pool(videos=2)
    pids = []
    for _ in range(4):
        answer = Answer(pool, clip)
        answer.future.result(30)
        assert (answer.views[0] == PIPELINE(str(clip))).all()
        pids += pool.pids
    assert len(set(pids)) == 3


def test_a_process_that_is_killed_costs_one_video(make_pool, clip, long_clip):
    pool = make_pool()
    answer = Answer(pool, long_clip, MANY_WINDOWS)
    wait_until(lambda: len(answer.views) > 2)
    os.kill(pool.pids[0], signal.SIGSEGV)
    assert answer.error() == (422, "decoder_crashed")
    Answer(pool, clip).future.result(30)


def test_a_process_that_died_while_idle_costs_none(make_pool, clip):
    pool = make_pool()
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    answer = Answer(pool, clip)
    answer.future.result(30)
    assert len(answer.views) == 1 and pool.pids != [pid]


def test_decoding_has_a_time_limit_that_waiting_does_not_use_up(make_pool, clip, long_clip):
    pool = make_pool(seconds=0.6)
    endless = {"seconds": 1.0, "hop": 0.0005, "most": 10**6}
    assert Answer(pool, long_clip, endless).error() == (422, "decoding_too_slow")
    answer = Answer(pool, clip, wait=0.8)
    answer.future.result(30)
    assert len(answer.views) == 1


def test_a_time_limit_may_be_as_long_as_one_likes():
    reading, writing = os.pipe()
    write_message(writing, {"done": 1})
    assert MessageReader(reading).read(time.monotonic() + 1e12) == ({"done": 1}, None)
    os.close(reading)
    os.close(writing)


def test_memory_has_a_limit(make_pool, clip, long_clip):
    pool = make_pool(memory=420 * 2**20, options={
        "pipeline": {**PIPELINE.get_config(), "num_frames": 900, "crop_size": 512,
                     "short_side": 512},
    })  # fmt: skip
    assert Answer(pool, long_clip).error()[1] in ("too_much_memory", "decoder_crashed")
    assert Answer(pool, clip).error()[1] in ("too_much_memory", "decoder_crashed")


def test_processes_that_cannot_start_are_told_at_once(tmp_path):
    with pytest.raises(RuntimeError, match="does not start"):
        WorkerPool(config(memory=2**24), 1, 100, tmp_path)


def test_a_video_that_nobody_waits_for_is_given_up(make_pool, clip, long_clip):
    pool = make_pool()
    running, waiting = Answer(pool, long_clip, MANY_WINDOWS, wait=0.01), Answer(pool, long_clip)
    wait_until(lambda: running.views)
    waiting.cancellation.set()
    running.cancellation.set()
    after = Answer(pool, clip)
    after.future.result(10)
    assert len(after.views) == 1 and waiting.messages == []


def test_there_is_no_network_and_no_program_to_start_for_a_decoder():
    code = (
        "import os, socket\n"
        "from keras_video.serving.no_network import forbid_network\n"
        "if not forbid_network(): raise SystemExit(3)\n"
        "refused = 0\n"
        "for attempt in (socket.socket, lambda: os.execv('/bin/true', ['true'])):\n"
        "    try: attempt()\n"
        "    except PermissionError: refused += 1\n"
        "raise SystemExit(refused)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode in (2, 3)


def test_processes_end_when_the_server_is_killed(clip, tmp_path):
    code = (
        "import sys, time\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "import test_worker_pool as here\n"
        "pool = here.WorkerPool(here.config(), 2, 100, sys.argv[1])\n"
        "print(*pool.pids, flush=True)\n"
        "time.sleep(60)\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=os.path.dirname(__file__),
    )
    try:
        pids = [int(pid) for pid in server.stdout.readline().split()]
        assert len(pids) == 2
    finally:
        server.kill()
        server.communicate()
    wait_until(lambda: not any(alive(pid) for pid in pids))


def alive(pid):
    """Whether a process runs; one that ended and that nobody has asked about does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_many_threads_may_ask_at_once(make_pool, clip):
    pool = make_pool(workers=2)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(Answer(pool, clip))) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        answer.future.result(60)
        assert len(answer.views) == 1
