"""Videos by URL: only from where the server was told to."""

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from serving_support import PRESET, error_of, left_in, serving

from keras_video.serving import Settings, create_app
from keras_video.serving.allowed_urls import AllowedUrls
from keras_video.serving.download import download
from keras_video.serving.request_error import RequestError


class Origin:
    """A server of files and redirects; notes what it was asked for."""

    def __init__(self):
        self.files, self.redirects, self.asked = {}, {}, []
        origin = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                origin.asked.append(self.path)
                if self.path in origin.redirects:
                    self.send_response(302)
                    self.send_header("Location", origin.redirects[self.path])
                    self.end_headers()
                    return
                content = origin.files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.end_headers()
                self.wfile.write(content or b"")

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def origin():
    origin = Origin()
    yield origin
    origin.close()


@pytest.fixture(scope="module")
def app(predictor, origin):
    allowed = (f"{origin.address}/clips/",)
    return create_app(predictor, Settings(workers=1, allowed_urls=allowed, max_bytes=10**6), PRESET)


@pytest.fixture(scope="module")
def client(app):
    with serving(app) as client:
        yield client


def ask(client, url):
    return client.post("/v1/classify", json={"url": url})


def test_a_video_of_an_allowed_folder_is_loaded(client, app, origin, clip):
    origin.files["/clips/a.mp4?v=1"] = clip.read_bytes()
    answer = ask(client, f"{origin.address}/clips/a.mp4?v=1")
    assert answer.status_code == 200
    assert answer.json()["predictions"][0]["label"] == "moving left"
    assert left_in(app) == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "{origin}/secret",
        "{origin}/clips/../secret",
        "{origin}/clips/%2e%2e/secret",
        "{origin}/clips/%252e%252e/secret",
        "{origin}/clips/%25252e%25252e/secret",
        "{origin}/clips/..;a=b/secret",
        "{origin}/clips/..%3b/secret",
        "{origin}/clipsecret",
        "http://localhost/clips/a.mp4",
        "http://127.0.0.1/clips/a.mp4",
        "http://127.0.0.1:1/clips/a.mp4",
        "http://user@127.0.0.1/clips/a.mp4",
        "https://example.org/clips/a.mp4",
        "ftp://127.0.0.1/clips/a.mp4",
        "{origin}\\@example.org/clips/",
        "{origin} .example.org/clips/",
        "http://[::1/clips/a.mp4",
        "http://127.0.0.1:99999/clips/",
        "",
    ],
)
def test_other_urls_are_forbidden_and_never_asked(client, origin, url):
    origin.asked.clear()
    assert error_of(ask(client, url.replace("{origin}", origin.address))) == (
        403,
        "url_not_allowed",
    )
    assert origin.asked == []


def test_redirects_are_followed_where_they_are_allowed(client, origin, clip):
    origin.files |= {"/clips/b.mp4": clip.read_bytes(), "/secret": clip.read_bytes()}
    origin.redirects["/clips/inside"] = "/clips/b.mp4"
    origin.redirects["/clips/outside"] = "/secret"
    origin.redirects["/clips/file"] = "file:///etc/passwd"
    origin.redirects["/clips/loop"] = "/clips/loop"
    assert ask(client, f"{origin.address}/clips/inside").status_code == 200
    origin.asked.clear()
    for name, expected in (
        ("outside", (403, "url_not_allowed")),
        ("file", (422, "url_unreachable")),
        ("loop", (422, "url_unreachable")),
    ):
        assert error_of(ask(client, f"{origin.address}/clips/{name}")) == expected
    assert "/secret" not in origin.asked


def test_a_server_that_sends_byte_by_byte_is_given_up():
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as origin:
        address = f"127.0.0.1:{origin.getsockname()[1]}"

        def drip():
            connection, _ = origin.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not done.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        start = time.monotonic()
        allowed = AllowedUrls([f"http://{address}"])
        try:
            with pytest.raises(RequestError, match="url_timeout"):
                download(f"http://{address}/", lambda block: None, allowed, 0.5)
            assert time.monotonic() - start < 20
        finally:
            done.set()
            thread.join()


def test_what_is_not_there_too_large_or_empty_is_told_so(client, app, origin):
    origin.files |= {"/clips/large": bytes(2 * 10**6), "/clips/empty": b""}
    for name, expected in (
        ("none", (422, "url_unreachable")),
        ("large", (413, "too_large")),
        ("empty", (422, "empty")),
    ):
        assert error_of(ask(client, f"{origin.address}/clips/{name}")) == expected
    assert left_in(app) == []


def test_nothing_is_allowed_by_default(predictor):
    assert not AllowedUrls(Settings().allowed_urls)


def test_prefixes_are_hosts_or_folders():
    allowed = AllowedUrls(["media.example.org", "http://[::1]:8080/a/b"])
    assert (
        allowed.matching("https://MEDIA.example.org/x?y#z") == "https://media.example.org:443/x?y"
    )
    assert allowed.matching("http://[::1]:8080/a/b/c") == "http://[::1]:8080/a/b/c"
    for url in (
        "http://media.example.org/x",
        "https://media.example.org:444/x",
        "https://media.example.org.evil.org/x",
        "http://[::1]:8080/a/bc",
        "http://[::1]:8080/a",
    ):
        assert allowed.matching(url) is None
    for prefix in ("", "ftp://a", "https://", "https://a@b", "https://a/../b", "https://a/?q"):
        with pytest.raises(ValueError, match="Received"):
            AllowedUrls([prefix])
