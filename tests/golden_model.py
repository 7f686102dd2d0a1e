"""Reads the golden files: draws the reference's checkpoint and inputs, gives what it computed."""

import functools
import json
import pathlib
import pickle
import re

import numpy as np
from golden import synth

GOLDEN = pathlib.Path(__file__).parent / "golden"


class GoldenModel:
    """One `golden/models/<name>` pair of files.

    Attributes:
        facts: the JSON file.
        arrays: the npz file.
    """

    def __init__(self, name: str):
        self.name = name
        self.facts = json.loads((GOLDEN / "models" / f"{name}.json").read_text())
        self.arrays = dict(np.load(GOLDEN / "models" / f"{name}.npz"))

    @functools.cached_property
    def checkpoint(self) -> dict[str, np.ndarray]:
        """The reference's state dict."""
        tensors = {}
        for name, shape, spec in self.facts["tensors"]:
            if spec == ["stored"]:
                tensors[name] = self.arrays[f"weight:{name}"].reshape(shape)
            elif spec[0] == "same as":
                tensors[name] = tensors[spec[1]]
            else:
                tensors[name] = synth.tensor(name, shape, spec, self.facts["seed"])
        return tensors

    def write_pdparams(self, path) -> pathlib.Path:
        """Writes the checkpoint in the form of the reference's own files."""
        state = {**self.checkpoint, "StructuredToParameterName@@": {k: k for k in self.checkpoint}}
        path = pathlib.Path(path)
        path.write_bytes(pickle.dumps(state, protocol=2))
        return path

    def inputs(self, case: dict) -> list[np.ndarray]:
        """The case's inputs with the channels last, such as `(batch, time, height, width, 3)`."""
        layouts = re.findall(r"N,[^\[\]]+", self.facts["layout"])
        axes = [layout.split(",").index("C") for layout in layouts]
        return [
            np.moveaxis(synth.clip(spec["clip"], spec["shape"]), axis, -1)
            for spec, axis in zip(case["inputs"], axes, strict=True)
        ]

    def clips(self, case: dict) -> np.ndarray:
        """The input of a case that has only one."""
        (clips,) = self.inputs(case)
        return clips

    def noise(self, case: str) -> float:
        """Largest difference between the reference's float32 and float64 logits."""
        return self.facts["cases"][case]["f32_vs_f64_maxabs"]


def sampled(activation: np.ndarray, stride: int) -> np.ndarray:
    """The golden file's sample of an activation `(frames, height, width, channels)`."""
    return np.ascontiguousarray(activation.transpose(0, 3, 1, 2)).reshape(-1)[::stride]
