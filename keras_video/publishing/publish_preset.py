"""`publish_preset`: from an original checkpoint to a repository on the Hub."""

import dataclasses
import os
import re
from collections.abc import Callable
from pathlib import Path

from keras_video._version import __version__
from keras_video.applications.application_preset import application_presets, get_application_preset
from keras_video.data import render_motion_clip, write_video
from keras_video.presets import preset_files as files
from keras_video.presets.errors import PresetError
from keras_video.presets.resolution import find_preset
from keras_video.presets.uploading import check_access, published_files, upload_files
from keras_video.publishing.application_source import ApplicationSource
from keras_video.publishing.model_source import ModelSource
from keras_video.publishing.publication import Publication
from keras_video.publishing.working_copy import WorkingCopy

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def publish_preset(
    preset: str | os.PathLike,
    repository: str,
    *,
    workdir: str | os.PathLike | None = None,
    clip: str | os.PathLike | None = None,
    keras_core: bool = True,
    private: bool = False,
    revision: str | None = None,
    token: str | bool | None = None,
    endpoint: str | None = None,
    dry_run: bool = False,
    report: Callable[[str], None] = print,
) -> Publication:
    """Converts a preset's original, checks the copy, and publishes it with its model card.

    What a run has finished, the next one in the same directory doesn't do again: the download, the
    conversion, the copy, its check; and the Hub doesn't get again what it has.

    Args:
        preset: a registered name of a model or an application; or the directory of a saved model.
        repository: where to, `"org/name"`; it is made if needed.
        workdir: where the steps are kept; `None` is `runs/publish/<preset>`.
        clip: the video file by which the copy is compared with its original; `None` renders one.
        keras_core: whether `keras.saving.load_model("hf://org/name")` shall work too, through a
            second file of weights. Models only.
        private: whether a new repository is private.
        revision: branch to commit to; `None` is `main`.
        token: Hub token with write access; `None` uses the one that `hf auth login` stored.
        endpoint: address of the Hub; `None` uses the public one.
        dry_run: whether to do everything but the upload. The Hub isn't asked then.
        report: called with a line for each step.

    Returns:
        What was published, or would be.

    Raises:
        PresetError: there is no such preset or no original, it doesn't fit, the copy answers
            otherwise, or the Hub refuses. Nothing has been published then.
        keras_video.data.VideoDecodeError: the clip can't be read.
        OSError: the directory can't be written.

    Example:

    >>> publish_preset("tsm_k400", "me/tsm_k400", dry_run=True).files[0].path
    'config.json'
    """
    if not isinstance(repository, str) or not _REPOSITORY.fullmatch(repository):
        raise PresetError(f"A Hub repository is 'org/name'. Received: {repository!r}")
    source = _source(preset, keras_core)
    workdir = Path("runs", "publish", source.name) if workdir is None else Path(workdir)
    workdir = workdir.expanduser()
    access = {"token": token, "endpoint": endpoint}
    if not dry_run:
        check_access(repository, access)
    workdir.mkdir(parents=True, exist_ok=True)
    with _only_run(workdir):
        source.prepare(workdir, access, report)
        copy = WorkingCopy(source, workdir, report)
        copy.save()
        comparison = copy.compare(_rendered(workdir) if clip is None else Path(clip))
        card = source.card(repository)
        (copy.folder / files.CARD).write_text(card.text(), encoding="utf-8")
        publication = Publication(
            preset=source.name,
            repository=repository,
            folder=copy.folder,
            files=copy.files(),
            tags=card.tags,
            answer=comparison.answer,
            difference=comparison.difference,
        )
        if dry_run:
            return publication
        return _uploaded(publication, source.names, access, private=private, revision=revision)


def _source(preset, keras_core: bool) -> ModelSource | ApplicationSource:
    if isinstance(preset, str) and preset in application_presets():
        return ApplicationSource(get_application_preset(preset))
    found = find_preset(preset)
    if isinstance(found, str):
        raise PresetError(
            "What is published is a registered preset or a directory, not what the Hub has "
            f"already. Received: {found!r}"
        )
    return ModelSource(found, keras_core)


def _only_run(workdir: Path):
    from filelock import FileLock, Timeout

    lock = FileLock(workdir / ".lock", timeout=0)
    try:
        return lock.acquire()
    except Timeout as error:
        raise PresetError(
            f"Another run publishes from this directory. Received: {str(workdir)!r}"
        ) from error


def _rendered(workdir: Path) -> Path:
    """A video with something in it, the same one for every run."""
    clip = workdir / "clip.mp4"
    if not clip.is_file():
        partial = workdir / "clip.part.mp4"
        write_video(partial, render_motion_clip("moving left", seed=0, num_frames=80, size=256))
        os.replace(partial, clip)
    return clip


def _uploaded(
    publication: Publication, names, access: dict, *, private: bool, revision: str | None
) -> Publication:
    """Uploads what the Hub hasn't."""
    url, there = published_files(publication.repository, access, revision)
    local = {file.path: file for file in publication.files}
    present = tuple(
        path for path, file in local.items() if there.get(path) in (file.sha256, file.git_id)
    )
    outdated = [name for name in names if name in there and name not in local]
    if len(present) < len(local) or outdated:
        url = upload_files(
            publication.repository,
            publication.folder,
            access,
            names,
            lambda repository, folder: None,
            private=private,
            revision=revision,
            message=f"{publication.preset}, by keras_video {__version__}",
        )
    return dataclasses.replace(publication, present=present, commit_url=url)
