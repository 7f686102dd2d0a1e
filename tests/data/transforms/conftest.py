from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parents[2] / "golden" / "data"


@pytest.fixture(scope="session")
def golden():
    with np.load(GOLDEN / "augment.npz") as file:
        return dict(file)


@pytest.fixture(scope="session")
def golden_clip():
    """The picture that the reference transformed, twice in a row."""
    with np.load(GOLDEN / "resize.npz") as file:
        return np.stack(2 * [file["source"]])


@pytest.fixture
def still():
    """Four equal frames of noise: a transform that treats frames alike leaves them equal."""
    frame = np.random.default_rng(0).integers(0, 256, (1, 72, 96, 3)).astype(np.uint8)
    return np.repeat(frame, 4, axis=0)
