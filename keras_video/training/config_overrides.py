"""Fields of a config from the command line: `--config.data.root=/data`."""

import ast
import contextlib
from collections.abc import Iterable, Sequence

from ml_collections import ConfigDict

from keras_video.presets.errors import did_you_mean, one_line
from keras_video.training.recipe_config import (
    FIELDS,
    ConfigError,
    Field,
    free_group,
    get_field,
    unknown_field,
)

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def split_overrides(arguments: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Separates `--config.NAME=VALUE` and `--config.NAME VALUE` from other arguments.

    Returns:
        Pairs `(name, text)`, without `config.`; and the other arguments.

    Raises:
        ConfigError: a field without a value.

    Example:

    >>> split_overrides(["--workdir=a", "--config.num_epochs", "3"])
    ([('num_epochs', '3')], ['--workdir=a'])
    """
    overrides, others = [], []
    remaining = iter(arguments)
    for argument in remaining:
        name, equals, text = argument.partition("=")
        if not name.startswith(("--config.", "-config.")):
            others.append(argument)
            continue
        path = name.lstrip("-").removeprefix("config.")
        if not equals:
            text = next(remaining, None)
            if text is None or text.startswith("--"):
                raise ConfigError(f"A value is missing: {name}=VALUE. Received: {argument}")
        overrides.append((path, text))
    return overrides, others


def apply_overrides(config: ConfigDict, overrides: Iterable[tuple[str, str]]) -> None:
    """Sets fields of a config from text.

    Numbers, `true` and `false` and tuples such as `(20,40)` are written as in Python; `none` sets
    a field back that need not be set; transforms are written as calls, `RandomFlip(0.5)`.

    Args:
        config: is changed.
        overrides: pairs such as `("data.root", "/data")`.

    Raises:
        ConfigError: an unknown field, with the nearest name; or a text that is no value of it.
    """
    for path, text in overrides:
        group = free_group(path)
        if group is not None:
            get_field(config, group)[path.removeprefix(f"{group}.")] = _literal_or_text(text)
        elif path in FIELDS and FIELDS[path].kind is not dict:
            value = _parse(path, FIELDS[path], text)
            *groups, name = path.split(".")
            (get_field(config, ".".join(groups)) if groups else config)[name] = value
        else:
            raise unknown_field(path)


def _parse(path: str, field: Field, text: str):
    if field.default is None and text.lower() in ("none", ""):
        return None
    try:
        if path in ("data.transforms", "data.batch_transform"):
            transforms = parse_transforms(text)
            if field.kind is tuple:
                return transforms
            (transform,) = transforms
            return transform
        if field.kind is tuple:
            value = ast.literal_eval(text if text else "()")
            return tuple(value) if isinstance(value, tuple | list) else (value,)
        if field.kind is bool:
            return _WORDS[text.lower()]
        return field.kind(text)
    except ConfigError:
        raise
    except (KeyError, SyntaxError, TypeError, ValueError) as error:
        kind = _KINDS.get(field.kind, "written as in Python, such as (20,40)")
        raise ConfigError(f"config.{path} must be {kind}. Received: {text!r}") from error


def parse_transforms(text: str) -> tuple:
    """Makes transforms of text such as `"MultiScaleCrop(224), RandomFlip(probability=0.3)"`.

    Calls of classes in `keras_video.data.transforms` with literal arguments; nothing is evaluated.

    Raises:
        ConfigError: another text, an unknown class, or arguments that it doesn't take.
    """
    from keras_video.data import transforms

    try:
        tree = ast.parse(text.strip(), mode="eval").body
        calls = tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree]
        parts = [
            (call.func.id, [ast.literal_eval(a) for a in call.args], _keywords(call))
            for call in calls
        ]
    except (AttributeError, SyntaxError, ValueError) as error:
        raise ConfigError(
            "Transforms are written as calls, such as 'MultiScaleCrop(224), RandomFlip()'. "
            f"Received: {text!r}"
        ) from error
    made = []
    for name, args, keywords in parts:
        if name not in transforms.__all__:
            raise ConfigError(
                f"There is no such transform.{did_you_mean(name, transforms.__all__)} "
                f"Received: {name!r}"
            )
        try:
            made.append(getattr(transforms, name)(*args, **keywords))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{name}: {one_line(error)}") from error
    return tuple(made)


def _keywords(call: ast.Call) -> dict:
    return {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}


def _literal_or_text(text: str):
    if text.lower() in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[text.lower()]
    with contextlib.suppress(SyntaxError, ValueError):
        return ast.literal_eval(text)
    return text
