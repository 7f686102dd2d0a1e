"""Slow, impatient and too many clients, over real connections."""

import socket
import time
from urllib.request import urlopen

import pytest
from serving_support import PRESET, left_in, listening, wait_until

from keras_video.serving import Settings, create_app

SETTINGS = {
    "workers": 1,
    "max_queue": 1,
    "max_bytes": 10**6,
    "window_seconds": 1.0,
    "hop_seconds": 0.05,
    "max_windows": 10_000,
    "idle_seconds": 1.0,
    "upload_seconds": 3.0,
}
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
TAIL = b"\r\n--b--\r\n"


@pytest.fixture(scope="module")
def app(predictor, tmp_path_factory):
    temporary = tmp_path_factory.mktemp("uploads")
    return create_app(predictor, Settings(**SETTINGS, temp_dir=temporary), PRESET)


@pytest.fixture(scope="module")
def port(app):
    with listening(app) as port:
        yield port
    assert not app.state.files.folder.exists()


class Upload:
    """A connection on which an upload begins."""

    def __init__(self, port, size, query=""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        length = len(HEAD) + size + len(TAIL)
        self.socket.sendall(
            f"POST /v1/classify{query} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n\r\n".encode()
            + HEAD
        )

    def send(self, content):
        self.socket.sendall(content)

    def finish(self):
        self.send(TAIL)

    def answer(self):
        """The status, and the rest as text."""
        text = b""
        while block := self.socket.recv(1 << 16):
            text += block
        self.socket.close()
        return int(text.split()[1]), text.decode()


def idle(app):
    return app.state.load.in_flight == 0 and left_in(app) == []


def metric(port, name):
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def test_an_upload_in_pieces_is_answered(port, app, clip):
    content = clip.read_bytes()
    upload = Upload(port, len(content))
    for start in range(0, len(content), 5000):
        upload.send(content[start : start + 5000])
    upload.finish()
    status, text = upload.answer()
    assert status == 200 and "moving left" in text
    wait_until(lambda: idle(app))


def test_a_client_that_leaves_in_the_middle_of_its_upload_leaves_nothing(port, app):
    upload = Upload(port, 10**5)
    upload.send(bytes(50_000))
    wait_until(lambda: len(left_in(app)) == 1)
    upload.socket.close()
    wait_until(lambda: idle(app))
    assert metric(port, 'keras_video_requests_total{code="499",path="/v1/classify"}') == 1


def test_a_client_that_leaves_while_it_is_served_frees_the_decoder(port, app, clip, long_clip):
    computed = metric(port, "keras_video_batch_views_count")
    content = long_clip.read_bytes()
    upload = Upload(port, len(content), "?windows=true")
    upload.send(content)
    upload.finish()
    wait_until(lambda: metric(port, "keras_video_batch_views_count") > computed)
    upload.socket.close()
    wait_until(lambda: idle(app))
    test_an_upload_in_pieces_is_answered(port, app, clip)


def test_too_many_requests_are_told_to_come_back(port, app, clip):
    content = clip.read_bytes()
    waiting = [Upload(port, len(content)) for _ in range(2)]
    wait_until(lambda: len(left_in(app)) == 2)
    refused = Upload(port, len(content))
    refused.send(content)
    refused.finish()
    status, text = refused.answer()
    assert status == 503 and '"busy"' in text and "retry-after: " in text.lower()
    for upload in waiting:
        upload.send(content)
        upload.finish()
        assert upload.answer()[0] == 200
    wait_until(lambda: idle(app))


def test_uploads_that_stop_or_creep_are_given_up(port, app):
    stopped, creeping = Upload(port, 10**5), Upload(port, 10**5)
    stopped.send(bytes(1000))
    for _ in range(8):
        creeping.send(bytes(1))
        time.sleep(0.5)
    for upload, seconds in ((stopped, 1), (creeping, 3)):
        status, text = upload.answer()
        assert status == 408 and f"in time, {seconds} seconds" in text
    wait_until(lambda: idle(app))


@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_is_refused_and_the_client_hears_of_it(port, app, announced):
    size = 2 * 10**6
    if announced:
        upload = Upload(port, size)
    else:
        upload = Upload.__new__(Upload)
        upload.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        upload.send(
            b"POST /v1/classify HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n\r\n"
            + b"%x\r\n" % (len(HEAD) + size + len(TAIL)) + HEAD
        )  # fmt: skip
    upload.send(bytes(size))
    upload.send(TAIL + (b"" if announced else b"\r\n0\r\n\r\n"))
    status, text = upload.answer()
    assert status == 413 and '"too_large"' in text
    wait_until(lambda: idle(app))
