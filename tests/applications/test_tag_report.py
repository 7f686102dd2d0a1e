"""The report of tags: hand-computed numbers, and none where there can be none."""

import csv

import numpy as np
import pytest

from keras_video.applications.tag_report import summarize_report, tag_report, write_report

LABELS = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]])
SCORES = np.array([[0.9, 0.2, 0.1], [0.4, 0.8, 0.2], [0.6, 0.1, 0.3], [0.1, 0.3, 0.1]])


def test_each_tag_has_its_numbers(tmp_path):
    rows = tag_report(LABELS, SCORES, [0.5, 0.25, 0.9], ["a", "b, c", "a"])
    first, second, third = rows
    assert first["videos"] == 2 and first["threshold"] == 0.5
    assert first["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert (first["precision"], first["recall"], first["f1"]) == (0.5, 0.5, 0.5)
    # 0.8 is right, 0.3 is wrong, 0.1 is missed.
    assert (second["precision"], second["recall"], second["f1"]) == (0.5, 0.5, 0.5)
    assert second["average_precision"] == pytest.approx((1 + 2 / 4) / 2)
    assert third["videos"] == 0
    assert third["average_precision"] is third["precision"] is third["recall"] is None

    summary = summarize_report(rows, LABELS, SCORES)
    assert summary["videos"] == 4 and summary["tags"] == 2
    assert summary["map"] == pytest.approx((5 / 6 + 3 / 4) / 2)
    assert summary["macro_f1"] == summary["micro_f1"] == 0.5

    write_report(tmp_path / "report.csv", rows)
    with open(tmp_path / "report.csv", encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["tag"] for row in written] == ["a", "b, c", "a"]
    assert written[0]["average_precision"] == "0.8333" and written[2]["f1"] == ""
