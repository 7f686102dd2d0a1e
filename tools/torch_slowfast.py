"""SlowFast and SlowOnly in plain torch, for `tools/benchmark.py` to measure against."""

import torch
from torch import nn

BLOCKS = (3, 4, 6, 3)  # ResNet-50


def conv_norm(channels, filters, kernel_size, strides=(1, 1, 1), relu=True):
    padding = [size // 2 for size in kernel_size]
    conv = nn.Conv3d(channels, filters, kernel_size, strides, padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(filters), *([nn.ReLU(inplace=True)] if relu else []))


class Bottleneck(nn.Module):
    """A residual block whose first convolution looks at `time` frames."""

    def __init__(self, channels, filters, time, stride):
        super().__init__()
        self.branch = nn.Sequential(
            conv_norm(channels, filters, (time, 1, 1)),
            conv_norm(filters, filters, (1, 3, 3), (1, stride, stride)),
            conv_norm(filters, 4 * filters, (1, 1, 1), relu=False),
        )
        self.shortcut = nn.Identity()
        if channels != 4 * filters or stride > 1:
            strides = (1, stride, stride)
            self.shortcut = conv_norm(channels, 4 * filters, (1, 1, 1), strides, relu=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, clips):
        return self.relu(self.branch(clips) + self.shortcut(clips))


class Pathway(nn.ModuleList):
    """A stem and four stages; `extra` channels join before each stage, two for each of theirs."""

    def __init__(self, width, stem_time, times, extra=0):
        pool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        super().__init__([conv_norm(3, width, (stem_time, 7, 7), (1, 2, 2))])
        self[0].append(pool)
        channels = width
        for stage, blocks in enumerate(BLOCKS):
            filters = width * 2**stage
            channels += 2 * extra * (1 if stage == 0 else 2 ** (stage + 1))
            layers = nn.Sequential()
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                layers.append(Bottleneck(channels, filters, times[stage], stride))
                channels = 4 * filters
            self.append(layers)
        self.channels = channels


class SlowOnly(nn.Module):
    """SlowOnly on normalised clips `(batch, 3, time, height, width)`."""

    def __init__(self):
        super().__init__()
        self.slow = Pathway(64, 1, (1, 1, 3, 3))
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(self.slow.channels, 400)

    def forward(self, clips):
        for stage in self.slow:
            clips = stage(clips)
        return self.classifier(self.dropout(clips.mean((2, 3, 4))))


class SlowFast(nn.Module):
    """SlowFast on normalised fast clips `(batch, 3, time, height, width)`."""

    def __init__(self, alpha=4, fusion_kernel=7):
        super().__init__()
        self.alpha = alpha
        self.slow = Pathway(64, 1, (1, 1, 3, 3), extra=8)
        self.fast = Pathway(8, 5, (3, 3, 3, 3))
        kernel, strides = (fusion_kernel, 1, 1), (alpha, 1, 1)
        self.lateral = nn.ModuleList(
            conv_norm(channels, 2 * channels, kernel, strides) for channels in (8, 32, 64, 128)
        )
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(self.slow.channels + self.fast.channels, 400)

    def forward(self, clips):
        frames = clips.shape[2] // self.alpha
        chosen = torch.linspace(0, clips.shape[2] - 1, frames, device=clips.device).long()
        slow, fast = clips[:, :, chosen], clips
        for stage, (slow_stage, fast_stage) in enumerate(zip(self.slow, self.fast, strict=True)):
            slow, fast = slow_stage(slow), fast_stage(fast)
            if stage < len(self.lateral):
                slow = torch.cat([slow, self.lateral[stage](fast)], dim=1)
        features = torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], dim=1)
        return self.classifier(self.dropout(features))
