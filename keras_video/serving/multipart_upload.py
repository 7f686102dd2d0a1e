"""`MultipartUpload`: the one file of a form, written as it comes."""

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from keras_video.serving.request_error import RequestError

# What a form has besides the file: boundaries and headers.
FORM_BYTES = 1 << 16


class MultipartUpload:
    """Parses `multipart/form-data` with one field, `file`. Its file name is not looked at.

    Args:
        content_type: the header of the request.
        write: called with each block of the content; may raise a `RequestError`.
        max_bytes: of the content.

    Raises:
        RequestError: it is no such form.
    """

    def __init__(self, content_type: str, write: Callable[[memoryview], None], max_bytes: int):
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise malformed("the form has no boundary")
        self._write, self._max_bytes = write, max_bytes
        self._field, self._value, self._disposition = b"", b"", b""
        self._has_file = self._is_whole = False
        self.size = 0
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise malformed("its boundary is none") from error

    def write(self, block: bytes) -> None:
        """Takes the next bytes of the request."""
        try:
            self._parser.write(block)
        except FormParserError as error:
            raise malformed(str(error)[:200]) from error

    def finish(self) -> None:
        """Says that the request is over.

        Raises:
            RequestError: the form is not complete.
        """
        if not self._is_whole:
            raise malformed("it ends early")
        if not self._has_file:
            raise malformed("it has no field `file`")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._disposition = b""
        if options.get(b"name") != b"file" or self._has_file:
            raise malformed("it must have one field, `file`")
        self._has_file = True

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.size += end - start
        if self.size > self._max_bytes:
            raise too_large(self._max_bytes)
        self._write(memoryview(data)[start:end])

    def _on_end(self) -> None:
        self._is_whole = True


def malformed(why: str) -> RequestError:
    """The error for a request that is none of ours."""
    return RequestError(
        400,
        "malformed",
        f"The request is malformed: {why}. Send multipart/form-data with one field, `file`, or "
        'JSON {"url": "..."}',
    )


def too_large(max_bytes: int) -> RequestError:
    """The error for a file above the limit."""
    return RequestError(
        413,
        "too_large",
        f"The file is larger than this server takes, {max_bytes} bytes: make it shorter or smaller",
    )
