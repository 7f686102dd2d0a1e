"""`Traffic`: a layer around the application that counts, guards and marks every answer."""

import dataclasses
import logging
import secrets
import time
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from keras_video.serving.request_body import RequestBody
from keras_video.serving.request_error import RequestError
from keras_video.serving.server_metrics import ServerMetrics

_LOG = logging.getLogger(__name__)
_COUNTED = {"/", "/docs", "/health", "/metrics", "/v1/classify", "/v1/localize", "/v1/model"}
_HEADERS = {
    b"content-security-policy": b"default-src 'self'; media-src blob: 'self'; "
    b"img-src blob: data: 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}
_CLIENT_GONE = 499


@dataclasses.dataclass
class Load:
    """What `Traffic` knows.

    Attributes:
        in_flight: requests that are being answered.
        is_draining: the server is about to end: refuse requests.
    """

    in_flight: int = 0
    is_draining: bool = False


class Traffic:
    """ASGI middleware: every request is counted, every answer marked, no traceback leaves it.

    Args:
        app: what it is around.
        load: kept up to date, and obeyed.
        metrics: the same for Prometheus.
    """

    def __init__(self, app, load: Load, metrics: ServerMetrics):
        self._app, self._load, self._metrics = app, load, metrics

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})["request_id"] = secrets.token_hex(8)
        status, body = None, RequestBody(scope, receive)

        async def send_marked(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status >= 400 and status != 408:
                    await body.drain()
                headers = list(message.get("headers", ()))
                known = {name.lower() for name, _ in headers}
                headers += [pair for pair in _HEADERS.items() if pair[0] not in known]
                headers.append((b"x-request-id", request_id.encode()))
                message = {**message, "headers": headers}
            await send(message)

        start = time.perf_counter()
        self._load.in_flight += 1
        self._metrics.in_flight.inc()
        try:
            if self._load.is_draining and scope["path"].startswith("/v1/"):
                error = RequestError(503, "draining", "The server is ending. Try again later", 5)
                self._metrics.rejected.labels(error.code).inc()
                await error_response(error)(scope, body, send_marked)
            else:
                await self._app(scope, body, send_marked)
        except ClientDisconnect:
            status = _CLIENT_GONE
        except Exception:
            _LOG.exception("request %s failed: %r", request_id, scope["path"][:100])
            if status is None:
                error = RequestError(
                    500, "internal", f"The server failed. Its log tells more of {request_id}"
                )
                await error_response(error)(scope, body, send_marked)
        finally:
            self._load.in_flight -= 1
            self._metrics.in_flight.dec()
            path = scope["path"] if scope["path"] in _COUNTED else "other"
            self._metrics.requests.labels(path, str(status or _CLIENT_GONE)).inc()
            _LOG.info(
                "%s %s %s %s %.3f s",
                request_id,
                scope["method"],
                path,
                status,
                time.perf_counter() - start,
            )


def error_response(error: RequestError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer to a request that has no result."""
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status in (408, 413):
        # Whatever of the upload is still to come is no next request.
        headers["Connection"] = "close"
    content = {"error": {"code": error.code, "message": error.message}}
    return JSONResponse(content, error.status, headers)
