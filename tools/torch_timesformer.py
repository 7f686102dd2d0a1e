"""TimeSformer with divided attention in plain torch, for `tools/benchmark.py`."""

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    """Self-attention of tokens `(rows, tokens, dim)`."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens):
        rows, length, dim = tokens.shape
        qkv = self.qkv(tokens).view(rows, length, 3, self.heads, dim // self.heads)
        attended = functional.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4))
        return self.proj(attended.transpose(1, 2).reshape(rows, length, dim))


class DropPath(nn.Module):
    """Leaves out the whole branch for some rows, in training."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, branch):
        if not self.training or not self.rate:
            return branch
        kept = branch.new_empty(branch.shape[0], 1, 1).bernoulli_(1 - self.rate)
        return branch * kept / (1 - self.rate)


class Block(nn.Module):
    """Attention over time, attention over space, and the feed-forward network."""

    def __init__(self, dim, heads, drop_path):
        super().__init__()
        self.temporal_norm = nn.LayerNorm(dim, 1e-6)
        self.temporal_attention = Attention(dim, heads)
        self.temporal_fc = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim, 1e-6)
        self.attention = Attention(dim, heads)
        self.mlp_norm = nn.LayerNorm(dim, 1e-6)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.drop_path = DropPath(drop_path)

    def forward(self, cls, patches):
        """Takes `(batch, 1, dim)` and `(batch, frames, patches, dim)`."""
        batch, frames, places, dim = patches.shape
        tracks = patches.transpose(1, 2).reshape(-1, frames, dim)
        tracks = self.drop_path(self.temporal_attention(self.temporal_norm(tracks)))
        tracks = self.temporal_fc(tracks).view(batch, places, frames, dim)
        patches = patches + tracks.transpose(1, 2)
        images = torch.cat([cls.expand(-1, frames, -1).unsqueeze(2), patches], dim=2).flatten(0, 1)
        images = self.drop_path(self.attention(self.norm(images)))
        images = images.view(batch, frames, 1 + places, dim)
        cls = cls + images[:, :, 0].mean(1, keepdim=True)
        patches = patches + images[:, :, 1:]
        tokens = torch.cat([cls, patches.flatten(1, 2)], dim=1)
        tokens = tokens + self.drop_path(self.mlp(self.mlp_norm(tokens)))
        return tokens[:, :1], tokens[:, 1:].view(batch, frames, places, dim)


class TimeSformer(nn.Module):
    """TimeSformer-B on normalised clips `(batch, 3, time, height, width)`."""

    def __init__(self, num_frames=8, size=224, dim=768, depth=12, heads=12):
        super().__init__()
        self.embedding = nn.Conv2d(3, dim, 16, 16)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.positions = nn.Parameter(torch.randn(1, 1 + (size // 16) ** 2, dim) * 0.02)
        self.times = nn.Parameter(torch.randn(1, num_frames, 1, dim) * 0.02)
        rates = [0.1 * block / (depth - 1) for block in range(depth)]
        self.blocks = nn.ModuleList(Block(dim, heads, rate) for rate in rates)
        self.norm = nn.LayerNorm(dim, 1e-6)
        self.classifier = nn.Linear(dim, 400)

    def forward(self, clips):
        frames = self.embedding(clips.transpose(1, 2).flatten(0, 1)).flatten(2).transpose(1, 2)
        frames = frames.unflatten(0, (len(clips), -1))
        patches = frames + self.positions[:, None, 1:] + self.times
        cls = (self.cls + self.positions[:, :1]).expand(len(clips), -1, -1)
        for block in self.blocks:
            cls, patches = block(cls, patches)
        return self.classifier(self.norm(cls[:, 0]))
