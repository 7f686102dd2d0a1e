"""A package in an environment of its own that sees what is installed here: no network."""

import os
import subprocess
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


class OwnEnvironment:
    """An environment in the folder of a package.

    Args:
        folder: of the package; the environment lies in it, in `.venv`.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        venv.create(folder / ".venv", symlinks=True)
        # What is installed here, and this clone, are seen in the new environment as well.
        (site,) = (folder / ".venv").glob("lib/python*/site-packages")
        (site / "clone.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
        console = folder / ".venv" / "bin" / "keras-video"
        console.write_text(
            f"#!{folder}/.venv/bin/python\nimport sys\nfrom keras_video.cli import main\n"
            "sys.exit(main())\n"
        )
        console.chmod(0o755)
        self._variables = {
            **os.environ,
            "PATH": f"{console.parent}{os.pathsep}{os.environ['PATH']}",
            # Dependencies and setuptools are here already: no network.
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "KERAS_VIDEO_CACHE": str(folder / "cache"),
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "PYTEST_ADDOPTS": "-p no:cacheprovider",
        }
        for name in ("PYTHONPATH", "KERAS_BACKEND"):
            self._variables.pop(name, None)

    def run(self, command: str, **variables: str) -> str:
        """Runs a command of a shell in the package's folder; returns what it printed."""
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env={**self._variables, **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            raise AssertionError(f"$ {command}\n{done.stdout}\n{done.stderr}")
        return done.stdout
