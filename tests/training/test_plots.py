"""Curves: every number of the logs in one picture, for one run or several."""

import sys

import numpy as np
import pytest
from PIL import Image

from keras_video.training import CsvLog, plots


def write_run(path, speed=1.0, steps=200, validations=10):
    noise = np.random.default_rng(0)
    rows = []
    for step in range(1, steps + 1):
        loss = 5 * np.exp(-speed * step / steps) + noise.normal(scale=0.2)
        rate = 0.05 * (1 + np.cos(np.pi * step / steps))
        wait = noise.uniform(0, 0.1)
        row = {"step": 20 * step, "epoch": 1, "loss": loss, "learning_rate": rate}
        rows.append({**row, "clips_per_second": 300 - 500 * wait, "data_wait": wait, "seconds": 3})
    path.mkdir()
    train, validation = CsvLog(path / "train.csv"), CsvLog(path / "validation.csv")
    for row in rows:
        train.append(row)
    for number in range(1, validations + 1):
        share = number / validations
        row = {"step": 20 * steps * share, "epoch": number, "loss": 5.2 - 3 * speed * share}
        validation.append({**row, "top1": 0.7 * share, "top5": 0.9 * share})
    return path


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were drawn, besides being saved."""
    from matplotlib.figure import Figure

    figures = []

    class Recorded(Figure):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            figures.append(self)

    monkeypatch.setattr(plots, "_figure_class", lambda: Recorded)
    return figures


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_a_run_has_a_panel_for_every_number(tmp_path, drawn):
    run = write_run(tmp_path / "run")
    path = plots.plot_run(run)
    assert path == run / "curves.png"
    with Image.open(path) as picture:
        assert min(picture.size) > 500
    (figure,) = drawn
    assert titles(figure) == [
        "loss",
        "top1 (validation)",
        "top5 (validation)",
        "learning rate",
        "clips per second",
        "share of time waiting for data",
    ]
    raw, smoothed, validation = figure.axes[0].lines
    assert len(raw.get_xdata()) == len(smoothed.get_xdata()) == 200
    np.testing.assert_allclose(validation.get_ydata(), 5.2 - 0.3 * np.arange(1, 11), rtol=1e-6)
    (rate,) = figure.axes[3].lines
    assert rate.get_ydata()[-1] == 0


def test_runs_lie_over_each_other(tmp_path, drawn):
    runs = [write_run(tmp_path / name, speed) for name, speed in [("a", 0.5), ("b", 1.5)]]
    path = plots.plot_runs(runs, tmp_path / "pictures" / "both.svg")
    assert path.read_text().startswith("<?xml")
    (figure,) = drawn
    colors = [line.get_color() for line in figure.axes[0].lines]
    assert colors == ["C0"] * 3 + ["C1"] * 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_run_that_has_just_begun_or_diverged_is_drawn(tmp_path, drawn):
    log = CsvLog(tmp_path / "train.csv")
    for step in range(1, 80):
        loss = 1.0 if step < 60 else float("nan")
        log.append({"step": step, "loss": loss, "note": "text is no curve"})
    assert plots.plot_run(tmp_path, tmp_path / "run.png").exists()
    assert titles(drawn[0]) == ["loss"]
    assert len(drawn[0].axes[0].lines[0].get_xdata()) == 79


def test_smoothing_keeps_what_is_constant():
    np.testing.assert_allclose(plots._smoothed(np.full(100, 3.0)), 3)
    assert np.isnan(plots._smoothed(np.full(100, np.nan))).all()


def test_nothing_to_draw_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="train.csv and validation.csv are missing or empt"):
        plots.plot_run(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="Received: none"):
        plots.plot_runs([], tmp_path / "runs.png")
    with pytest.raises(ValueError, match="Received: 1 labels for 2 directories"):
        plots.plot_runs([tmp_path, tmp_path], tmp_path / "runs.png", labels=["a"])


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install keras-video\[plots\]"):
        plots.plot_run(tmp_path)
