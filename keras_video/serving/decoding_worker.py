"""`python -m keras_video.serving.decoding_worker`: one process that decodes for a server.

Reads a JSON object a line: first its configuration, then jobs. Ends when that pipe is closed, in
the middle of a video too, so that no process outlives a server, however that ends.
"""

import json
import os
import queue
import resource
import sys
import threading
import time
import traceback
import warnings

from keras_video.serving.no_network import forbid_network
from keras_video.serving.worker_messages import write_message

# What importing and answering takes besides decoding.
_SPARE_CPU_SECONDS = 5


def main() -> None:
    output = os.dup(1)
    os.dup2(2, 1)  # Whatever a library prints must not get between the messages.
    config = json.loads(sys.stdin.readline())
    _limit_resources(config)
    forbid_network()
    jobs = queue.SimpleQueue()
    threading.Thread(target=_read_jobs, args=(jobs,), daemon=True).start()
    warnings.simplefilter("ignore")
    handle = _handler(config)
    write_message(output, {"ready": True})
    while True:
        job = jobs.get()
        write_message(output, {"started": True})
        _limit_cpu_time(config["seconds"])
        try:
            answer = _handle(handle, job, output)
        except BrokenPipeError:
            os._exit(0)
        write_message(output, answer)
        if answer.get("retire"):
            os._exit(0)


def _handle(handle, job: dict, output: int) -> dict:
    from keras_video.serving.limited_reader import explained
    from keras_video.serving.request_error import RequestError

    start = time.perf_counter()
    try:
        with explained(job["path"]):
            for header, payload in handle(job):
                write_message(output, header, payload)
    except BrokenPipeError:
        raise
    except RequestError as error:
        # What a failed allocation leaves behind stays as long as the process.
        return {
            "error": [error.status, error.code, error.message],
            "retire": error.code == "too_much_memory",
        }
    except Exception:
        said = "The decoder failed on this file"
        return {
            "error": [422, "undecodable", said],
            "trace": traceback.format_exc()[-4000:],
            "retire": True,
        }
    return {"done": time.perf_counter() - start}


def _handler(config: dict):
    from keras_video.serving.limited_reader import VideoLimits

    limits = VideoLimits(**config["limits"])
    if config["kind"] == "reencode":
        from keras_video.serving.reencode_upload import ReencodeUpload

        return ReencodeUpload(limits, **config["options"])
    from keras_video.serving.read_views import ReadViews

    return ReadViews(limits, **config["options"])


def _read_jobs(jobs: queue.SimpleQueue) -> None:
    for line in sys.stdin:
        jobs.put(json.loads(line))
    os._exit(0)


def _limit_resources(config: dict) -> None:
    memory, size = config["memory"], config["file_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_cpu_time(seconds: float) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    soft = int(used + seconds + _SPARE_CPU_SECONDS) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


if __name__ == "__main__":
    main()
