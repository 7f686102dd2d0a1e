"""Writes activitynet.json: what ActivityNet's official evaluation computes.

    git clone https://github.com/activitynet/ActivityNet    # 82304fa9
    python run_activitynet.py ActivityNet/Evaluation         # needs pandas

Only the functions that compute are taken from its Python 2 files.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

PYTHON_3 = {"np.float)": "float)", "np.int)": "int)", "'float')": "float)", "xrange": "range"}
LABELS = ("run", "jump", "swim", "climb")


def official(folder):
    """The official functions, by name."""
    names = {"np": np, "pd": pd}
    for file, marks in {
        "utils.py": ("def interpolated_prec_rec", "def segment_iou", "def wrapper_segment_iou"),
        "eval_proposal.py": ("def average_recall_vs_avg_nr_proposals",),
        "eval_detection.py": ("def compute_average_precision_detection",),
    }.items():
        text = (Path(folder) / file).read_text()
        for old, new in PYTHON_3.items():
            text = text.replace(old, new)
        for mark in marks:
            rest = text[text.index(mark) :].split("\ndef ")[0]
            exec(rest, names)
    return names


def draw(rng, duration):
    start = rng.uniform(0, 0.8 * duration)
    return round(start, 2), round(rng.uniform(start + 0.05 * duration, duration), 2)


def case(seed, videos=12, share=1.0):
    """Truth and results; some videos have no results, some no truth."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for number in range(videos):
        name, duration = f"video{number}", float(rng.uniform(20, 200))
        actions = [
            (*draw(rng, duration), str(rng.choice(LABELS))) for _ in range(rng.integers(1, 6))
        ]
        if number != 3:
            truth += [(name, *action) for action in actions]
        for _ in range(0 if number == 5 else int(rng.integers(1, 60 * share))):
            start, end, label = actions[rng.integers(len(actions))]
            if rng.random() < 0.6:
                near = sorted(np.array([start, end]) + rng.normal(0, 0.08 * (end - start), 2))
                start, end = (round(float(value), 2) for value in near)
            else:
                start, end = draw(rng, duration)
            found.append((name, start, end, round(float(rng.random()), 9), label))
    return truth, found


def main(folder):
    names = official(folder)
    cases = []
    for seed, share, most in ((0, 1.0, 100), (1, 4.0, 100), (2, 1.0, 10), (3, 0.1, 5)):
        truth, found = case(seed, share=share)
        actions = pd.DataFrame(truth, columns=["video-id", "t-start", "t-end", "label"])
        results = pd.DataFrame(found, columns=["video-id", "t-start", "t-end", "score", "label"])
        recall, average, counts = names["average_recall_vs_avg_nr_proposals"](
            actions, results, max_avg_nr_proposals=most, tiou_thresholds=np.linspace(0.5, 0.95, 10)
        )
        precision = {
            label: names["compute_average_precision_detection"](
                actions[actions.label == label].reset_index(drop=True),
                results[results.label == label].reset_index(drop=True),
            ).tolist()
            for label in sorted(set(actions.label))
        }
        cases.append(
            {
                "truth": truth,
                "results": found,
                "max_proposals": most,
                "recall": recall[:, ::9].tolist(),
                "proposals_per_video": counts.tolist(),
                "auc": 100 * float(np.trapezoid(average, counts) / counts[-1]),
                "average_precision": precision,
            }
        )
    (Path(__file__).parent / "activitynet.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
