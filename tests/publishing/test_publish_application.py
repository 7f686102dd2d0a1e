"""An application is published with all of its models, each converted from its own original."""

import numpy as np
import pytest
from applications.test_video_tag_presets import LABELS, published

from keras_video.applications import ApplicationPreset, VideoTag
from keras_video.applications.application_preset import (
    get_application_preset,
    register_application_preset,
)
from keras_video.publishing import publish_preset

__all__ = ["published"]

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def test_videotag_is_converted_compared_and_published(published, hub, file_server, tmp_path):
    register_application_preset(
        ApplicationPreset(
            name="quick_video_tag",
            application="VideoTag",
            parts=get_application_preset("small_video_tag").parts,
            settings={"extraction": {"frames": 4}},
        )
    )
    access = {"token": "hf_writer", "endpoint": hub.address}
    done = publish_preset("quick_video_tag", "writer/tags", workdir=tmp_path, **access)
    files = hub.repositories["writer/tags"].files
    assert {"application.json", "extractor/model.safetensors", "predictor/labels.txt"} < set(files)
    assert b"`extractor`, the preset `small_video_tag_3k_extractor`" in files["README.md"].data
    assert done.commit == hub.repositories["writer/tags"].refs["main"]
    assert any(f"{label!r} (" in done.answer for label in LABELS)

    tagger = VideoTag.from_preset("hf://writer/tags", endpoint=hub.address)
    assert tagger.labels == list(LABELS) and tagger.extraction == {"frames": 4}
    for model, original in zip(
        (tagger.extractor, tagger.predictor), published.values(), strict=True
    ):
        for weight, expected in zip(model.weights, original.weights, strict=True):
            np.testing.assert_array_equal(weight, expected)

    again = publish_preset("quick_video_tag", "writer/tags", workdir=tmp_path, **access)
    assert again.commit == done.commit and len(again.present) == len(again.files)
    assert len(file_server.requests) == 3
