"""The pages of the documentation, as something that runs.

A page is run from top to bottom in an empty folder. Its blocks of `python` share their names, as in
one session; its blocks of `bash` are commands, one a line (a backslash continues it):

- `keras-video ...` runs in this process, and must return 0;
- `python recipes/...`, `python tools/...` and `python hub/...` run in processes of their own, with
  these folders beside them;
- what installs (`git clone`, `pip` and a virtual environment) is left to the test of an empty
  machine.

What a reader does not need stands in comments of HTML:

    <!-- ci: python code that runs before what follows, for instance to render videos -->
    <!-- ci-adds: --config.num_epochs=1 -->    arguments for the last command of the next block
    <!-- ci-exits: 1 -->                       the exit code of the last command of the next block
"""

import contextlib
import dataclasses
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "pages"

_PART = re.compile(
    r"^[ ]*<!-- ci:\s(?P<hidden>.*?)-->"
    r"|^[ ]*<!-- ci-adds: (?P<adds>.*?) -->"
    r"|^[ ]*<!-- ci-exits: (?P<exits>\d+) -->"
    r"|^(?P<indent>[ ]*)```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL,
)
_INSTALLING = (
    ("git", "clone"),
    ("cd", "keras-video"),
    ("python3", "-m", "venv"),
    ("source", ".venv/bin/activate"),
    ("python", "-m", "pip"),
)
# What a reader only looks at.
_SHOWN = {"text", "json", "toml", "yaml", "pycon", "html", "js"}


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of a page.

    Attributes:
        line: of the page, where its code begins.
        language: `"python"` or `"bash"`.
        code: of it.
        adds: arguments for its last command.
        exits: the exit code of its last command.
    """

    line: int
    language: str
    code: str
    adds: str = ""
    exits: int = 0


def blocks_of(text: str) -> Iterator[Block]:
    """The blocks that run, in order; raises `ValueError` for a language that is unknown."""
    adds, exits = "", 0
    for match in _PART.finditer(text):
        line = text[: match.end() if match["hidden"] else match.start("code")].count("\n") + 1
        if match["hidden"] is not None:
            yield Block(text[: match.start("hidden")].count("\n") + 1, "python", match["hidden"])
        elif match["adds"] is not None:
            adds = match["adds"]
        elif match["exits"] is not None:
            exits = int(match["exits"])
        elif match["language"] in ("python", "bash"):
            indent = re.compile(f"^{match['indent']}", re.MULTILINE)
            yield Block(line, match["language"], indent.sub("", match["code"]), adds, exits)
            adds, exits = "", 0
        elif match["language"] not in _SHOWN:
            raise ValueError(f"line {line}: blocks are of python, bash or {sorted(_SHOWN)}")
    if adds or exits:
        raise ValueError("a `ci-adds` or `ci-exits` has no block after it")


def run_page(path: Path, folder: Path) -> int:
    """Runs a page in a folder, which must be the working directory; returns how many blocks."""
    for name in ("recipes", "tools", "hub"):
        (folder / name).symlink_to(ROOT / name)
    names = {"__name__": "__main__"}
    blocks = list(blocks_of(path.read_text(encoding="utf-8")))
    for block in blocks:
        if block.language == "python":
            code = compile("\n" * (block.line - 1) + block.code, str(path), "exec")
            exec(code, names)
        else:
            run_commands(block, path)
    return len(blocks)


def run_commands(block: Block, path: Path) -> None:
    """Runs the commands of a block; raises `AssertionError` with the page's line if one fails."""
    commands = [line for line in block.code.replace("\\\n", " ").splitlines() if line.strip()]
    commands = [command for command in commands if not command.lstrip().startswith("#")]
    for number, command in enumerate(commands):
        last = number == len(commands) - 1
        arguments = shlex.split(f"{command} {block.adds if last else ''}", comments=True)
        code, said = run_command(arguments)
        expected = block.exits if last else 0
        if code != expected:
            raise AssertionError(
                f"{path.name}:{block.line}: {shlex.join(arguments)} exits with {code}, not "
                f"{expected}\n{said[-3000:]}"
            )


def run_command(arguments: list[str]) -> tuple[int, str]:
    """The exit code of a command, and what it printed."""
    if arguments[0] == "keras-video":
        from keras_video.cli import main

        # What the command prints goes where pytest collects it.
        with contextlib.suppress(SystemExit):
            return main(arguments[1:]), ""
        return 2, "see above"
    if any(arguments[: len(command)] == list(command) for command in _INSTALLING):
        return 0, ""
    if arguments[0] == "python":
        done = subprocess.run(
            [sys.executable, *arguments[1:]],
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        return done.returncode, done.stdout + done.stderr
    raise AssertionError(f"The pages have no such commands: {shlex.join(arguments)}")
