"""`run_server`: an application of `create_app` on a port, until it is told to end."""

import asyncio
import contextlib
import resource
import signal
import socket
import sys
from collections.abc import Callable

_POLL_SECONDS = 0.05
# Connections beyond these get a 503 of uvicorn's, and beyond the spare ones nothing.
_MOST_CONNECTIONS, _SPARE_CONNECTIONS = 2000, 100
# What uploads, pipes of decoders and the runtimes have open besides connections.
_OTHER_FILES = 600


def run_server(
    app,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    on_ready: Callable[[str], None] = lambda address: None,
) -> int:
    """Serves until SIGTERM or Ctrl-C.

    Then new requests are answered 503 and those that are being answered finish, for up to
    `drain_seconds` of the application's settings. A second signal ends the server at once.

    Args:
        app: what `create_app` returns.
        host: address to listen at. Others than the default make the server public: it knows no
            passwords and no encryption, so put a reverse proxy in front of it.
        port: 0 for any that is free.
        on_ready: called with the server's address as soon as it answers.

    Returns:
        The signal that ended it.

    Raises:
        ImportError: uvicorn is not installed.
        OSError: the address cannot be had.
        RuntimeError: the model or its decoders do not start.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise ImportError(
            'The server needs uvicorn: python -m pip install "keras-video[serve]". '
            "Received: no module 'uvicorn'"
        ) from error

    from keras_video.serving.timed_connection import TimedConnection

    most_connections = _make_room()

    class Connection(TimedConnection):
        patience = app.state.settings.idle_seconds
        most = most_connections + _SPARE_CONNECTIONS

    class Server(uvicorn.Server):
        ended_by = 0

        def handle_exit(self, signum, frame):
            if app.state.load.is_draining:
                self.should_exit = self.force_exit = True
            app.state.load.is_draining = True
            self.ended_by = signum

        async def startup(self, sockets=None):
            await super().startup(sockets)
            self.watching = asyncio.create_task(self.watch())

        async def watch(self):
            load, service = app.state.load, app.state.service
            while not (service.is_ready or service.failure or load.is_draining):
                await asyncio.sleep(_POLL_SECONDS)
            if service.is_ready and not load.is_draining:
                on_ready(address)
            while not (load.is_draining or service.failure):
                await asyncio.sleep(_POLL_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(app.state.settings.drain_seconds):
                    while load.in_flight and not service.failure:
                        await asyncio.sleep(_POLL_SECONDS)
            self.should_exit = True

    try:
        listening = socket.create_server(
            (host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            backlog=_MOST_CONNECTIONS,
        )
    except OSError as error:
        raise OSError(
            error.errno, f"The server can't listen at {host}, port {port}: {error.strerror}"
        ) from error
    with listening:
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            # `Traffic` has a line for each request, on the logger of its module.
            log_config=None,
            access_log=False,
            http=Connection,
            ws="none",
            limit_concurrency=most_connections,
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        server = Server(config)
        server.run(sockets=[listening])
    if app.state.service.failure is not None:
        raise RuntimeError(
            f"The server could not start: {app.state.service.failure}"
        ) from app.state.service.failure
    return server.ended_by or signal.SIGTERM


def _make_room() -> int:
    """Lets the process open as many files as it may; returns how many may be connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = _MOST_CONNECTIONS + _SPARE_CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < room:
        with contextlib.suppress(OSError, ValueError):
            more = room if hard == resource.RLIM_INFINITY else min(room, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
            soft = more
        room = soft
    return max(1, room - _SPARE_CONNECTIONS - _OTHER_FILES)


def warn_of_strangers(host: str) -> None:
    """Says what it means to listen at an address that others reach."""
    if host not in ("127.0.0.1", "::1", "localhost"):
        print(
            f"keras-video: warning: {host} can be reached from elsewhere, and this server knows no "
            "passwords and no encryption: put a reverse proxy in front of it",
            file=sys.stderr,
        )
