"""`download`: a video from an allowed URL, within limits."""

import contextlib
import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

from keras_video.serving.allowed_urls import AllowedUrls
from keras_video.serving.request_error import RequestError

_BLOCK = 1 << 16
_SOCKET_SECONDS = 10
_NOT_ALLOWED = (
    "This server does not load videos from there. Send the file itself, as the field `file` of a "
    "multipart form"
)


def download(
    url: str,
    write: Callable[[bytes], None],
    allowed: AllowedUrls,
    seconds: float,
) -> None:
    """Loads a file; redirects are followed as far as they are allowed themselves.

    Args:
        url: what the client asks for.
        write: called with each block; may raise a `RequestError`.
        allowed: where videos may come from.
        seconds: that it may take.

    Raises:
        RequestError: it is not allowed, not there, or takes too long.
    """
    good = allowed.matching(url)
    if good is None:
        raise RequestError(403, "url_not_allowed", _NOT_ALLOWED)
    opener = urllib.request.OpenerDirector()
    connections = []
    # No proxies, no files, no FTP.
    for handler in (
        _HTTPHandler(connections),
        _HTTPSHandler(connections),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        _CheckedRedirects(allowed),
    ):
        opener.add_handler(handler)
    end = time.monotonic() + seconds
    request = urllib.request.Request(good, headers={"User-Agent": "keras-video"})
    try:
        with (
            _cut_after(seconds, connections),
            opener.open(request, timeout=min(seconds, _SOCKET_SECONDS)) as response,
        ):
            block = None
            while block != b"":
                block = response.read1(_BLOCK)
                if time.monotonic() > end:
                    raise RequestError(
                        408, "url_timeout", f"The URL gave no whole video in {seconds:g} seconds"
                    )
                write(block)
    except urllib.error.HTTPError as error:
        error.close()
        raise RequestError(
            422, "url_unreachable", f"The URL was answered with the status {error.code}"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise RequestError(422, "url_unreachable", "The URL cannot be read") from error


class _NotesConnections:
    """Of a handler of urllib."""

    def __init__(self, connections: list):
        super().__init__()
        self._connections = connections

    def do_open(self, http_class, req, **options):
        def make(host, **more):
            self._connections.append(http_class(host, **more))
            return self._connections[-1]

        return super().do_open(make, req, **options)


class _HTTPHandler(_NotesConnections, urllib.request.HTTPHandler):
    pass


class _HTTPSHandler(_NotesConnections, urllib.request.HTTPSHandler):
    pass


@contextlib.contextmanager
def _cut_after(seconds: float, connections: list) -> Iterator[None]:
    """Ends connections that are still open then.

    Each byte has its own time limit, so headers that come byte by byte would hold up for days.
    """

    def cut() -> None:
        for connection in connections:
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    max_redirections = 5
    max_repeats = 2

    def __init__(self, allowed: AllowedUrls):
        self._allowed = allowed

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        fp.close()
        good = self._allowed.matching(newurl)
        if good is None:
            raise RequestError(403, "url_not_allowed", f"The URL leads elsewhere. {_NOT_ALLOWED}")
        return urllib.request.Request(good, headers={"User-Agent": "keras-video"})
