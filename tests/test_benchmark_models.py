"""The benchmark's networks in plain torch are as large as the models of keras_video."""

import pathlib

import pytest

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
