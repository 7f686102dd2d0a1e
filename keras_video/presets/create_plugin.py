"""`create_plugin`: a package for models of one's own, ready to install."""

import importlib.util
import keyword
import os
import re
from pathlib import Path

from keras_video.presets.errors import PresetError
from keras_video.presets.model_names import model_names

TEMPLATE = Path(__file__).parent / "plugin_template"

# Folders of the template's that a package can't be named as.
_TAKEN = {"tests"}


def create_plugin(name: str, directory: str | os.PathLike | None = None) -> Path:
    """Writes a package with a model, a preset and tests, which keras_video finds once installed.

    The files are those of `keras_video/presets/plugin_template`, with the names changed:
    `pyproject.toml` with the entry point, the package `<name>` with the class in `<name>.py`,
    `tests/test_<name>.py`, README.md and .gitignore.

    Args:
        name: of the package, lower-case letters, digits and `_`, such as `"my_models"`. The class
            is called as it in capitals, `MyModels`, and the distribution `my-models`.
        directory: where to write; by default a folder of the name in the current one.

    Returns:
        The folder.

    Raises:
        PresetError: the name is no package's, or taken by a module or a model.
        FileExistsError: there is something in the folder already.

    Example:

    >>> create_plugin("my_models")
    PosixPath('my_models')
    """
    _check_name(name)
    folder = Path(name if directory is None else directory)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            "Nothing is overwritten: choose a folder that is new or empty. "
            f"Received: {str(folder)!r}"
        )
    replacements = {
        "my_models": name,
        "my-models": name.replace("_", "-").strip("-"),
        "MyModels": "".join(word.capitalize() for word in name.split("_")),
    }
    for source in sorted(TEMPLATE.rglob("*")):
        if not source.is_file() or "__pycache__" in source.parts:
            continue
        place = source.relative_to(TEMPLATE).as_posix()
        # As a hidden file it would rule over the template itself.
        place = ".gitignore" if place == "gitignore" else place
        target = folder / _replaced(place, replacements)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = _replaced(source.read_text(encoding="utf-8"), replacements)
        target.write_text(text, encoding="utf-8")
    return folder


def _replaced(text: str, replacements: dict[str, str]) -> str:
    pattern = "|".join(map(re.escape, replacements))
    return re.sub(pattern, lambda match: replacements[match[0]], text)


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]|[a-z]", name):
        problem = (
            "The name of a package has lower-case letters, digits and '_' only, a letter first"
        )
    elif keyword.iskeyword(name) or keyword.issoftkeyword(name):
        problem = "This is a word of Python's: choose another name"
    elif name in _TAKEN:
        problem = "The package has another folder of this name: choose another name"
    elif importlib.util.find_spec(name) is not None:
        problem = "A module of this name is installed: choose another name"
    elif name.replace("_", "") in {known.replace("_", "") for known in model_names()}:
        problem = "A model of this name is known to keras_video: choose another name"
    else:
        return
    raise PresetError(f"{problem}. Received: name={name!r}")
