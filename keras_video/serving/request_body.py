"""`RequestBody`: what a client sends, and what is left of it when the answer is clear."""

import asyncio
import contextlib

# Above what a server takes by default, so that a client hears why a whole upload is refused.
_DRAINED_BYTES, _DRAINED_SECONDS = 2**28, 5.0


class RequestBody:
    """The `receive` of an ASGI application, which knows what has come.

    Args:
        scope: of the request.
        receive: what it is in place of.
    """

    def __init__(self, scope, receive):
        headers = {name for name, _ in scope["headers"]}
        self._receive = receive
        self._waits_for_go_ahead = b"expect" in headers
        self._is_over = not headers & {b"content-length", b"transfer-encoding"}
        self._size = 0

    async def __call__(self) -> dict:
        message = await self._receive()
        self._is_over = message["type"] != "http.request" or not message.get("more_body", False)
        self._size += len(message.get("body", b""))
        return message

    async def drain(self) -> None:
        """Reads what is left, within reason.

        A connection that is closed while a client still sends is reset, and the client never reads
        the answer.
        """
        if self._waits_for_go_ahead and self._size == 0:
            return
        start = self._size
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAINED_SECONDS):
                while not self._is_over and self._size - start < _DRAINED_BYTES:
                    await self()
