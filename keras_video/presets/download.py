"""Downloads one file over HTTP, whole or not at all."""

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from keras_video._version import __version__
from keras_video.presets.errors import PresetError, one_line

_CHUNK = 1 << 18
_TIMEOUT = 30.0


def download(url: str, target: Path) -> None:
    """Downloads a URL to a file, with a progress bar on the terminal.

    `HF_HUB_DISABLE_PROGRESS_BARS=1` hides the bar, as it does for the Hub's own.

    Args:
        url: an `http` or `https` address.
        target: the file to write; it is removed again if the download fails.

    Raises:
        PresetError: if the server doesn't deliver the whole file; says why, not from where.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise PresetError("Only http and https addresses are downloaded.")
    request = urllib.request.Request(url, headers={"User-Agent": f"keras-video/{__version__}"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
            _receive(response, target)
    except (OSError, http.client.HTTPException, PresetError) as error:
        target.unlink(missing_ok=True)
        raise PresetError(f"The download failed: {_cause(error)}.") from error


def mirrored(url: str) -> str:
    """Returns the URL on the mirror that `KERAS_VIDEO_CHECKPOINT_MIRROR` names, if it is set.

    The mirror replaces scheme and host: with `https://mirror.example/paddle`, the checkpoint
    `https://videotag.bj.bcebos.com/a/b.pdparams` is read from
    `https://mirror.example/paddle/a/b.pdparams`.
    """
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.quote(parts.path, safe="/%*")
    mirror = os.environ.get("KERAS_VIDEO_CHECKPOINT_MIRROR")
    if mirror:
        return mirror.rstrip("/") + path
    return urllib.parse.urlunsplit(parts._replace(path=path))


def _receive(response: http.client.HTTPResponse, target: Path) -> None:
    from huggingface_hub.utils import tqdm

    length = response.headers.get("Content-Length")
    expected = int(length) if length and length.isdigit() else None
    received = 0
    with (
        open(target, "wb") as file,
        tqdm(total=expected, unit="B", unit_scale=True, desc=target.name) as bar,
    ):
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            received += len(chunk)
            bar.update(len(chunk))
    if expected is not None and received != expected:
        raise PresetError(f"it ended after {received:,} of {expected:,} bytes")


def _cause(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return one_line(error.reason) if isinstance(error.reason, OSError) else str(error.reason)
    return one_line(error)
