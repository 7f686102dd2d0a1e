"""BMN in plain torch as it is published, for `tools/benchmark.py`: with a matrix of all samples."""

import numpy as np
import torch
from torch import nn

from keras_video.layers.boundary_sampling import boundary_sampling


def sample_mask(num_frames: int, num_samples: int) -> np.ndarray:
    """The matrix `(steps, samples * durations * steps)`, 98 % of it zeros."""
    sampling = boundary_sampling(num_frames, num_frames, num_samples)
    indices, values = sampling.entries
    mask = np.zeros((num_frames, num_samples, num_frames**2), np.float32)
    sample, step = np.divmod(indices[:, 1], num_frames)
    mask[step, sample, indices[:, 0]] = values
    return mask.reshape(num_frames, -1)


class BMN(nn.Module):
    """Features `(batch, 400, 100)` to confidence `(batch, 2, 100, 100)`, starts and ends."""

    def __init__(self, channels=400, num_frames=100, hidden=256, proposal=128, num_samples=32):
        super().__init__()
        self.shape = num_samples, num_frames, num_frames
        self.base = nn.Sequential(
            nn.Conv1d(channels, hidden, 3, padding=1, groups=4),
            nn.ReLU(),
            nn.Conv1d(hidden, hidden, 3, padding=1, groups=4),
            nn.ReLU(),
        )
        self.starts, self.ends = (
            nn.Sequential(
                nn.Conv1d(hidden, hidden, 3, padding=1, groups=4),
                nn.ReLU(),
                nn.Conv1d(hidden, 1, 1),
                nn.Sigmoid(),
            )
            for _ in range(2)
        )
        self.proposal = nn.Sequential(nn.Conv1d(hidden, proposal, 3, padding=1), nn.ReLU())
        self.segments = nn.Sequential(
            nn.Conv3d(proposal, 512, (num_samples, 1, 1), (num_samples, 1, 1)), nn.ReLU()
        )
        self.map = nn.Sequential(
            nn.Conv2d(512, 128, 1),
            nn.ReLU(),
            nn.Conv2d(128, 128, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(128, 128, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(128, 2, 1),
            nn.Sigmoid(),
        )
        self.register_buffer("mask", torch.tensor(sample_mask(num_frames, num_samples)))

    def forward(self, features):
        x = self.base(features)
        starts, ends = self.starts(x).squeeze(1), self.ends(x).squeeze(1)
        x = self.proposal(x)
        x = (x @ self.mask).reshape(*x.shape[:2], *self.shape)
        return self.map(self.segments(x).squeeze(2)), starts, ends


def loss(outputs, labels: dict) -> torch.Tensor:
    """The sum of BMN's three losses; labels as `keras_video.localization.make_bmn_labels` has them.

    Args:
        outputs: of `BMN`.
        labels: tensors.
    """
    confidence, starts, ends = (output.float() for output in outputs)
    overlap, chance = labels["confidence"].unbind(-1)
    return (
        balanced_crossentropy(labels["starts"], starts, 0.5)
        + balanced_crossentropy(labels["ends"], ends, 0.5)
        + 10 * regression(overlap, chance, confidence[:, 0])
        + balanced_crossentropy(overlap, confidence[:, 1], 0.9)
    )


def balanced_crossentropy(labels, predictions, threshold):
    positive = (labels > threshold).float()
    negative = (labels >= 0).float() - positive
    of_positive = (positive * torch.log(predictions + 1e-6)).sum() / positive.sum().clamp(min=1)
    of_negative = (negative * torch.log(1 - predictions + 1e-6)).sum() / negative.sum().clamp(min=1)
    return -0.5 * (of_positive + of_negative)


def regression(overlap, chance, predictions):
    high = (overlap > 0.7).float()
    middle = ((overlap > 0.3) & (overlap <= 0.7)).float()
    low = (overlap >= 0).float() - high - middle
    weights = high
    for band in (middle, low):
        share = high.sum() / band.sum().clamp(min=1)
        weights = weights + (band * chance > 1 - share).float()
    error = (predictions - overlap.clamp(min=0)) ** 2 * weights
    return 0.5 * error.sum() / weights.sum().clamp(min=1)
