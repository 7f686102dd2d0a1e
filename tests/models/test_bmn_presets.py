"""The way from BMN's name to proposals, by a checkpoint like the published one."""

import numpy as np
import pytest
from file_server import FileServer
from golden_model import GoldenModel

import keras_video
from keras_video.models import BMN
from keras_video.presets import get_preset
from keras_video.presets.checkpoint_format import as_format


def test_the_manifest_describes_the_model():
    preset = get_preset("bmn_activitynet")
    assert BMN.presets == ["bmn_activitynet"]
    model = BMN(**preset.config)
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == preset.parameters
    format = as_format(model.checkpoint_maps[preset.source_format])
    assert set(format(model)) == {weight.path for weight in model.weights}
    assert format.other_arguments(model, with_defaults=True) == {}
    recalls = [preset.metrics[f"ar@{count}"] for count in (1, 5, 10, 100)]
    assert recalls == sorted(recalls) and recalls[0] < preset.metrics["auc"] < recalls[-1]
    assert preset.metrics_source.endswith("/docs/en/model_zoo/localization/bmn.md")


def test_the_name_leads_from_the_checkpoint_to_proposals(monkeypatch, tmp_path):
    golden = GoldenModel("bmn")
    preset = get_preset("bmn_activitynet")
    path = "/" + preset.source_url.split("/", 3)[3]
    checkpoint = golden.write_pdparams(tmp_path / "original.pdparams")
    monkeypatch.setenv("KERAS_VIDEO_CACHE", str(tmp_path / "cache"))
    with FileServer().serve() as server:
        server.files[path] = checkpoint.read_bytes()
        monkeypatch.setenv("KERAS_VIDEO_CHECKPOINT_MIRROR", server.address)
        for _ in range(2):  # Converted once.
            model = BMN.from_preset("bmn_activitynet", endpoint="http://127.0.0.1:9")
            assert server.requests == [path]
    assert model.labels is None and model.preprocessor is None
    features = golden.arrays["input"][0].T
    proposals = model.propose(features, duration=124.23)
    assert 1 < len(proposals) <= 100
    scores = [proposal.score for proposal in proposals]
    assert scores == sorted(scores, reverse=True)
    expected = keras_video.convert(checkpoint, BMN, num_frames=100).propose(features, 124.23)
    assert proposals[0].score == pytest.approx(expected[0].score)
