"""Pages that are written when the site is built: the API reference, the benchmarks.

Run by mkdocs (`gen-files` in mkdocs.yml).
"""

import ast
import datetime
import json
import pathlib

import mkdocs_gen_files

DOCS = pathlib.Path(__file__).resolve().parent
SOURCES = DOCS.parent / "keras_video"
# Every package with public names, in the order of the site.
PACKAGES = (
    "models",
    "layers",
    "data",
    "data/transforms",
    "data/importers",
    "training",
    "losses",
    "metrics",
    "features",
    "localization",
    "applications",
    "presets",
    "publishing",
    "inference",
    "export",
    "serving",
    "visualization",
    "testing",
)


def write_reference() -> None:
    """A page for each package, with all of its public names."""
    index = ["# API reference", "", "Everything that is public, package by package.", ""]
    index += ["| Package | What it has |", "| --- | --- |"]
    for package in PACKAGES:
        tree = ast.parse((SOURCES / package / "__init__.py").read_text(encoding="utf-8"))
        dotted = f"keras_video.{package.replace('/', '.')}"
        page = f"{package.replace('/', '_')}.md"
        summary, _, more = ast.get_docstring(tree).partition("\n")
        index.append(f"| [`{dotted}`]({page}) | {summary} |")
        lines = [f"# `{dotted}`", "", summary, "", more.strip(), ""]
        names = public_names(tree)
        if not names:
            raise ValueError(f"No public names were found. Received: {dotted}")
        for name, module in sorted(names.items(), key=lambda item: item[0].lower()):
            lines += [f"::: {dotted}.{module}.{name}", ""]
        with mkdocs_gen_files.open(f"reference/{page}", "w") as file:
            file.write("\n".join(lines))
        mkdocs_gen_files.set_edit_path(f"reference/{page}", f"../../keras_video/{package}")
    with mkdocs_gen_files.open("reference/index.md", "w") as file:
        file.write("\n".join(index) + "\n")


def public_names(tree: ast.Module) -> dict[str, str]:
    """`{name: module that defines it}`: what the package attaches, or imports."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "attach":
            for keyword in node.keywords:
                if keyword.arg == "attributes":
                    names.update(ast.literal_eval(keyword.value))
        elif isinstance(node, ast.ImportFrom) and node.module != "keras_video._lazy":
            module = node.module.rpartition(".")[2]
            names.update((alias.name, module) for alias in node.names)
    return names


def write_benchmarks() -> None:
    """One page of all tables that `tools/benchmark.py --save` left in docs/benchmarks."""
    lines = ["# Benchmarks", "", (DOCS / "benchmarks" / "about.md").read_text(encoding="utf-8")]
    for path in sorted((DOCS / "benchmarks").glob("*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        date = datetime.date.fromisoformat(run["date"])
        lines += [f"## {run['title']}", "", "```text", f"$ {run['command']}", "```", ""]
        lines += [f"{run['machine']}, {date.isoformat()}.", ""]
        for table in run["tables"]:
            lines += [f"{table['title']}", ""] if table["title"] else []
            lines += [row(table["columns"]), row(["---"] * len(table["columns"]))]
            lines += [*map(row, table["rows"]), ""]
        lines += [f"{note}\n" for note in run["notes"]]
    with mkdocs_gen_files.open("benchmarks.md", "w") as file:
        file.write("\n".join(lines))


def row(cells: list[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


write_reference()
write_benchmarks()
