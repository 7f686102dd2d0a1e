"""Starts applications of `keras_video.serving`, and looks at what they answer and leave."""

import contextlib
import os
import socket
import threading
import time

import pytest
import uvicorn
from fastapi.testclient import TestClient

PRESET = "tsm_tiny_motion"


def wait_until(condition, seconds=30.0):
    """Waits until something holds; fails when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@contextlib.contextmanager
def serving(app):
    """A client of an application that has started; afterwards nothing may be left of it."""
    with TestClient(app, raise_server_exceptions=False) as client:
        wait_until(lambda: app.state.service.is_ready or app.state.service.failure, 60)
        assert app.state.service.failure is None
        folder, pids = app.state.files.folder, list(app.state.service.pool.pids)
        yield client
        wait_until(lambda: left_in(app) == [])
        pids += app.state.service.pool.pids
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def left_in(app):
    """Names of the uploads that lie in the server's folder."""
    return [path.name for path in app.state.files.folder.iterdir() if path.name != "lock"]


@contextlib.contextmanager
def listening(app):
    """The port of an application of ours that runs in a thread."""
    with on_port(app) as port:
        wait_until(lambda: app.state.service.is_ready or app.state.service.failure, 60)
        yield port


@contextlib.contextmanager
def on_port(app, **options):
    """The port of any application, which uvicorn runs in a thread."""
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, **options)
    server = uvicorn.Server(config)
    sock = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([sock],))
    thread.start()
    try:
        yield sock.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


def post(client, path_or_bytes, where="/v1/classify", name="clip.mp4"):
    """Uploads a file."""
    content = path_or_bytes if isinstance(path_or_bytes, bytes) else path_or_bytes.read_bytes()
    return client.post(where, files={"file": (name, content)})


def error_of(response):
    """Status and code of an error, after a look at its form."""
    (error,) = response.json().values()
    assert set(error) == {"code", "message"} and "Traceback" not in error["message"]
    assert "/" + "tmp" not in error["message"]
    return response.status_code, error["code"]
