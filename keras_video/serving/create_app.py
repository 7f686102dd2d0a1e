"""`create_app`: a model as an application of FastAPI."""

import asyncio
import contextlib
import logging
import threading
import time
from typing import Annotated

try:
    import prometheus_client  # noqa: F401
    import python_multipart  # noqa: F401
    from fastapi import FastAPI, HTTPException, Query, Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import HTMLResponse, JSONResponse, Response
except ImportError as error:
    raise ImportError(
        "The server needs fastapi, uvicorn, python-multipart and prometheus-client: python -m pip "
        f'install "keras-video[serve]". Received: no module {error.name!r}'
    ) from error
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from keras_video._version import __version__
from keras_video.serving import responses
from keras_video.serving.docs_page import docs_page
from keras_video.serving.page_files import page_files
from keras_video.serving.received_video import received_video
from keras_video.serving.request_error import RequestError
from keras_video.serving.server_metrics import ServerMetrics
from keras_video.serving.settings import Settings
from keras_video.serving.temporary_files import TemporaryFiles
from keras_video.serving.traffic import Load, Traffic, error_response

_LOG = logging.getLogger(__name__)
_LIMITS = ("max_bytes", "max_seconds", "max_pixels", "max_frames", "max_windows")
_VERBS = {"classify": "names what happens in videos", "localize": "localises actions"}


def create_app(predictor, settings: Settings | None = None, name: str = "model") -> "FastAPI":
    """Makes the application that `keras-video serve` runs.

    Uploads are decoded in processes of their own, which are limited in memory, time, files and
    network; views of several requests are computed together. The application holds processes and
    threads from its start (`lifespan`) to its end.

    Args:
        predictor: a `keras_video.inference.Predictor` of a classifier, or a
            `keras_video.applications.ActionLocalizer`.
        settings: limits, by default `Settings()`.
        name: of the model, as answers have it.

    Returns:
        A FastAPI application. `app.state.load` counts the requests and can refuse new ones,
        `app.state.service` tells `is_ready` and `failure`.

    Raises:
        ImportError: FastAPI is not installed; the message says how.
        ValueError: the model cannot be served.

    Example:

    >>> predictor = keras_video.inference.Predictor("exported/tsm", runtime="openvino")
    >>> app = keras_video.serving.create_app(predictor, name="tsm")
    >>> uvicorn.run(app)
    """
    settings = settings or Settings()
    metrics = ServerMetrics()
    service = _make_service(predictor, settings, metrics)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        starting = threading.Thread(target=_start, args=(app.state,), name="start")
        starting.start()
        try:
            yield
        finally:
            await asyncio.to_thread(_end, starting, app.state)

    app = FastAPI(
        title=f"keras_video serves {name}",
        description="Errors have a status from 400 and the same form everywhere: "
        '{"error": {"code": ..., "message": ...}}.',
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    load = Load()
    app.add_middleware(Traffic, load=load, metrics=metrics)
    app.state.service, app.state.settings, app.state.load = service, settings, load
    app.state.files = None
    admitted = _Admission(service.capacity)
    _add_error_handlers(app, metrics)
    _add_pages(app)

    async def answer(request: Request, task: str, **options) -> dict:
        if service.task != task:
            raise RequestError(
                404,
                "other_task",
                f"The model {name} {_VERBS[service.task]}: ask /v1/{service.task}",
            )
        if not service.is_ready:
            raise RequestError(503, "starting", "The server is not ready yet. Try again later", 5)
        start = time.perf_counter()
        with admitted:
            async with received_video(request, settings, app.state.files) as path:
                work = service.answer(path, **options)
                result = await _while_connected(request, work, service.answer_seconds)
        result["timings"]["total"] = time.perf_counter() - start
        metrics.note_timings(result["timings"])
        return {"id": request.state.request_id, "model": name, **result}

    @app.post(
        "/v1/classify",
        response_model=responses.Classification,
        responses=responses.ERRORS,
        openapi_extra=responses.UPLOAD,
    )
    async def classify(
        request: Request,
        top_k: Annotated[int, Query(ge=1, le=1000, description="classes, 5 by default")] = 5,
        windows: Annotated[bool, Query(description="also what is seen when")] = False,
    ):
        """Names what happens in a video."""
        return await answer(request, "classify", top_k=top_k, windows=windows)

    @app.post(
        "/v1/localize",
        response_model=responses.Localization,
        responses=responses.ERRORS,
        openapi_extra=responses.UPLOAD,
    )
    async def localize(request: Request):
        """Finds when something happens in a video, and what."""
        return await answer(request, "localize")

    @app.get("/v1/model", response_model=responses.ModelFacts)
    async def model():
        """What is served, and which videos it takes."""
        return {
            "name": name,
            "task": service.task,
            "labels": service.labels,
            "runtime": service.runtime,
            "limits": {limit: getattr(settings, limit) for limit in _LIMITS},
            "window_seconds": service.window_seconds,
        }

    @app.get("/health", response_model=responses.Health, responses={503: responses.ERRORS[503]})
    async def health():
        """200 if requests are answered, 503 while the server starts or ends."""
        if load.is_draining:
            raise RequestError(503, "draining", "The server is ending", 5)
        if service.failure is not None:
            raise RequestError(503, "failed", "The server could not start; its log tells more")
        if not service.is_ready:
            raise RequestError(503, "starting", "The server is not ready yet", 5)
        return {"status": "ready"}

    @app.get("/metrics", include_in_schema=False)
    async def prometheus_metrics():
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4")

    return app


def _make_service(predictor, settings: Settings, metrics: ServerMetrics):
    if hasattr(predictor, "localize_tracks"):
        from keras_video.serving.localization_service import LocalizationService

        return LocalizationService(predictor, settings, metrics)
    if hasattr(predictor, "runtime"):
        from keras_video.serving.classification_service import ClassificationService

        return ClassificationService(predictor, settings, metrics)
    raise ValueError(
        "`predictor` is a keras_video.inference.Predictor or an ActionLocalizer. "
        f"Received: {predictor!r:.80}"
    )


def _start(state) -> None:
    settings, service = state.settings, state.service
    try:
        state.files = TemporaryFiles(settings.temp_dir, settings.max_stored_bytes)
        service.start(state.files)
    # Health tells, and `run_server` ends the process.
    except Exception as error:
        _LOG.error("the server could not start", exc_info=_LOG.isEnabledFor(logging.DEBUG))
        service.failure = error


def _end(starting: threading.Thread, state) -> None:
    starting.join()
    state.service.close()
    if state.files is not None:
        state.files.close()


class _Admission:
    """Counts requests in; refuses those beyond the capacity."""

    def __init__(self, capacity: int):
        self._capacity, self._inside = capacity, 0

    def __enter__(self):
        if self._inside >= self._capacity:
            raise RequestError(503, "busy", "Too many requests at one time. Try again later", 2)
        self._inside += 1

    def __exit__(self, *exception):
        self._inside -= 1


async def _while_connected(request: Request, work, seconds: float) -> dict:
    """Does the work as long as the client is there, and not longer than it may take."""
    tasks = [asyncio.create_task(work), asyncio.create_task(_gone(request))]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0] in done:
            return tasks[0].result()
        if done:
            raise ClientDisconnect
        raise RequestError(
            504, "too_slow", f"There was no answer in time, {seconds:g} seconds. Try again later"
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _add_error_handlers(app: "FastAPI", metrics: ServerMetrics) -> None:
    def refuse(error: RequestError, headers=None) -> JSONResponse:
        metrics.rejected.labels(error.code).inc()
        return error_response(error, headers)

    @app.exception_handler(RequestError)
    async def on_request_error(request, error):
        if trace := getattr(error, "trace", None):
            _LOG.error("request %s: a decoder failed\n%s", request.state.request_id, trace)
        return refuse(error)

    @app.exception_handler(RequestValidationError)
    async def on_validation_error(request, error):
        wrong = "; ".join(
            f"{place['loc'][-1]}: {place['msg']}" for place in error.errors()[:5] if place["loc"]
        )
        return refuse(RequestError(400, "malformed", f"The request is malformed: {wrong}"))

    @app.exception_handler(StarletteHTTPException)
    async def on_http_error(request, error: HTTPException):
        code = {404: "not_found", 405: "wrong_method"}.get(error.status_code, "refused")
        return refuse(RequestError(error.status_code, code, str(error.detail)), error.headers)


def _add_pages(app: "FastAPI") -> None:
    files = page_files()

    def respond(file: str) -> Response:
        if file not in files:
            raise RequestError(404, "not_found", "There is no such page")
        content, kind = files[file]
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    @app.get("/", include_in_schema=False)
    async def page():
        return respond("index.html")

    @app.get("/page/{file}", include_in_schema=False)
    async def page_file(file: str):
        return respond(file)

    @app.get("/docs", include_in_schema=False)
    async def docs():
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return HTMLResponse(docs_page(app.openapi()), headers={"Content-Security-Policy": policy})
