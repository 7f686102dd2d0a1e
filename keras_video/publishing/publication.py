"""`Publication`: what was published, or would be."""

import dataclasses
from pathlib import Path

from keras_video.publishing.published_file import PublishedFile


@dataclasses.dataclass(frozen=True)
class Publication:
    """What `publish_preset` has published, or would.

    Args:
        preset: name of the preset.
        repository: `"org/name"`.
        folder: where the files are on this machine.
        files: what the repository has, or gets.
        tags: of the model card.
        answer: what the model and its copy said of the clip, in words.
        difference: the largest between their numbers.
        present: paths of the files that the repository had already.
        commit_url: address of the commit; `None` after a dry run.
    """

    preset: str
    repository: str
    folder: Path
    files: tuple[PublishedFile, ...]
    tags: tuple[str, ...]
    answer: str
    difference: float
    present: tuple[str, ...] = ()
    commit_url: str | None = None

    @property
    def commit(self) -> str | None:
        """The hash to pin as `revision=` in the manifest; `None` after a dry run."""
        return None if self.commit_url is None else self.commit_url.rpartition("/")[2]
