"""Runs MMAction2 and writes the golden files of its SlowFast, SlowOnly and TimeSformer.

    git clone https://github.com/open-mmlab/mmaction2 && git -C mmaction2 checkout v1.2.0
    pip install torch==2.13.0 mmengine==0.10.7 mmcv-lite==2.1.0 einops
    python tests/golden/torch/run_mmaction2.py mmaction2

Its models import torchvision, and transformers of a version that is past, for networks that are
not run here; both are replaced by empty modules.
"""

import hashlib
import importlib.machinery
import json
import math
import pathlib
import sys
import types

import numpy as np

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

import synth  # noqa: E402

SEED = 0
SAMPLES = 2048
CONFIGS = "configs/recognition/"
TIMESFORMER = f"{CONFIGS}timesformer/timesformer_{{}}_8xb8-8x32x1-15e_kinetics400-rgb.py"
SLOW_FAST_STAGES = [
    f"backbone.{way}_path.layer{n}" for n in (1, 2, 3, 4) for way in ("slow", "fast")
]
# Golden file -> config, arguments of the backbone that are others there, frames, height, width, and
# the modules whose activations are kept. Small, so that the files and the tests that read them are.
RUNS = {
    "mm_slowfast_8x8": (
        f"{CONFIGS}slowfast/slowfast_r50_8xb8-8x8x1-256e_kinetics400-rgb.py",
        {},
        (32, 96, 128),
        [
            "backbone.slow_path.maxpool",
            "backbone.fast_path.maxpool",
            *(f"backbone.slow_path.{n}_lateral" for n in ("conv1", "layer1", "layer2", "layer3")),
            *SLOW_FAST_STAGES,
        ],
    ),
    "mm_slow_only_8x8": (
        f"{CONFIGS}slowonly/slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb.py",
        {},
        (8, 96, 128),
        ["backbone.maxpool", *(f"backbone.layer{n}" for n in (1, 2, 3, 4))],
    ),
    "mm_timesformer": (
        TIMESFORMER.format("divST"),
        {"num_transformer_layers": 4, "img_size": 96},
        (8, 96, 96),
        [f"backbone.transformer_layers.layers.{n}" for n in (0, 1, 3)],
    ),
    "mm_timesformer_joint": (
        TIMESFORMER.format("jointST"),
        {"num_transformer_layers": 2, "img_size": 64},
        (8, 64, 64),
        [f"backbone.transformer_layers.layers.{n}" for n in (0, 1)],
    ),
    "mm_timesformer_space_only": (
        TIMESFORMER.format("spaceOnly"),
        {"num_transformer_layers": 2, "img_size": 64},
        (8, 64, 64),
        [],
    ),
}


def main(repository: str) -> None:
    sys.path.insert(0, repository)
    for name in (
        *("torchvision", "torchvision.transforms", "torchvision.ops"),
        "mmaction.models.multimodal",
    ):
        sys.modules[name] = empty_module(name)
    import mmaction.models  # noqa: F401
    from mmengine.registry import init_default_scope

    init_default_scope("mmaction")
    for name, run in RUNS.items():
        facts, arrays = golden(name, pathlib.Path(repository), *run)
        text = (
            json.dumps(facts, separators=(",", ":")).replace(",[[", ",\n[[").replace("]],", "]],\n")
        )
        (FOLDER / f"{name}.json").write_text(text + "\n")
        np.savez_compressed(FOLDER / f"{name}.npz", **arrays)
        print(name, facts["parameters"], arrays["out:logits"].std(), facts["float32_noise"])


def golden(name, repository, config, changes, size, kept) -> tuple[dict, dict]:
    """The facts and arrays of one golden file."""
    import torch
    from mmaction.registry import MODELS
    from mmengine.config import Config

    settings = Config.fromfile(repository / config).model
    settings.backbone.update(pretrained=None, **changes)
    preprocessor = {key: list(settings.data_preprocessor[key]) for key in ("mean", "std")}
    model = MODELS.build(settings).eval()
    specs = {key: spec_of(key, list(tensor.shape)) for key, tensor in model.state_dict().items()}
    model.load_state_dict(
        {
            key: torch.from_numpy(drawn(key, tensor.shape, specs[key]))
            if specs[key] != ["stored"]
            else tensor
            for key, tensor in model.state_dict().items()
        }
    )
    shape = [1, 3, *size]
    clip = torch.from_numpy(synth.waves(tuple(shape)))
    calibrate(model, clip)

    activations = {}
    for module in kept:
        model.get_submodule(module).register_forward_hook(
            lambda _, __, output, module=module: activations.update({module: output})
        )
    with torch.inference_mode():
        logits = model(clip[None], mode="tensor", stage="head").numpy()
        outputs, arrays = {"logits": {"shape": list(logits.shape)}}, {"out:logits": logits}
        for module in kept:
            facts, sample = sampled(activations[module].numpy())
            outputs[f"act/{module}"], arrays[f"out:act/{module}"] = facts, sample
        arrays |= {
            f"weight:{key}": tensor.numpy().copy()
            for key, tensor in model.state_dict().items()
            if specs[key] == ["stored"]
        }
        exact = model.double()(clip[None].double(), mode="tensor", stage="head").numpy()
    outputs["logits_fp64"], arrays["out:logits_fp64"] = {"shape": list(exact.shape)}, exact
    changed = ", ".join(f"{key}={value}" for key, value in changes.items())
    facts = {
        "name": name,
        "seed": SEED,
        "rng": "sha256",
        "source": f"open-mmlab/mmaction2@4d6c9347 (1.2.0) {config}",
        "notes": f"written by run_mmaction2.py; {changed or 'as the config says'}",
        "checkpoint": {"container": "torch", "under": "state_dict", "beside": ["meta"]},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "float32_noise": {"logits": float(np.abs(logits - exact).max())},
        "data_preprocessor": preprocessor,
        "inputs": {
            "video": {"shape": shape, "waves": shape, "frames": "all frames", "transpose": None}
        },
        "outputs": outputs,
        "tensors": [
            [key, list(model.state_dict()[key].shape), spec] for key, spec in specs.items()
        ],
    }
    return facts, arrays


def spec_of(name: str, shape: list[int]) -> list:
    """How a tensor is drawn: such that activations keep their size and nothing cancels."""
    last = name.rsplit(".", 1)[1]
    if "running_" in last or "num_batches" in last:
        return ["stored"]
    if last.endswith(("_token", "_embed")):
        return ["normal", 0.2]
    norm = ".bn." in name or ".norm." in name or ".norms." in name
    if last.endswith("bias"):
        return ["normal", 0.15 if norm else 0.05]
    if norm:
        return ["uniform", 0.6, 1.4]
    inputs = math.prod(shape[1:])
    gain = 2 / inputs**0.5 if "fc_cls" in name else (2 / inputs) ** 0.5
    if "transformer_layers" in name:
        gain = inputs**-0.5
    return ["normal", round(gain, 9)]


def drawn(name: str, shape, spec: list) -> np.ndarray:
    """A tensor, as `tests/golden_torch.py` draws it."""
    digest = hashlib.sha256(f"{SEED}:{name}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    kind, *numbers = spec
    if kind == "normal":
        values = generator.normal(0.0, 1.0, shape) * numbers[0]
    else:
        low, high = numbers
        values = low + generator.uniform(0.0, 1.0, shape) * (high - low)
    return values.astype("float32")


def calibrate(model, clip) -> None:
    """Gives batch normalisations the statistics of the clip, jittered so that each tells."""
    import torch

    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad():
        model(clip[None], mode="tensor", stage="head")
    for name, norm in model.named_modules():
        if norm not in norms:
            continue
        norm.eval()
        deviation = norm.running_var.sqrt()
        jitter = drawn(f"{name}.running_mean", norm.running_mean.shape, ["uniform", -0.1, 0.1])
        norm.running_mean += torch.from_numpy(jitter) * deviation
        jitter = drawn(f"{name}.running_var", norm.running_var.shape, ["uniform", 0.8, 1.25])
        norm.running_var *= torch.from_numpy(jitter)


def sampled(activation: np.ndarray) -> tuple[dict, np.ndarray]:
    """What is kept of an activation: every `flat_stride_of_stored`-th number."""
    flat = np.ascontiguousarray(activation).reshape(-1)
    # An odd stride meets every place of an axis whose size is a power of two.
    stride = max(len(flat) // SAMPLES, 1) | 1
    facts = {
        "shape": list(activation.shape),
        "mean": float(activation.mean()),
        "std": float(activation.std()),
        "absmax": float(np.abs(activation).max()),
        "finite": bool(np.isfinite(activation).all()),
        "stride": 1,
        "stored": list(activation.shape),
        "flat_stride_of_stored": stride,
    }
    return facts, flat[::stride].copy()


def empty_module(name: str):
    """A module that has any class one asks it for."""

    class Empty(types.ModuleType):
        __path__ = ()
        __all__ = ()

        def __getattr__(self, attribute):
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            return type(attribute, (), {})

    module = Empty(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    return module


if __name__ == "__main__":
    main(*sys.argv[1:])
