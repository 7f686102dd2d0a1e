"""How this project writes docstrings, for griffe: bare `>>>` blocks, and `Call arguments:`."""

import re

import griffe

# From the first prompt to the next blank line.
_DOCTEST = re.compile(r"(?m)^(>>> (?:.+\n?)+)")


class DocstringForms(griffe.Extension):
    """Fences examples, and gives a layer's call arguments a table of their own."""

    def on_instance(self, *, obj: griffe.Object, **kwargs) -> None:
        if obj.docstring:
            text = _DOCTEST.sub(
                lambda found: f"```pycon\n{found[1].rstrip()}\n```\n", obj.docstring.value
            )
            obj.docstring.value = text.replace("Call arguments:\n", "Other Args: Call arguments\n")
