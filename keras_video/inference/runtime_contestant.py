"""One runtime in a process of its own, for `compare_runtimes`.

python -m keras_video.inference.runtime_contestant '{"model": ..., "runtime": ..., ...}'
"""

import json
import pathlib
import re
import sys
import time

import numpy as np

from keras_video.data.clip_loader import ClipLoader
from keras_video.data.video_record import VideoRecord
from keras_video.inference.contestant import work_for_every_line
from keras_video.inference.predictor import Predictor
from keras_video.inference.runtimes import load


def main(task: dict) -> None:
    """Opens the model, and classifies the video once for every line on standard input."""
    model = task["model"]
    if task["runtime"] == "keras" and task["precision"] != "float32":
        model = load(model, task["threads"], dtype=f"mixed_{task['precision']}")
    predictor = Predictor(model, task["runtime"], task["threads"])
    loader = ClipLoader(preprocessor=predictor.preprocessor)
    record, rng = VideoRecord(task["video"]), np.random.default_rng(0)

    def work() -> dict:
        cpu = time.process_time()
        loaded = loader.load(record, rng)
        views = loaded.clip if loaded.clip.ndim == 5 else loaded.clip[np.newaxis]
        started = time.perf_counter()
        scores = predictor.scores(views)
        return {
            "decode": loaded.decode_seconds,
            "preprocess": loaded.transform_seconds,
            "network": time.perf_counter() - started,
            "cpu": time.process_time() - cpu,
            "memory": peak_memory(),
            "best": int(scores.argmax()),
        }

    for _ in range(3):
        work()
    work_for_every_line(work, {"views": len(predictor.preprocess(task["video"]))})


def peak_memory() -> int | None:
    """Of this process in bytes, where the system says it."""
    status = pathlib.Path("/proc/self/status")
    # What the resource module says is at least what the process had that started this one.
    if status.exists():
        return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1])
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
