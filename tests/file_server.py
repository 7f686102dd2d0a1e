"""An HTTP server for original checkpoints: serves bytes, on request badly."""

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serves files from memory.

    Attributes:
        files: `{path: bytes}`.
        requests: the paths that were asked for.
        truncate_at: cuts every body after so many bytes, although more are announced.
        delay: seconds to wait before each answer.
    """

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.truncate_at: int | None = None
        self.delay = 0.0
        self.address = ""

    @contextlib.contextmanager
    def serve(self) -> Iterator["FileServer"]:
        files = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                files.requests.append(self.path)
                time.sleep(files.delay)
                body = files.files.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: files.truncate_at])

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
