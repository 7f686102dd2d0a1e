"""Where the seconds of a data set go."""

import threading
from dataclasses import dataclass

# A model that waits for less than this share of its time is the bottleneck itself.
_IDLE_SHARE = 0.1


@dataclass(frozen=True)
class DatasetProfile:
    """Seconds that batches took, by stage.

    Attributes:
        batches: number of batches handed out.
        clips: number of clips in them, padding not counted.
        workers: number of threads that loaded them.
        elapsed: seconds on the clock, from the first request for a batch on.
        decode: seconds that threads spent on opening and decoding videos, summed up.
        transform: seconds that threads spent on resizing, cropping and augmentation, summed up.
        batch: seconds for putting clips together.
        wait: seconds that the consumer waited for clips.
        consumer: seconds that the consumer spent between two requests: the model's own time.
    """

    batches: int
    clips: int
    workers: int
    elapsed: float
    decode: float
    transform: float
    batch: float
    wait: float
    consumer: float

    @property
    def clips_per_second(self) -> float:
        return self.clips / self.elapsed if self.elapsed else 0.0

    @property
    def bottleneck(self) -> str:
        """`"device"` (the model), `"decode"` or `"host"` (transforms and batches)."""
        feeding = self.wait + self.batch
        if self.consumer and feeding < _IDLE_SHARE * (feeding + self.consumer):
            return "device"
        return "decode" if self.decode >= self.transform + self.batch else "host"

    def __str__(self) -> str:
        clips, batches = max(self.clips, 1), max(self.batches, 1)
        rows = [
            ("decode", self.decode, clips, "ms a clip, in the threads"),
            ("transform", self.transform, clips, "ms a clip, in the threads"),
            ("batch", self.batch, batches, "ms a batch"),
            ("wait", self.wait, batches, "ms a batch that the consumer waited for clips"),
            ("consumer", self.consumer, batches, "ms a batch that it did something else"),
        ]
        lines = [
            f"{self.clips} clips in {self.batches} batches, {self.elapsed:.2f} s, "
            f"{self.clips_per_second:.1f} clips/s, {self.workers} threads"
        ]
        lines += [f"  {name:10}{1000 * s / n:9.1f} {unit}" for name, s, n, unit in rows]
        feeding = self.wait + self.batch
        share = 100 * feeding / (feeding + self.consumer) if feeding + self.consumer else 0.0
        advice = {
            "device": "the model: the data set keeps up with it",
            "decode": "decoding: shorter groups of pictures (`keras-video dataset prepare --gop`), "
            "frames in shards (`keras-video dataset frames`), or more cores help",
            "host": "transforms and batches: cheaper transforms or more cores help",
        }[self.bottleneck]
        lines.append(f"  {share:.0f} % of the consumer's time went into waiting for data")
        lines.append(f"Bottleneck: {advice}")
        return "\n".join(lines)


class StageTimes:
    """Sums up seconds of stages. Safe in threads."""

    _NAMES = ("decode", "transform", "batch", "wait", "consumer")

    def __init__(self):
        self._lock = threading.Lock()
        self.reset()

    def __getstate__(self):
        return True  # nothing: times are a process' own

    def __setstate__(self, state):
        self.__init__()

    def reset(self) -> None:
        with self._lock:
            self._seconds = dict.fromkeys(self._NAMES, 0.0)
            self.batches = self.clips = 0

    def add(self, batches: int = 0, clips: int = 0, **seconds: float) -> None:
        with self._lock:
            self.batches += batches
            self.clips += clips
            for name, value in seconds.items():
                self._seconds[name] += value

    def profile(self, workers: int) -> DatasetProfile:
        with self._lock:
            seconds = dict(self._seconds)
            elapsed = seconds["wait"] + seconds["batch"] + seconds["consumer"]
            return DatasetProfile(self.batches, self.clips, workers, elapsed, **seconds)
