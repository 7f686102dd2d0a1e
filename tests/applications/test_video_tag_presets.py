"""VideoTag as published: two archives and a list of labels become one tagger."""

import io
import pickle
import tarfile

import numpy as np
import pytest

from keras_video.applications import ApplicationPreset, VideoTag
from keras_video.applications.application_preset import register_application_preset
from keras_video.applications.video_tag_presets import APPLICATIONS, PRESETS
from keras_video.data import render_tagged_clip
from keras_video.models import ResNetBackbone
from keras_video.presets import Preset, original_tensors, register_preset
from keras_video.presets.loading import model_from_manifest
from keras_video.testing import draw_weights

LABELS = ("训练", "猫", "蹲", "猫")
SMALL = {
    "video_tag_3k_extractor": {"depth": 50, "width": 4},
    "video_tag_3k_predictor": {
        "num_classes": 4,
        "features": {"rgb": 128},
        "embedding_dim": 6,
        "lstm_dim": 4,
        "hidden_dims": (8, 8),
    },
}


def archive(name, tensors):
    """What `video_tag_tsn.tar` and its like hold, gzipped as their instructions unpack them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for suffix, content in ((".pdopt", {}), (".pdparams", tensors)):
            data = pickle.dumps(content, protocol=2)
            member = tarfile.TarInfo(f"weights/{name}{suffix}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def small(preset: Preset) -> Preset:
    """The published preset with a small network, under another name."""
    arguments = {field: getattr(preset, field) for field in preset.__dataclass_fields__}
    config = {**preset.config, **SMALL[preset.name]}
    return Preset(**{**arguments, "name": f"small_{preset.name}", "config": config})


@pytest.fixture
def published(file_server, monkeypatch):
    """Small VideoTag's models, as their authors' server has them."""
    monkeypatch.setenv("KERAS_VIDEO_CHECKPOINT_MIRROR", file_server.address)
    models = {}
    for preset in map(small, PRESETS):
        register_preset(preset)
        model = models[preset.name] = model_from_manifest(preset, {})
        draw_weights(model)
        tensors = original_tensors(model, "videotag")
        if isinstance(model, ResNetBackbone):
            # The classifier of the network's own training.
            tensors |= {"fc_0.w_0": np.zeros((128, 400)), "fc_0.b_0": np.zeros(400)}
        path = "/" + preset.source_url.rpartition("/")[2]
        file_server.files[path] = archive("weights", tensors)
    labels = PRESETS[1].labels_url.removeprefix("https://raw.githubusercontent.com")
    file_server.files[labels] = "\n".join(LABELS).encode()
    (application,) = APPLICATIONS
    register_application_preset(
        ApplicationPreset(
            name="small_video_tag",
            application="VideoTag",
            parts={part: f"small_{name}" for part, name in application.parts.items()},
            settings=application.settings,
        )
    )
    return models


def test_archives_and_labels_become_a_tagger(published, file_server, hub):
    tagger = VideoTag.from_preset("small_video_tag", endpoint=hub.address)
    assert tagger.labels == list(LABELS)
    clip, _ = render_tagged_clip(0, num_frames=30, size=64)
    tags = tagger(clip, top_k=20)
    assert sorted(tag["class_id"] for tag in tags) == [0, 1, 2, 3]

    extractor, predictor = published.values()
    extractor.preprocessor = tagger.extractor.preprocessor
    predictor.labels = LABELS
    expected = VideoTag(extractor, predictor, extraction={"frames": 300})(clip)
    assert [t["class_id"] for t in tags] == [t["class_id"] for t in expected]
    np.testing.assert_allclose(
        *([t["score"] for t in each] for each in (tags, expected)), rtol=1e-5
    )
    requests = len(file_server.requests)
    VideoTag.from_preset("small_video_tag", endpoint=hub.address)
    assert len(file_server.requests) == requests == 3


def test_the_manifests_describe_the_published_sizes():
    extractor, predictor = PRESETS
    assert extractor.config["depth"] == 101
    assert extractor.preprocessor["aspect_ratio"] == pytest.approx(4 / 3)
    assert predictor.config["num_classes"] == 3396 and predictor.config["features"] == {"rgb": 2048}
    assert predictor.config["peepholes"] and not predictor.config["attention_bias"]
