"""The networks of keras_video in plain torch, for `tools/benchmark.py` to measure against."""

import torch
import torch_attention_lstm
import torch_bmn
import torch_resnets
import torch_slowfast
import torch_timesformer
from benchmark_models import MODELS
from torch import nn

TWO_D = {
    "tsn": {},
    "tsm": {"shifted": True},
    "pp_tsn": {"vd": True},
    "pp_tsm": {"vd": True, "leaky": True, "shifted": True},
}


def build(name: str, size: int) -> nn.Module:
    """The torch twin of a model of keras_video, in inference mode, channels last."""
    if name in TWO_D:
        network = torch_resnets.FrameNetwork(**TWO_D[name])
    elif name == "attention_lstm":
        return torch_attention_lstm.AttentionLSTM().eval()
    elif name == "bmn":
        return torch_bmn.BMN().eval()
    elif name == "timesformer":
        return torch_timesformer.TimeSformer(size=size).eval()
    else:
        network = {"slow_only": torch_slowfast.SlowOnly, "slowfast": torch_slowfast.SlowFast}[
            name
        ]()
    return network.eval().to(memory_format=memory_format(name))


def clips(name: str, batch: int, size: int) -> torch.Tensor:
    """What the twin takes: normalised clips, in the layout that it is fastest on; or features."""
    frames = MODELS[name].num_frames
    if name == "attention_lstm":
        return torch.randn(batch, frames, 1152)
    if name == "bmn":
        return torch.randn(batch, 400, frames)
    shape = (batch * frames, 3, size, size) if name in TWO_D else (batch, 3, frames, size, size)
    return torch.randn(shape).contiguous(memory_format=memory_format(name))


def loss(name: str, outputs, labels) -> torch.Tensor:
    """The loss of what the twin gives; labels as tensors."""
    if name == "bmn":
        return torch_bmn.loss(outputs, labels)
    one_class = labels.dtype == torch.int64
    functional = nn.functional
    loss_of = functional.cross_entropy if one_class else functional.binary_cross_entropy_with_logits
    return loss_of(outputs.float(), labels)


def num_parameters(network: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def memory_format(name: str) -> torch.memory_format:
    if name == "timesformer":
        return torch.contiguous_format
    return torch.channels_last if name in TWO_D else torch.channels_last_3d
