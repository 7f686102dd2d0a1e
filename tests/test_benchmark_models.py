"""The benchmark's networks in plain torch are as large as the models of keras_video."""

import pathlib

import numpy as np
import pytest

import keras_video
from keras_video.models.bmn.convert_paddle import LAYERS

TOOLS = pathlib.Path(__file__).parents[1] / "tools"


# The numbers of parameters are the published ones, which the models' own tests hold too.
@pytest.mark.parametrize(
    ("name", "frames", "parameters"),
    [
        ("tsm", 8, 24_327_632),
        ("slow_only", 8, 32_454_096),
        ("slowfast", 32, 34_566_488),
        ("timesformer", 8, 121_566_352),
        ("attention_lstm", 300, 108_720_920),
    ],
)
def test_the_twin_in_torch_is_as_large_and_takes_the_clips(name, frames, parameters, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(TOOLS)
    import torch_models
    from benchmark_models import MODELS

    clips = MODELS[name].clips(2, 32)
    if isinstance(clips, dict):
        clips, shape, classes = clips["rgb"], (2, frames, 1024), 3862
    else:
        shape, classes = (2, frames, 32, 32, 3), 400
    assert clips.shape == shape
    with torch.device("meta"):  # Shapes only.
        twin = torch_models.build(name, 224)
        assert torch_models.num_parameters(twin) == parameters
        assert twin(torch_models.clips(name, 2, 224)).shape == (2, classes)


def test_the_twin_of_bmn_computes_the_same(monkeypatch):
    """The network with a matrix of all samples, and its losses."""
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(TOOLS)
    import torch_bmn
    import torch_models
    from benchmark_models import MODELS

    twin, benchmarked = torch_models.build("bmn", 0), MODELS["bmn"]
    assert torch_models.num_parameters(twin) == 2_782_980
    model = benchmarked.build(0, None)
    weights = [weight for weight in twin.state_dict() if weight != "mask"]
    names = {
        "base.0": "base_conv1", "base.2": "base_conv2", "starts.0": "start_conv1",
        "starts.2": "start_conv2", "ends.0": "end_conv1", "ends.2": "end_conv2",
        "proposal.0": "proposal_conv", "segments.0": "boundary_matching", "map.0": "map_conv1",
        "map.2": "map_conv2", "map.4": "map_conv3", "map.6": "map_conv4",
    }  # fmt: skip
    tensors = {}
    for name in weights:
        layer, kind = name.rsplit(".", 1)
        theirs = LAYERS[names[layer]][0]
        tensors[f"backbone.{theirs}.{kind}"] = twin.state_dict()[name].numpy()
    keras_video.convert(tensors, model)
    clips = benchmarked.clips(2, 0)
    ours = model.predict(clips, verbose=0)
    with torch.no_grad():
        theirs = twin(torch.from_numpy(clips["features"]).transpose(1, 2))
        labels = benchmarked.labels(2)
        loss = torch_bmn.loss(theirs, {k: torch.from_numpy(v) for k, v in labels.items()})
    np.testing.assert_allclose(ours["confidence"], theirs[0].permute(0, 2, 3, 1), atol=1e-5)
    np.testing.assert_allclose(ours["starts"], theirs[1], atol=1e-5)
    np.testing.assert_allclose(ours["ends"], theirs[2], atol=1e-5)
    losses = (part(labels[name], ours[name]) for name, part in benchmarked.loss().items())
    assert float(loss) == pytest.approx(sum(map(float, losses)), rel=1e-4)
