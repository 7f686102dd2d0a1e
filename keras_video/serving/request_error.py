"""`RequestError`: why a request gets no answer, as the client is told."""


class RequestError(Exception):
    """Becomes the answer `{"error": {"code": ..., "message": ...}}`.

    Args:
        status: of HTTP, from 400.
        code: a word for programs, such as `"too_long"`.
        message: for people: what is wrong and what to do.
        retry_after: seconds after which it is worth another try.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None):
        super().__init__(status, code, message, retry_after)
        self.status, self.code, self.message = status, code, message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"
