"""The migration guides name fields, recipes and tools that there are."""

import re

import pytest
from docs_pages import PAGES, ROOT

from keras_video.training import recipe

GUIDES = ["migration_paddlevideo.md", "migration_mmaction2.md"]
GROUPS = "model|data|schedule|optimizer|loss|freeze|multigrid|preprocessor|distillation"
FIELD = re.compile(rf"`(?:--config\.)?((?:{GROUPS})\.[a-z_]+(?:\.[a-z_]+)?)(?![a-z_.(])")
# Groups whose names are arguments of a class.
FREE = ("model.arguments.", "preprocessor.", "data.arguments.", "optimizer.arguments.")


def right_columns(text):
    """What the tables say of keras_video: their last cells, behind the titles."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [row.rstrip("| ").rpartition(" | ")[2] for row in rows]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_fields_of_recipes_exist(guide):
    config = recipe.default_config()
    cells = "\n".join(right_columns((PAGES / guide).read_text(encoding="utf-8")))
    named = set(FIELD.findall(cells))
    named |= set(re.findall(r"--config\.([a-z_.]+)", cells)) - {"key", "a.b"}
    known = {key for key, _ in flattened(config)}
    unknown = {name for name in named if name not in known and not name.startswith(FREE)}
    assert len(named) > 30 and not unknown


@pytest.mark.parametrize("guide", GUIDES)
def test_the_arguments_of_models_and_preprocessors_exist(guide):
    import inspect

    from keras_video import models
    from keras_video.data import VideoPreprocessor

    text = (PAGES / guide).read_text(encoding="utf-8")
    of_models = set()
    for name in ("TSM", "SlowFast", "TimeSformer", "TSN", "PPTSM"):
        of_models |= set(inspect.signature(getattr(models, name)).parameters)
    assert set(re.findall(r"`model\.arguments\.([a-z_]+)`", text)) <= of_models
    of_preprocessors = set(inspect.signature(VideoPreprocessor).parameters)
    assert set(re.findall(r"`preprocessor\.([a-z_]+)", text)) <= of_preprocessors


@pytest.mark.parametrize("guide", GUIDES)
def test_the_commands_and_recipes_exist(guide):
    from keras_video.cli import main

    text = (PAGES / guide).read_text(encoding="utf-8")
    for path in set(re.findall(r"`(recipes/[a-z0-9_]+\.py)`", text)):
        assert (ROOT / path).is_file(), path
    commands = set(re.findall(r"`keras-video ((?:dataset )?[a-z-]+)", text))
    assert len(commands) > 8
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            main([*command.split(), "--help"])
        assert ended.value.code == 0, command


@pytest.mark.parametrize("guide", GUIDES)
def test_the_names_of_the_package_exist(guide):
    import keras_video

    text = (PAGES / guide).read_text(encoding="utf-8")
    names = set(re.findall(r"(?<![\w./])keras_video\.((?:\w+\.)*\w+)", text))
    assert len(names) > 3
    for name in names:
        found = keras_video
        for part in name.split("."):
            found = getattr(found, part)


def flattened(config, prefix=""):
    """`(dotted name, value)` of all fields."""
    for key, value in config.items():
        if hasattr(value, "items"):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
