"""TSN, TSM, PP-TSN and PP-TSM in plain torch, for `tools/benchmark.py` to measure against."""

import torch
from torch import nn
from torch.nn import functional

STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def conv_norm(channels, filters, kernel_size, stride=1, activation=None):
    padding = kernel_size // 2
    conv = nn.Conv2d(channels, filters, kernel_size, stride, padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters), *([activation()] if activation else []))


class Bottleneck(nn.Module):
    """A residual block of ResNet-50 and deeper, with temporal shift if `num_frames` is given."""

    def __init__(self, channels, filters, stride, vd, activation, num_frames):
        super().__init__()
        self.num_frames = num_frames
        self.activation = activation()
        self.branch = nn.Sequential(
            conv_norm(channels, filters, 1, 1, activation),
            conv_norm(filters, filters, 3, stride, activation),
            conv_norm(filters, 4 * filters, 1),
        )
        self.shortcut = nn.Identity()
        if channels != 4 * filters:
            if vd and stride > 1:
                pool = nn.AvgPool2d(2, 2, ceil_mode=True)
                self.shortcut = nn.Sequential(pool, conv_norm(channels, 4 * filters, 1))
            else:
                self.shortcut = conv_norm(channels, 4 * filters, 1, stride)

    def forward(self, frames):
        branch = self.branch(shift(frames, self.num_frames) if self.num_frames else frames)
        return self.activation(branch + self.shortcut(frames))


def shift(frames, num_frames):
    clips = frames.view(-1, num_frames, *frames.shape[1:])
    fold = clips.shape[2] // 8
    outputs = torch.zeros_like(clips)
    outputs[:, 1:, :fold] = clips[:, :-1, :fold]
    outputs[:, :-1, fold : 2 * fold] = clips[:, 1:, fold : 2 * fold]
    outputs[:, :, 2 * fold :] = clips[:, :, 2 * fold :]
    return outputs.view_as(frames)


class FrameNetwork(nn.Module):
    """TSN, TSM, PP-TSN or PP-TSM on normalised frames `(batch * time, 3, height, width)`."""

    def __init__(self, depth=50, vd=False, leaky=False, shifted=False, num_frames=8):
        super().__init__()

        def activation():
            return nn.LeakyReLU(0.01, inplace=True) if leaky else nn.ReLU(inplace=True)

        if vd:
            stem = [conv_norm(3, 32, 3, 2, activation), conv_norm(32, 32, 3, 1, activation)]
            stem.append(conv_norm(32, 64, 3, 1, activation))
        else:
            stem = [conv_norm(3, 64, 7, 2, activation)]
        layers = [*stem, nn.MaxPool2d(3, 2, 1)]
        channels = 64
        for stage, blocks in enumerate(STAGES[depth]):
            for block in range(blocks):
                filters = 64 * 2**stage
                stride = 2 if stage and not block else 1
                frames = num_frames if shifted else None
                layers.append(Bottleneck(channels, filters, stride, vd, activation, frames))
                channels = 4 * filters
        self.backbone = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, 400)
        self.num_frames = num_frames

    def forward(self, frames):
        features = functional.adaptive_avg_pool2d(self.backbone(frames), 1).flatten(1)
        return self.classifier(features.view(-1, self.num_frames, features.shape[1]).mean(1))
