"""Tables of the guides say what the package says."""

import importlib.util
import re
import tomllib

import pytest
from docs_pages import PAGES, ROOT

from keras_video.training.recipe_config import default_config, describe_config
from keras_video.training.recipe_flags import parse_flags

ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \|", re.MULTILINE)


def rows(page, heading):
    """The table of a section: `{name in the first column: the second column}`."""
    text = (PAGES / page).read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return dict(ROW.findall(section))


def test_every_extra_is_explained_with_its_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = rows("install.md", "Extras")
    extras = project["optional-dependencies"]
    assert set(table) == set(extras)
    for name, requirements in extras.items():
        packages = [re.match(r"[\w-]+(\[.*?\])?", requirement)[0] for requirement in requirements]
        assert table[name] == ", ".join(f"`{package}`" for package in packages), name


def test_the_python_that_is_needed_is_the_package_s():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["requires-python"].removeprefix(">=")
    for page in ("install.md", "own_dataset.md"):
        assert f"Python {version} or later" in (PAGES / page).read_text(encoding="utf-8")


def test_every_field_of_a_config_is_in_the_table_with_its_default():
    tables = recipe_fields().fields_tables()
    defaults = dict(ROW.findall(tables))
    flags = describe_config(default_config()).splitlines()[::2]
    shown = dict(re.match(r"--config\.([\w.]+)=(.*)", flag).groups() for flag in flags)
    assert set(defaults) == set(shown)
    for name, value in shown.items():
        if not name.endswith(".NAME"):
            assert defaults[name].strip("`") == (value or defaults[name].strip("`")), name
            assert (defaults[name] in ("not set", '`""`')) == (value == ""), name
    assert recipe_fields().MARKER in (PAGES / "configuration.md").read_text(encoding="utf-8")


def test_the_flags_that_are_no_fields_are_in_the_table(capsys):
    with pytest.raises(SystemExit):
        parse_flags(["--help"], default_config)
    own = re.findall(r"^--(?!config\.)(\w+)$", capsys.readouterr().out, re.MULTILINE)
    text = (PAGES / "configuration.md").read_text(encoding="utf-8")
    assert own == re.findall(r"^\| `--(\w+)` \|", text, re.MULTILINE)


def recipe_fields():
    """The hook of the site."""
    spec = importlib.util.spec_from_file_location("recipe_fields", ROOT / "docs/recipe_fields.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
