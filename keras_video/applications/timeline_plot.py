"""Draws a `Timeline`."""

import os
from collections.abc import Sequence

# Found actions, known ones, proposals.
FOUND, KNOWN, PROPOSED = "#2a6f97", "#e09f3e", "#9aa5b1"
_MOST_PROPOSALS = 100


def plot_timeline(timeline, path: str | os.PathLike, actions: Sequence = ()) -> None:
    """Draws a row for each class: what was found, its score, and above it what is known.

    Args:
        timeline: a `Timeline`.
        path: the picture.
        actions: `localization.Action`s.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            "Timelines are drawn with matplotlib, which isn't installed: "
            'pip install "keras-video[plots]"'
        ) from None
    from matplotlib.patches import Patch

    labels = [*timeline.labels, *sorted({a.label for a in actions} - set(timeline.labels))]
    figure = Figure(figsize=(12, 1.6 + 0.45 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    for row, label in enumerate(labels):
        for action in actions:
            if action.label == label:
                length = action.end - action.start
                axes.broken_barh([(action.start, length)], (row - 0.42, 0.2), color=KNOWN)
        for detection in timeline.detections:
            if detection.label == label:
                length = detection.end - detection.start
                axes.broken_barh([(detection.start, length)], (row - 0.18, 0.5), color=FOUND)
                axes.text(
                    detection.start + length / 2,
                    row + 0.08,
                    f"{detection.score:.2f}",
                    color="white",
                    ha="center",
                    va="center",
                    fontsize=7,
                    clip_on=True,
                )
    proposals = len(labels)
    for proposal in timeline.proposals[:_MOST_PROPOSALS]:
        axes.broken_barh(
            [(proposal.start, proposal.end - proposal.start)],
            (proposals - 0.3, 0.5),
            color=PROPOSED,
            alpha=min(1.0, 0.08 + proposal.score),
        )
    axes.set_yticks(range(len(labels) + 1), [*labels, "proposals"])
    axes.set_ylim(len(labels) + 0.5, -0.6)
    axes.set_xlim(0, timeline.duration)
    axes.set_xlabel("minutes:seconds")
    axes.xaxis.set_major_formatter(lambda seconds, _: f"{int(seconds // 60)}:{seconds % 60:02.0f}")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(left=False)
    shown = [Patch(color=FOUND, label="found")]
    if actions:
        shown.append(Patch(color=KNOWN, label="annotated"))
    figure.legend(handles=shown, loc="outside upper right", ncols=2, frameon=False)
    axes.set_title(timeline.video, loc="left", fontsize=10)
    figure.savefig(path, dpi=120)
