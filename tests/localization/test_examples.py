"""The examples of the documentation run."""

import doctest
import importlib
import sys

import numpy as np
import pytest

import keras_video.localization

MODULES = (
    "action",
    "action_list",
    "action_list_error",
    "annotated_video",
    "average_recall",
    "boundary_peaks",
    "detection",
    "detection_average_precision",
    "detection_f1",
    "nms",
    "proposal",
    "rank_proposals",
    "soft_nms",
    "temporal_iou",
)


@pytest.mark.parametrize("module", MODULES)
def test_examples_print_what_they_say(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    importlib.import_module(f"keras_video.localization.{module}")
    package = keras_video.localization
    names = {name: getattr(package, name) for name in package.__all__}
    found = doctest.testmod(
        sys.modules[f"keras_video.localization.{module}"], extraglobs={**names, "np": np}
    )
    assert found.attempted > 0 and found.failed == 0
