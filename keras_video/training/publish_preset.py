"""`publish_preset`: the best weights of a run become its preset."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import keras

from keras_video.training.checkpoint import Checkpoint, CheckpointError
from keras_video.training.checkpoint_store import CheckpointStore
from keras_video.training.run_state import averaged_weights, put_state

PRESET = "preset"
_OUTDATED = "preset.outdated"
# Numbers from 0 to 1 that presets have as percents.
_SHARES = ("gap", "hit_at_one", "map", "perr", "auc")
# And those that begin so, such as "top1" and "ar@100".
_SHARES_OF = ("top", "ar@")


def outdate_preset(workdir: Path) -> None:
    """Notes that the preset in a run's directory is to be replaced, once the run has ended."""
    if (workdir / PRESET).exists():
        (workdir / _OUTDATED).touch()


def best_checkpoint(store: CheckpointStore, message: Callable[[str], None]) -> Checkpoint | None:
    """The best checkpoint; `None`, with a warning if it is damaged, where there is no whole one."""
    try:
        return store.best()
    except CheckpointError as error:
        message(f"Warning: {error}")
        return None


def publish_preset(
    model: keras.Model,
    store: CheckpointStore,
    workdir: Path,
    metadata: dict,
    message: Callable[[str], None],
) -> dict | None:
    """Writes `workdir/preset` with the best checkpoint's weights, which the model has then, too.

    A preset that is there already stays, unless `outdate_preset` was called.

    Args:
        model: has `save_to_preset`.
        store: the run's checkpoints; without a best one the latest counts.
        workdir: the run's directory.
        metadata: further entries of the preset's `metadata.json`.
        message: called with what happened.

    Returns:
        The numbers of that checkpoint's evaluation, or `None`.

    Raises:
        CheckpointError: there is no whole checkpoint.
        OSError: the preset can't be written.
    """
    target, outdated = workdir / PRESET, workdir / _OUTDATED
    checkpoint = best_checkpoint(store, message) or store.latest()
    result = checkpoint.state["run"]["result"]
    put_state(model, checkpoint.arrays())
    if target.exists() and not outdated.exists():
        message(f"This run is complete: {target}")
        return result
    percents = {
        name: value * 100 if name.startswith(_SHARES_OF) or name in _SHARES else value
        for name, value in (result or {}).items()
    }
    partial, old = workdir / f"{PRESET}.partial", workdir / f"{PRESET}.old"
    for leftover in (partial, old):
        shutil.rmtree(leftover, ignore_errors=True)
    with averaged_weights(model):
        model.save_to_preset(partial, metadata={"metrics": percents, **metadata})
    if target.exists():
        os.rename(target, old)
    os.rename(partial, target)
    outdated.unlink(missing_ok=True)
    shutil.rmtree(old, ignore_errors=True)
    message(f"Wrote {target}")
    return result
