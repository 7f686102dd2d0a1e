"""`AllowedUrls`: where a server may load videos from."""

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
# What RFC 3986 knows; anything else, such as a backslash, is read differently by different parsers.
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


class AllowedUrls:
    """A list of prefixes of URLs.

    Args:
        prefixes: `"https://host[:port]/folder"` for what lies in a folder, `"https://host"` for a
            host, `"host"` for the same.

    Raises:
        ValueError: something is no such prefix.

    Example:

    >>> AllowedUrls(["media.example.org"]).matching("https://media.example.org/clip.mp4")
    'https://media.example.org:443/clip.mp4'
    """

    def __init__(self, prefixes: Iterable[str]):
        self._rules = []
        for prefix in prefixes:
            parts = _parts(prefix if "://" in prefix else f"https://{prefix}")
            if parts is None or parts[4]:
                raise ValueError(
                    "An allowed URL is a prefix such as https://media.example.org/clips/, http or "
                    f"https, without user, query and `..`. Received: {prefix!r}"
                )
            self._rules.append(parts[:4])

    def __bool__(self) -> bool:
        return bool(self._rules)

    def matching(self, url: str) -> str | None:
        """The URL, put together anew from its parts, or `None` where it is not allowed."""
        parts = _parts(url)
        if parts is None:
            return None
        scheme, host, port, path, query = parts
        for *server, prefix in self._rules:
            folder = prefix.rstrip("/") + "/"
            inside = unquote(path).startswith(unquote(folder)) or path == prefix
            if server == [scheme, host, port] and inside:
                name = f"[{host}]" if ":" in host else host
                return f"{scheme}://{name}:{port}{path}" + (f"?{query}" if query else "")
        return None


def _parts(url: str) -> tuple[str, str, int, str, str] | None:
    """Scheme, host, port, path and query; `None` for what is no plain URL of a web server."""
    if not isinstance(url, str) or not _CHARACTERS.fullmatch(url):
        return None
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        return None
    if split.scheme not in _PORTS or not split.hostname or "@" in split.netloc:
        return None
    path = split.path or "/"
    # Servers may undo the escapes more than once, and some take `..;a` for `..`.
    plain = path
    while (simpler := unquote(plain)) != plain:
        plain = simpler
    segments = [segment.partition(";")[0] for segment in plain.replace("\\", "/").split("/")]
    if ".." in segments or any(ord(letter) < 32 for letter in plain):
        return None
    return split.scheme, split.hostname, port or _PORTS[split.scheme], path, split.query
