"""`page_files`: the server's page, read once."""

import mimetypes
from importlib import resources

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}


def page_files() -> dict[str, tuple[bytes, str]]:
    """Content and type of each file of the page, by name: nothing else can be asked for."""
    files = {}
    for file in resources.files("keras_video.serving").joinpath("page").iterdir():
        if file.is_file():
            suffix = "." + file.name.rpartition(".")[2]
            kind = _TYPES.get(suffix) or mimetypes.guess_type(file.name)[0]
            files[file.name] = (file.read_bytes(), kind or "application/octet-stream")
    return files
