"""Asks a server many things at one time, and looks at every answer.

    python tools/load_test.py
    python tools/load_test.py --requests=1000 --concurrency=200 --preset=tsm_tiny_motion
    python tools/load_test.py --model=exported/tsm --runtime=onnxruntime

starts `keras-video serve` on this machine's own address 127.0.0.1, renders videos of moving
shapes, asks for each alone, and then sends `requests` of them, `concurrency` at one time, some of
them damaged. Every whole video must get the label that it shows and the score that it got alone,
every damaged one a status from 400 to 499. Then the server is told to end, which must take it to
exit code 0 and leave no file. Prints throughput, latencies and statuses; exits with 1 if anything
was not as it must be. The preset must know the motion classes.
"""

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence

import httpx

CLIPS_OF_A_CLASS = 2
CORRUPT_KINDS = ("empty", "text", "truncated", "noise")
START_SECONDS, ANSWER_SECONDS = 180, 300


@dataclasses.dataclass
class Sent:
    """A request of the test: what it sends, and what must come back."""

    content: bytes
    label: str | None = None
    score: float = 0.0
    status: int = 0
    seconds: float = 0.0
    wrong: str = ""


@dataclasses.dataclass
class LoadReport:
    """What became of all requests."""

    sent: Sequence[Sent]
    seconds: float

    @property
    def wrong(self) -> list[str]:
        return [one.wrong for one in self.sent if one.wrong]

    def lines(self) -> Iterator[str]:
        times = sorted(one.seconds for one in self.sent)
        cuts = statistics.quantiles(times, n=100, method="inclusive")
        statuses = collections.Counter(one.status for one in self.sent)
        rate = len(times) / self.seconds
        yield f"{len(times)} requests in {self.seconds:.2f} s: {rate:.1f} a second"
        yield f"latency: p50 {cuts[49]:.2f} s, p90 {cuts[89]:.2f} s, p99 {cuts[98]:.2f} s"
        yield "statuses: " + ", ".join(f"{status}: {n}" for status, n in sorted(statuses.items()))
        yield f"wrong answers: {len(self.wrong)}"
        yield from self.wrong[:10]


@contextlib.contextmanager
def running_server(arguments: Sequence[str]) -> Iterator[tuple[str, subprocess.Popen]]:
    """The address of a new `keras-video serve`, and its process; kills it if it still runs."""
    command = [sys.executable, "-m", "keras_video.cli", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    late = threading.Timer(START_SECONDS, process.kill)
    late.start()
    try:
        line = process.stdout.readline()
        late.cancel()
        found = re.search(r"at (http://127\.0\.0\.1:\d+)", line)
        if not found:
            raise RuntimeError(f"The server did not start. Received: {line!r}")
        yield found[1], process
    finally:
        late.cancel()
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def render_clips(per_class: int = CLIPS_OF_A_CLASS) -> list[tuple[str, bytes]]:
    """Labels and files of rendered videos."""
    from keras_video.data import MOTION_CLASSES, render_motion_clip, write_video

    clips = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "clip.mp4"
        for number in range(per_class * len(MOTION_CLASSES)):
            label = MOTION_CLASSES[number % len(MOTION_CLASSES)]
            write_video(path, render_motion_clip(label, 2**33 + number, 30, 128), 25)
            clips.append((label, path.read_bytes()))
    return clips


def corrupt(content: bytes, kind: str, draws: random.Random) -> bytes:
    """A damaged file that no server may take for a video."""
    if kind == "empty":
        return b""
    if kind == "text":
        return b"not a video\n" * draws.randrange(1, 1000)
    if kind == "truncated":
        return content[: draws.randrange(len(content) // 2)]
    return draws.randbytes(len(content))


async def run_load(
    address: str,
    clips: Sequence[tuple[str, bytes]],
    requests: int,
    concurrency: int,
    corrupt_share: float = 0.05,
    seed: int = 0,
) -> LoadReport:
    """Sends requests and checks the answers."""
    draws = random.Random(seed)
    limits = httpx.Limits(max_connections=concurrency)
    async with httpx.AsyncClient(
        base_url=address, limits=limits, timeout=ANSWER_SECONDS, trust_env=False
    ) as client:
        whole = [Sent(content, label) for label, content in clips]
        for one in whole:
            await ask(client, one, compare=False)
        # The network misjudges a scene now and then; what it says of those alone is no measure.
        whole = [one for one in whole if not one.wrong]
        if len(whole) < 0.75 * len(clips):
            raise RuntimeError(f"The model knows {len(whole)} of {len(clips)} rendered videos")
        sent = []
        for number in range(requests):
            clip = whole[number % len(whole)]
            sent.append(Sent(clip.content, clip.label, clip.score))
        for number in range(round(corrupt_share * requests)):
            kind = CORRUPT_KINDS[number % len(CORRUPT_KINDS)]
            sent[number] = Sent(corrupt(sent[number].content, kind, draws))
        draws.shuffle(sent)
        free = asyncio.Semaphore(concurrency)

        async def one_at_a_time(one: Sent) -> None:
            async with free:
                await ask(client, one)

        start = time.perf_counter()
        await asyncio.gather(*map(one_at_a_time, sent))
        return LoadReport(sent, time.perf_counter() - start)


async def ask(client: httpx.AsyncClient, one: Sent, compare: bool = True) -> None:
    """Sends one request and says what is wrong with its answer."""
    start = time.perf_counter()
    try:
        answer = await client.post("/v1/classify?top_k=1", files={"file": ("a", one.content)})
    except httpx.HTTPError as error:
        one.wrong = f"no answer: {error!r}"
        return
    finally:
        one.seconds = time.perf_counter() - start
    one.status, content = answer.status_code, answer.json()
    if one.label is None:
        if not 400 <= one.status < 500 or set(content) != {"error"}:
            one.wrong = f"a damaged file got {one.status} {content}"
        return
    if one.status != 200:
        one.wrong = f"a whole file got {one.status} {content}"
        return
    (best,) = content["predictions"]
    if best["label"] != one.label:
        one.wrong = f"{one.label} is called {best['label']}"
    elif compare and abs(best["score"] - one.score) > 1e-3:
        one.wrong = f"the score alone is {one.score:.4f}, under load {best['score']:.4f}"
    elif not compare:
        one.score = best["score"]


def end(process: subprocess.Popen, folder: pathlib.Path) -> list[str]:
    """Tells the server to end; what is wrong with how it does."""
    process.send_signal(signal.SIGTERM)
    code = process.wait(60)
    wrong = [f"exit code {code}"] if code else []
    return wrong + [f"left behind: {path.name}" for path in folder.iterdir()]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=200)
    parser.add_argument("--corrupt", type=float, default=0.05, help="share of damaged files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", default="tsm_tiny_motion")
    parser.add_argument("--model", help="an exported model instead of a preset")
    parser.add_argument("--runtime")
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    arguments = ["--model", options.model] if options.model else ["--preset", options.preset]
    if options.runtime:
        arguments += ["--runtime", options.runtime]
    if options.workers:
        arguments += ["--workers", str(options.workers)]
    clips = render_clips()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with running_server([*arguments, "--temp-dir", str(folder)]) as (address, process):
            report = asyncio.run(
                run_load(
                    address,
                    clips,
                    options.requests,
                    options.concurrency,
                    options.corrupt,
                    options.seed,
                )
            )
            wrong = end(process, folder)
    print(*report.lines(), *wrong, sep="\n")
    return 1 if report.wrong or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
