"""A server of the page that says what a test tells it to."""

import asyncio
import contextlib
import socket
import threading
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import FileResponse, JSONResponse

import keras_video

PAGE = Path(keras_video.__file__).parent / "serving" / "page"
CSP = "default-src 'self'; media-src blob: 'self'; img-src blob: data: 'self'"
LABELS = ["moving left", "moving right", "moving up", "moving down"]
FACTS = {"duration": 12.0, "fps": 8.0, "frames": 96, "width": 96, "height": 96}
TIMINGS = {"decode": 0.0421, "queue": 0.0, "network": 0.13, "total": 1.234}


def ranking(best, score=0.9):
    """Predictions with this label first."""
    others = [label for label in LABELS if label != best]
    scores = [score, *np.array([0.5, 0.3, 0.2]) * (1 - score)]
    return [
        {"label": label, "class_id": LABELS.index(label), "score": share}
        for label, share in zip([best, *others], scores, strict=True)
    ]


LONG = {
    "id": "1",
    "model": "canned",
    "video": FACTS,
    "predictions": ranking("moving left", 0.6),
    "windows": [
        {"start": 2.0 * i, "end": 2.0 * i + 2, "predictions": ranking(label, 0.9 - 0.1 * i)}
        for i, label in enumerate([*LABELS, "moving left", "moving left"])
    ],
    "timings": TIMINGS,
}
ACTIONS = {
    "id": "2",
    "model": "canned",
    "video": FACTS,
    "actions": [
        {"start": 8.0, "end": 11.5, "label": "long jump", "class_id": 1, "score": 0.91},
        {"start": 1.0, "end": 4.0, "label": "run-up", "class_id": 0, "score": 0.75},
        {"start": 2.5, "end": 5.0, "label": "run-up", "class_id": 0, "score": 0.15},
    ],
    "timings": TIMINGS,
}


class CannedServer:
    """Serves the page and what a test tells it to say.

    Attributes:
        task, answer, status: of the model, of its answer to a video.
        limits: what the server takes.
        ready: whether it takes videos.
        uploads: `(file name, bytes)` of the videos that came.
        go: answers wait for it.
        left: set when the browser leaves without its answer.
    """

    def __init__(self):
        self.app = FastAPI()
        self.app.get("/")(lambda: self.file("index.html"))
        self.app.get("/page/{name}")(self.file)
        self.app.get("/health")(lambda: JSONResponse({}, 200 if self.ready else 503))
        self.app.get("/v1/model")(self.model)
        self.app.post("/v1/{task}")(self.analyse)
        self.tell("classify", LONG)

    def tell(self, task, answer, status=200, limits=None, labels=LABELS):
        self.task, self.answer, self.status, self.labels = task, answer, status, labels
        self.limits = limits or {"max_bytes": 10_000_000, "max_seconds": 600, "max_pixels": 10**7}
        self.uploads = []
        self.ready = True
        self.go, self.left = threading.Event(), threading.Event()
        self.go.set()

    def file(self, name: str):
        return FileResponse(PAGE / name, headers={"Content-Security-Policy": CSP})

    def model(self):
        return {
            "name": "canned",
            "task": self.task,
            "labels": self.labels,
            "runtime": "none",
            "limits": self.limits,
            "window_seconds": 2.0,
        }

    async def analyse(self, task: str, file: UploadFile, request: Request):
        self.uploads.append((task, file.filename, await file.read()))
        while not self.go.is_set():
            if await request.is_disconnected():
                self.left.set()
                return None
            await asyncio.sleep(0.01)
        return JSONResponse(self.answer, self.status)


@contextlib.contextmanager
def serve(app):
    """Serves an app on a free port of this machine, and yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
