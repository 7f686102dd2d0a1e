"""Reads the golden files of the torch worlds, and writes checkpoints in their own containers."""

import functools
import hashlib
import json
import pathlib
import pickle

import numpy as np
from golden import synth

FOLDER = pathlib.Path(__file__).parent / "golden" / "torch"


class GoldenTorch:
    """One `golden/torch/<name>` pair of files.

    Attributes:
        facts: the JSON file.
        arrays: the npz file.
    """

    def __init__(self, name: str):
        self.name = name
        self.facts = json.loads((FOLDER / f"{name}.json").read_text())
        self.arrays = dict(np.load(FOLDER / f"{name}.npz"))
        # Of a model that has other outputs: none.
        self.logits = self.arrays.get("out:logits")

    @functools.cached_property
    def checkpoint(self) -> dict[str, np.ndarray]:
        """The state dict, in the names and layouts of the file."""
        kept = [tensor for tensor in self.facts["tensors"] if tensor[2] != ["omitted"]]
        return {name: self._drawn(name, *rest) for name, *rest in kept}

    def write(self, path, legacy: bool = False) -> pathlib.Path:
        """Writes the checkpoint in the container of the world's own files."""
        path = pathlib.Path(path)
        container = self.facts["checkpoint"]
        if container["container"] == "safetensors":
            from safetensors.numpy import save_file

            save_file(self.checkpoint, path, metadata={"format": "pt"})
            return path
        beside = {name: {"of no": "interest"} for name in container["beside"]}
        write_torch(path, {**beside, container["under"]: self.checkpoint}, legacy)
        return path

    def write_caffe2(self, path) -> pathlib.Path:
        """Writes the checkpoint as Caffe2 does, with what its solver keeps beside the weights."""
        lines = (FOLDER / f"{self.name}_caffe2_names.txt").read_text().splitlines()
        blobs = {}
        for theirs, name in (line.split("\t") for line in lines):
            if name in self.checkpoint:
                blobs[theirs] = self.checkpoint[name]
        blobs |= {f"{blob}_momentum": np.ones_like(array) for blob, array in blobs.items()}
        blobs |= {"model_iter": np.array(7), "lr": np.array(0.1, "float32")}
        path = pathlib.Path(path)
        # As Python 2 wrote it: bytes where text is.
        path.write_bytes(pickle.dumps({"blobs": blobs}, protocol=2))
        return path

    def clips(self) -> np.ndarray:
        """The whole input clip `(batch, time, height, width, 3)`, as our models take it."""
        # Where there are several inputs, they are frames of one clip.
        shape = next(iter(self.facts["inputs"].values()))["waves"]
        return np.ascontiguousarray(synth.waves(tuple(shape)).transpose(0, 2, 3, 4, 1))

    @property
    def tolerance(self) -> float:
        """How far logits may be from the original's."""
        return 1e-4 * float(self.logits.std())

    def activations(self) -> list[str]:
        """The names of the activations that are kept."""
        prefix = "out:act/"
        return [name.removeprefix(prefix) for name in self.arrays if name.startswith(prefix)]

    def activation(self, name: str) -> np.ndarray:
        """The sample that is kept of an activation."""
        return self.arrays[f"out:act/{name}"]

    def sample(self, name: str, activation: np.ndarray) -> np.ndarray:
        """The same sample of an activation in torch's layout."""
        facts = self.facts["outputs"][f"act/{name}"]
        assert list(activation.shape) == facts["shape"], name
        step = facts["stride"]
        if step > 1:
            activation = activation[..., ::step, ::step]
        flat = np.ascontiguousarray(activation).reshape(-1)
        return flat[:: facts["flat_stride_of_stored"]]

    def _drawn(self, name: str, shape: list[int], spec: list) -> np.ndarray:
        if spec == ["stored"]:
            return self.arrays[f"weight:{name}"].reshape(shape)
        kind, *numbers = spec
        if isinstance(numbers[-1], dict):
            name = numbers.pop()["drawn as"]
        digest = hashlib.sha256(f"{self.facts['seed']}:{name}".encode()).digest()
        generator = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        if kind == "normal":
            values = generator.normal(0.0, 1.0, shape) * numbers[0]
        else:
            low, high = numbers
            values = low + generator.uniform(0.0, 1.0, shape) * (high - low)
        return values.astype("float32")


def write_torch(path: pathlib.Path, content: dict, legacy: bool = False) -> None:
    """Writes `{key: {name: array} or anything}` as torch does, arrays as tensors."""
    import torch

    def tensors(value):
        if isinstance(value, np.ndarray):
            return torch.from_numpy(np.array(value))
        return {k: tensors(v) for k, v in value.items()} if isinstance(value, dict) else value

    torch.save(tensors(content), path, _use_new_zipfile_serialization=not legacy)
