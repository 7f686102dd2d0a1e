"""Slow, impatient and too many clients, over real connections."""

import contextlib
import socket
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import starlette.requests
from serving_support import PRESET, left_in, listening, on_port, wait_until
from starlette.responses import Response

from keras_video.serving import Settings, create_app
from keras_video.serving.received_video import received_video
from keras_video.serving.request_error import RequestError
from keras_video.serving.temporary_files import TemporaryFiles
from keras_video.serving.timed_connection import TimedConnection
from keras_video.serving.traffic import error_response

SETTINGS = {
    "workers": 1,
    "max_queue": 1,
    "max_bytes": 10**6,
    "window_seconds": 1.0,
    "hop_seconds": 0.05,
    "max_windows": 10_000,
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


def test_uploads_that_stop_or_creep_are_given_up(tmp_path):
    settings = Settings(idle_seconds=1.0, upload_seconds=1.5)
    files = TemporaryFiles(tmp_path, 10**6)

    async def receive_only(scope, receive, send):
        response = Response()
        try:
            request = starlette.requests.Request(scope, receive)
            async with received_video(request, settings, files):
                pass
        except RequestError as error:
            response = error_response(error)
        await response(scope, receive, send)

    with on_port(receive_only, lifespan="off") as port:
        stopped, creeping = Upload(port, 10**5), Upload(port, 10**5)
        for _ in range(12):
            creeping.send(bytes(1))
            time.sleep(0.1)
        for upload, seconds in ((stopped, "1"), (creeping, "1.5")):
            status, text = upload.answer()
            assert status == 408 and f"in time, {seconds} seconds" in text
    assert [path.name for path in files.folder.iterdir()] == ["lock"]
    files.close()


@pytest.mark.parametrize(
    "where, expected",
    [
        ("/v1/localize", (404, "other_task")),
        ("/v1/classify?top_k=0", (400, "malformed")),
        ("/nowhere", (404, "not_found")),
        ("/health", (405, "wrong_method")),
    ],
)
def test_a_client_that_sends_all_before_it_reads_hears_why_it_is_refused(port, where, expected):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    body = HEAD + bytes(20 * 10**6) + TAIL
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(f"http://127.0.0.1:{port}{where}", body, headers))
    status, code = expected
    assert caught.value.code == status and f'"{code}"' in caught.value.read().decode()


async def answer_at_length(scope, receive, send):
    """Answers `/3` with three bytes."""
    await Response(b"x" * int(scope["path"][1:]))(scope, receive, send)


class Impatient(TimedConnection):
    patience = 0.3


@pytest.fixture
def impatient_port():
    with on_port(answer_at_length, lifespan="off", http=Impatient) as port:
        yield port


def all_that_comes(connection):
    """What a server sends until it ends the connection."""
    text = b""
    with contextlib.suppress(ConnectionResetError):
        while block := connection.recv(1 << 16):
            text += block
    return text


@pytest.mark.parametrize("sent", [b"", b"GET /1 HTT", b"GET /1 HTTP/1.1\r\nHost: a\r\n"])
def test_connections_on_which_no_request_comes_are_closed(impatient_port, sent):
    with socket.create_connection(("127.0.0.1", impatient_port), timeout=30) as connection:
        connection.sendall(sent)
        assert all_that_comes(connection) == b""
    with socket.create_connection(("127.0.0.1", impatient_port), timeout=30) as connection:
        connection.sendall(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + sent)
        assert all_that_comes(connection).endswith(b"\r\n\r\nx")


def test_an_answer_that_nobody_reads_is_given_up(impatient_port):
    with socket.create_connection(("127.0.0.1", impatient_port), timeout=30) as connection:
        connection.sendall(b"GET /50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(1)
        assert len(all_that_comes(connection)) < 50_000_000


class Few(TimedConnection):
    patience = 60
    most = 3


def test_connections_beyond_the_most_are_closed_at_once():
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(on_port(answer_at_length, lifespan="off", http=Few))
        connect = lambda: socket.create_connection(("127.0.0.1", port), timeout=20)  # noqa: E731
        held = [stack.enter_context(connect()) for _ in range(3)]
        for _ in range(5):
            with connect() as refused:
                assert all_that_comes(refused) == b""
        held[0].sendall(b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert all_that_comes(held[0]).endswith(b"x")


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
