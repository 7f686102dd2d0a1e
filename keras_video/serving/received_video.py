"""`received_video`: the video of a request, as a file for as long as it is needed."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from keras_video.serving.allowed_urls import AllowedUrls
from keras_video.serving.download import download
from keras_video.serving.multipart_upload import FORM_BYTES, MultipartUpload, malformed, too_large
from keras_video.serving.request_error import RequestError
from keras_video.serving.settings import Settings
from keras_video.serving.temporary_files import StoredFile, TemporaryFiles


@contextlib.asynccontextmanager
async def received_video(
    request: Request, settings: Settings, files: TemporaryFiles
) -> AsyncIterator[Path]:
    """Writes the upload, or what the URL holds, to a file, which is deleted in the end.

    Raises:
        RequestError: the request is malformed, not allowed, too large or too slow.
        ClientDisconnect: the client went away.
    """
    path = files.new_path()
    try:
        body = _Body(request, settings.idle_seconds)
        try:
            async with asyncio.timeout(settings.upload_seconds):
                await _receive(body, request.headers, path, settings, files)
        except TimeoutError as error:
            raise _too_slow(settings.upload_seconds) from error
        yield path
    finally:
        files.remove(path)


async def _receive(body, headers, path: Path, settings: Settings, files: TemporaryFiles) -> None:
    content_type = headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    # Not believed when it is small, but when it is too large.
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > settings.max_bytes + FORM_BYTES:
        raise too_large(settings.max_bytes)
    with files.create(path) as file:
        if kind == "multipart/form-data":
            form = MultipartUpload(content_type, file.write, settings.max_bytes)
            async for block in body:
                if body.size - form.size > FORM_BYTES + len(block):
                    raise malformed("there is much besides the file")
                form.write(block)
            form.finish()
            if form.size == 0:
                raise RequestError(400, "empty", "The file is empty (0 bytes)")
        elif kind == "application/json":
            await _load(await _url(body), file, settings)
        else:
            raise RequestError(
                415,
                "unsupported_type",
                "Send the video as the field `file` of multipart/form-data, or JSON "
                '{"url": "..."}. Received: Content-Type ' + repr(kind[:60]),
            )


async def _url(body: "_Body") -> str:
    text = b""
    async for block in body:
        text += block
        if len(text) > FORM_BYTES:
            raise malformed("the JSON is too long")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise malformed("this is no JSON") from error
    if not isinstance(content, dict) or set(content) != {"url"}:
        raise malformed("the JSON must be an object with `url` alone")
    if not isinstance(content["url"], str):
        raise malformed("`url` must be text")
    return content["url"]


async def _load(url: str, file: StoredFile, settings: Settings) -> None:
    given_up = threading.Event()
    size = 0

    def write(block: bytes) -> None:
        nonlocal size
        size += len(block)
        if given_up.is_set():
            raise RequestError(408, "url_timeout", "The request was given up")
        if size > settings.max_bytes:
            raise too_large(settings.max_bytes)
        file.write(block)

    work = asyncio.create_task(
        asyncio.to_thread(
            download,
            url,
            write,
            AllowedUrls(settings.allowed_urls),
            settings.upload_seconds,
        )
    )
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        given_up.set()
        # It holds the file; its socket has a time limit of its own.
        with contextlib.suppress(Exception):
            await work
        raise
    if size == 0:
        raise RequestError(422, "empty", "The URL holds no bytes")


class _Body:
    """The blocks of a request's body."""

    def __init__(self, request: Request, idle_seconds: float):
        self._receive, self._idle_seconds = request.receive, idle_seconds
        self._is_over = False
        self.size = 0

    async def __aiter__(self):
        while not self._is_over:
            try:
                async with asyncio.timeout(self._idle_seconds):
                    block = await self._next()
            except TimeoutError as error:
                raise _too_slow(self._idle_seconds) from error
            if block:
                yield block

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._is_over = True
            raise ClientDisconnect
        self._is_over = not message.get("more_body", False)
        block = message.get("body", b"")
        self.size += len(block)
        return block


def _too_slow(seconds: float) -> RequestError:
    return RequestError(
        408, "upload_too_slow", f"The upload was not there in time, {seconds:g} seconds"
    )
