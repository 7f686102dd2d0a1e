"""Curves of runs, drawn from their logs."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_video.training.csv_log import CsvLog
from keras_video.training.run_directory import TRAIN_LOG, VALIDATION_LOG

_NO_CURVES = ("step", "epoch", "seconds")
# What is drawn first and last; the names that a run has besides come between.
_FIRST = ("loss",)
_LAST = ("learning_rate", "clips_per_second", "data_wait")
_TITLES = {
    "learning_rate": "learning rate",
    "clips_per_second": "clips per second",
    "data_wait": "share of time waiting for data",
}
# A train curve of so many points is also shown smoothed, over this share of them.
_NOISY_POINTS = 50
_SMOOTHED_SHARE = 0.04


def plot_run(workdir: str | os.PathLike, path: str | os.PathLike | None = None) -> Path:
    """Draws all numbers that a run logged: losses, metrics, learning rate, speed.

    Train curves are lines, with a smoothed one where they are noisy; validation has dots.

    Args:
        workdir: the run's directory, with `train.csv`, `validation.csv` or both. The run may
            still go on.
        path: the picture, of any type that matplotlib writes; `None` for `<workdir>/curves.png`.

    Returns:
        The path of the picture.

    Raises:
        FileNotFoundError: if nothing is logged in `workdir`.
        ImportError: if matplotlib isn't installed.

    Example:

    >>> plot_run("runs/a")
    PosixPath('runs/a/curves.png')
    """
    return plot_runs([workdir], Path(workdir) / "curves.png" if path is None else path)


def plot_runs(
    workdirs: Sequence[str | os.PathLike],
    path: str | os.PathLike,
    *,
    labels: Sequence[str] | None = None,
) -> Path:
    """Draws several runs into one picture, to compare them; see `plot_run`.

    Args:
        workdirs: the runs' directories, one or more.
        path: the picture, of any type that matplotlib writes, such as `"runs.png"`.
        labels: a name for each run; `None` for the names of the directories.

    Returns:
        The path of the picture.

    Raises:
        FileNotFoundError: if nothing is logged in one of the directories.
        ImportError: if matplotlib isn't installed.
        ValueError: if there is no directory, or not one label for each.

    Example:

    >>> plot_runs(["runs/a", "runs/b"], "runs.png", labels=["from scratch", "from ImageNet"])
    PosixPath('runs.png')
    """
    figure_class = _figure_class()
    if not workdirs:
        raise ValueError("`workdirs` names one run or more. Received: none")
    labels = [Path(workdir).resolve().name for workdir in workdirs] if labels is None else labels
    if len(labels) != len(workdirs):
        raise ValueError(
            "`labels` has one name for each of `workdirs`. "
            f"Received: {len(labels)} labels for {len(workdirs)} directories"
        )
    runs = [_read(Path(workdir)) for workdir in workdirs]
    names = _curve_names(runs)
    columns = 1 if len(names) == 1 else 2
    rows = math.ceil(len(names) / columns)
    figure = figure_class(figsize=(6.5 * columns, 3.2 * rows + 0.5), dpi=110, layout="constrained")
    first = None
    for number, name in enumerate(names, start=1):
        first = axes = figure.add_subplot(rows, columns, number, sharex=first)
        _draw(axes, name, runs)
    if len(runs) == 1:
        figure.suptitle(labels[0])
    else:
        lines = [_line(color=f"C{number}") for number in range(len(runs))]
        figure.legend(lines, labels, loc="outside upper center", ncols=min(len(runs), 4))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path


def _figure_class():
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Curves are drawn with matplotlib, which isn't installed: "
            "`pip install keras-video[plots]`."
        ) from error
    return Figure


def _line(**style):
    from matplotlib.lines import Line2D

    return Line2D([], [], **style)


def _read(workdir: Path) -> tuple[dict, dict]:
    """Returns the curves of a run, `{name: (steps, values)}`, of training and of validation."""
    train, validation = (_curves(workdir / log) for log in (TRAIN_LOG, VALIDATION_LOG))
    if not train and not validation:
        raise FileNotFoundError(
            f"There is nothing to draw: {TRAIN_LOG} and {VALIDATION_LOG} are missing or empty. "
            f"Received: {str(workdir)!r}"
        )
    return train, validation


def _curves(log: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    columns = CsvLog(log).columns()
    curves = {}
    for name in columns.keys() - set(_NO_CURVES):
        points = [
            (step, value)
            for step, value in zip(columns["step"], columns[name], strict=True)
            if isinstance(value, (int, float))
        ]
        if points:
            steps, values = zip(*points, strict=True)
            curves[name] = np.asarray(steps), np.asarray(values, dtype=float)
    return curves


def _curve_names(runs: Sequence[tuple[dict, dict]]) -> list[str]:
    found = {name for run in runs for curves in run for name in curves}
    validated = sorted({name for _, validation in runs for name in validation})
    names = [*_FIRST, *(name for name in validated if name not in _LAST)]
    names += [*sorted(found - set(_LAST)), *_LAST]
    return [name for name in dict.fromkeys(names) if name in found]


def _draw(axes, name: str, runs: Sequence[tuple[dict, dict]]) -> None:
    several = len(runs) > 1
    for number, (train, validation) in enumerate(runs):
        color = f"C{number}"
        if name in train:
            steps, values = train[name]
            noisy = name != "learning_rate" and len(values) >= _NOISY_POINTS
            axes.plot(steps, values, color=color, linewidth=1, alpha=0.3 if noisy else 1)
            if noisy:
                axes.plot(steps, _smoothed(values), color=color, linewidth=1.5)
        if name in validation:
            # One run has its two curves in two colours, several have one each.
            style = {"color": color} if several else {"color": "C1"}
            axes.plot(*validation[name], marker="o", markersize=3.5, linewidth=1, **style)
    in_train = any(name in train for train, _ in runs)
    in_validation = any(name in validation for _, validation in runs)
    if in_train and in_validation:
        colors = ("0.4", "0.4") if several else ("C0", "C1")
        lines = [_line(color=colors[0]), _line(color=colors[1], marker="o", markersize=3.5)]
        axes.legend(lines, ["train", "validation"], fontsize="small")
    title = _TITLES.get(name, name)
    axes.set_title(f"{title} (validation)" if in_validation and not in_train else title)
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    if name in ("clips_per_second", "data_wait"):
        axes.set_ylim(0, 1.05 * axes.get_ylim()[1])


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Returns the mean of the finite values around each value."""
    window = np.ones(2 * round(len(values) * _SMOOTHED_SHARE / 2) + 1)
    finite = np.isfinite(values)
    sums = np.convolve(np.where(finite, values, 0), window, mode="same")
    counts = np.convolve(finite.astype(float), window, mode="same")
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)
