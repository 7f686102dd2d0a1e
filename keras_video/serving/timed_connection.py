"""`TimedConnection`: a connection that is closed where no request comes."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class TimedConnection(H11Protocol):
    """A connection of uvicorn that does not wait for ever.

    uvicorn waits for the headers of a request, and for clients to read their answers, however long
    that takes: connections that are opened and left would keep everybody else out.

    Attributes:
        patience: seconds from the start of a connection, or from an answer, to the headers of the
            next request; and seconds in which a client must read something of a long answer.
        most: connections at one time; those above are closed at once.
    """

    patience = 20.0
    most = 2000

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._timer, self._unread = None, 0
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unread = self.transport.get_write_buffer_size()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(self.patience, self._look)

    def _look(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            return  # A request is being answered; its end starts the next wait.
        unread = self.transport.get_write_buffer_size()
        if 0 < unread < self._unread:
            self._unread = unread
            self._wait()
        else:
            self.transport.abort()
