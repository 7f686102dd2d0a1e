"""A hook of mkdocs: every field of a recipe's config, from the definitions that `--help` prints.

The line `<!-- recipe fields -->` of a page becomes a heading and a table for each group of fields.
"""

from keras_video.training.recipe_config import FIELDS, Field

MARKER = "<!-- recipe fields -->"
GROUPS = {
    "": ("The run", "Devices, length, precision, and what is kept."),
    "model": ("model", "What is trained, and what it starts from."),
    "freeze": ("freeze", "What stays as it is."),
    "loss": ("loss", "Cross entropy, unless the recipe makes another one."),
    "optimizer": ("optimizer", "What becomes of the gradients."),
    "schedule": ("schedule", "The learning rate, over epochs and parts of them."),
    "data": ("data", "The videos: [Training](training.md#recipes), [Data](data.md)."),
    "preprocessor": ("preprocessor", "Starting from a preset, that preset's is the default."),
    "distillation": ("distillation", "[A teacher](training.md#a-teacher)."),
    "multigrid": ("multigrid", "[Small clips first](training.md#multigrid)."),
}


def on_page_markdown(markdown: str, **_) -> str:
    """Called by mkdocs for each page."""
    return markdown.replace(MARKER, fields_tables()) if MARKER in markdown else markdown


def fields_tables() -> str:
    """The headings and tables.

    Raises:
        ValueError: a field is in none of the groups that have a heading.
    """
    rows: dict[str, list[str]] = {group: [] for group in GROUPS}
    for path, field in FIELDS.items():
        group = path.rpartition(".")[0] or (path if path in GROUPS else "")
        if group not in rows:
            raise ValueError(f"`GROUPS` has no heading for this field. Received: {path}")
        rows[group].append(_row(path, field))
    parts = []
    for group, (title, text) in GROUPS.items():
        parts += [f"### {title}", "", text, "", "| Field | Default | What it is |"]
        parts += ["| --- | --- | --- |", *rows[group], ""]
    return "\n".join(parts)


def _row(path: str, field: Field) -> str:
    if field.kind is dict:
        return f"| `{path}.NAME` | | {field.text} |"
    meaning = field.text
    if field.choices:
        meaning += f" ({', '.join(f'`{choice}`' for choice in field.choices)})"
    if field.least:
        meaning += f"; at least {field.least}"
    default = "not set" if field.default is None else f"`{_shown(field.default)}`"
    return f"| `{path}` | {default} | {meaning} |"


def _shown(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return '""' if value == "" else str(value)
