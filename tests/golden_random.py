"""Random numbers as the reference draws them, behind the methods of `numpy.random.Generator`."""

import random

import numpy as np


class LegacyNumPy:
    """Draws from NumPy's legacy `RandomState`, which `np.random.seed` sets."""

    def __init__(self, seed: int):
        self._state = np.random.RandomState(seed % 2**32)

    def integers(self, low, high, size=None):
        return self._state.randint(low, high, size=size)

    def permutation(self, size):
        return self._state.permutation(size)

    def uniform(self, low, high, size=None):
        return self._state.uniform(low, high, size=size)

    def random(self, size=None):
        return self._state.random_sample(size)

    def beta(self, a, b, size=None):
        return self._state.beta(a, b, size=size)


class LegacyPython:
    """Draws from the `random` module, one number at a time."""

    def __init__(self, seed: int):
        self._random = random.Random(seed)

    def integers(self, low, high, size=None):
        if size is None:
            return self._random.randint(low, high - 1)
        return np.array([self._random.randint(low, high - 1) for _ in range(size)])

    def uniform(self, low, high, size=None):
        if size is None:
            return self._random.uniform(low, high)
        return np.array([self._random.uniform(low, high) for _ in range(size)])

    def random(self, size=None):
        return self._random.random() if size is None else self.uniform(0, 1, size)
