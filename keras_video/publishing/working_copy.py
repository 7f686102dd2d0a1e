"""`WorkingCopy`: the copy that is to be published, in a directory that outlives a run."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

from keras_video._version import __version__
from keras_video.presets import preset_files as files
from keras_video.publishing.compare_copies import Comparison, compare_copies
from keras_video.publishing.published_file import PublishedFile

_STATE = "state.json"


class WorkingCopy:
    """A saved copy of a source, and what has been found out about it.

    Args:
        source: a `ModelSource` or `ApplicationSource` that is prepared.
        workdir: where the copy is, and `state.json`, which says what it is a copy of.
        report: called with a line for each step.
    """

    def __init__(self, source, workdir: Path, report: Callable[[str], None]):
        self.source = source
        self.folder = workdir / "preset"
        self._state_path = workdir / _STATE
        self._report = report
        self._original = None

    def save(self) -> None:
        """Saves the copy, unless a whole one of the same source is there."""
        source = json.dumps([__version__, self.source.digest()])
        state = self._state()
        if state.get("source") == source and state.get("files") == self._hashes():
            self._report(f"Copy: {self.folder}, there already")
            return
        self._report(f"Copy: saving to {self.folder}")
        # What is there until then belongs to no known source.
        self._write_state({})
        self.source.save(self._load(), self.folder)
        self._write_state({"source": source, "files": self._hashes()})

    def compare(self, clip: Path) -> Comparison:
        """Compares the copy with its source by a clip, unless that was done.

        Raises:
            PresetError: they differ.
        """
        state = self._state()
        digest = PublishedFile.read(clip.parent, clip.name).sha256
        if state.get("clip") == digest:
            return Comparison(**state["comparison"])
        self._report(f"Comparing by {clip}")
        comparison = compare_copies(self._load(), self.source.load_copy(self.folder), str(clip))
        self._write_state({**state, "clip": digest, "comparison": dataclasses.asdict(comparison)})
        return comparison

    def files(self) -> tuple[PublishedFile, ...]:
        """The files, with the model card if it is there."""
        names = (*self.source.names, files.CARD)
        there = [name for name in names if (self.folder / name).is_file()]
        return tuple(PublishedFile.read(self.folder, name) for name in there)

    def _load(self):
        if self._original is None:
            self._original = self.source.load()
        return self._original

    def _hashes(self) -> dict[str, str]:
        return {file.path: file.sha256 for file in self.files() if file.path != files.CARD}

    def _state(self) -> dict:
        try:
            state = json.loads(self._state_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def _write_state(self, state: dict) -> None:
        partial = self._state_path.with_suffix(".part")
        partial.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
        os.replace(partial, self._state_path)
