"""AttentionLSTM in plain torch, for `tools/benchmark.py`."""

import torch
from torch import nn


class Modality(nn.Module):
    """Features `(batch, time, channels)` of one kind to one vector."""

    def __init__(self, channels, embedding, units):
        super().__init__()
        self.embedding = nn.Linear(channels, embedding)
        self.lstm = nn.LSTM(embedding, units, batch_first=True, bidirectional=True)
        # Of its two biases only the sum plays a role; keras_video has one.
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_hh"):
                nn.init.zeros_(parameter).requires_grad_(False)
        self.dropout = nn.Dropout(0.5)
        self.attention = nn.Linear(2 * units, 1)

    def forward(self, features):
        steps, _ = self.lstm(torch.tanh(self.embedding(features)))
        steps = self.dropout(steps)
        weights = torch.softmax(self.attention(steps), dim=1)
        return (weights.transpose(1, 2) @ steps).squeeze(1)


class AttentionLSTM(nn.Module):
    """Dequantised features `(batch, time, 1152)`, all steps real: those of frames, then sound."""

    def __init__(self, channels=(1024, 128), embedding=512, units=1024, num_classes=3862):
        super().__init__()
        self.channels = list(channels)
        self.modalities = nn.ModuleList(Modality(size, embedding, units) for size in channels)
        self.classifier = nn.Sequential(
            nn.Linear(2 * units * len(channels), 8192),
            nn.ReLU(),
            nn.Linear(8192, 4096),
            nn.Tanh(),
            nn.Linear(4096, num_classes),
        )

    def forward(self, features):
        parts = zip(self.modalities, features.split(self.channels, dim=-1), strict=True)
        return self.classifier(torch.cat([modality(part) for modality, part in parts], dim=1))
