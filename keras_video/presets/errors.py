"""The error of the preset system, and the hint that its messages share."""

import difflib
from collections.abc import Iterable


class PresetError(ValueError):
    """A preset or checkpoint can't be found, read, trusted or written.

    The message is one line: what is wrong, what was received, what to do.
    """


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Returns `" Did you mean 'x'?"` for the nearest candidates, or an empty string."""
    candidates = list(candidates)
    close = difflib.get_close_matches(name, candidates, n=3, cutoff=0.6)
    if not close and name:
        close = [candidate for candidate in candidates if name.lower() in candidate.lower()][:3]
    if not close:
        return ""
    return f" Did you mean {' or '.join(repr(candidate) for candidate in close)}?"


def some(names: Iterable[str], limit: int = 3) -> str:
    """Returns the first few of many names: `"'a', 'b', 'c' and 7 more"`."""
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:limit])
    rest = len(names) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def one_line(error: BaseException) -> str:
    """Returns an exception's message on one line, for use inside another message."""
    text = " ".join(str(error).split())
    return text or type(error).__name__
