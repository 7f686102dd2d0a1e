"""`RecordingConsole`: prints tables, and keeps them for the documentation's page of benchmarks."""

import datetime
import json
import os
import pathlib
import platform
import shlex
import sys

from rich.console import Console
from rich.table import Table


class RecordingConsole(Console):
    """A console whose tables and lines can be saved.

    Example:

    >>> console = RecordingConsole(width=100)
    >>> console.print(table)
    >>> console.save("docs/benchmarks/pp_tsm.json", "PP-TSM")
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.tables: list[dict] = []
        self.notes: list[str] = []

    def print(self, *objects, **kwargs):
        for part in objects:
            if isinstance(part, Table):
                columns = [str(column.header) for column in part.columns]
                cells = [[str(cell) for cell in column.cells] for column in part.columns]
                rows = [list(row) for row in zip(*cells, strict=True)]
                self.tables.append({"title": str(part.title), "columns": columns, "rows": rows})
            else:
                self.notes.append(str(part))
        super().print(*objects, **kwargs)

    def save(self, path: str | os.PathLike, title: str) -> None:
        """Writes what was printed, with the command, the machine and the day."""
        ours = ("--save", "--title")
        arguments = [part for part in sys.argv[1:] if not part.startswith(ours)]
        run = {
            "title": title,
            "command": shlex.join(["python", "tools/benchmark.py", *arguments]),
            "machine": machine(),
            "date": datetime.date.today().isoformat(),
            "tables": self.tables,
            "notes": list(dict.fromkeys(self.notes)),
        }
        text = json.dumps(run, indent=1, ensure_ascii=False)
        pathlib.Path(path).write_text(text + "\n", encoding="utf-8")


def machine() -> str:
    """The processor, its cores, and the versions of what computes."""
    from importlib import metadata

    name = platform.processor() or platform.machine()
    features = []
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        facts = dict(
            map(str.strip, line.split(":", 1))
            for line in cpuinfo.read_text().split("\n\n")[0].splitlines()
            if ":" in line
        )
        name = f"{facts.get('model name', name)} at {float(facts.get('cpu MHz', 0)) / 1000:.1f} GHz"
        known = ("avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "avx2")
        features = [flag for flag in known if flag in facts.get("flags", "").split()]
    versions = []
    for package in ("tensorflow", "keras", "torch", "onnxruntime", "openvino", "ai-edge-litert"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return f"{name}, {os.cpu_count()} cores ({', '.join(features)}); {', '.join(versions)}"
