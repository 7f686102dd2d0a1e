"""TimeSformer in folders of Hugging Face's transformers: their configs, read and written."""

import json
from pathlib import Path

from keras_video.presets.errors import PresetError
from keras_video.presets.preset_files import CONFIG, TRANSFORMERS_PREPROCESSOR

# Config of transformers -> argument of ours, and its default there.
ARGUMENTS = {
    "num_frames": ("num_frames", 8),
    "image_size": ("image_size", 224),
    "attention_type": ("attention", "divided_space_time"),
    "patch_size": ("patch_size", 16),
    "hidden_size": ("hidden_dim", 768),
    "num_hidden_layers": ("num_layers", 12),
    "num_attention_heads": ("num_heads", 12),
    "drop_path_rate": ("drop_path", 0.0),
}
# What our model has no argument for.
FIXED = {"num_channels": 3, "hidden_act": "gelu", "layer_norm_eps": 1e-6, "qkv_bias": True}
# As published: frames of 8.5 s and, with 96 frames, of 12.8 s.
INTERVALS = {8: 32, 16: 16, 96: 4}
KINETICS = [0.45] * 3, [0.225] * 3
BILINEAR = 2


def read_manifest(config: dict, preprocessor: dict | None) -> dict:
    """The fields of a manifest.

    Frames are sampled and cropped as the authors of TimeSformer test, which no file says: a clip
    from the start of the video, and three crops.

    Args:
        config: `config.json`.
        preprocessor: `preprocessor_config.json`, or `None`.

    Raises:
        PresetError: if the model is one that `TimeSformer` can't be.
    """
    for name, value in FIXED.items():
        if config.get(name, value) != value:
            raise PresetError(
                f"TimeSformer has {name}={value!r} only; the config says {config[name]!r}."
            )
    arguments = {ours: config.get(name, default) for name, (ours, default) in ARGUMENTS.items()}
    arguments["mlp_ratio"] = config.get("intermediate_size", 3072) / arguments["hidden_dim"]
    names = config.get("id2label") or {}
    labels = [str(names[key]) for key in sorted(names, key=int)]
    arguments["num_classes"] = len(labels) or config.get("num_labels", 2)
    preprocessor = preprocessor or {}
    arguments["normalize"] = _normalize(preprocessor)
    has_names = any(label != f"LABEL_{index}" for index, label in enumerate(labels))
    return {
        "model": "keras_video.models:TimeSformer",
        "description": "TimeSformer, from a folder of transformers.",
        "config": arguments,
        "preprocessor": _preprocessing(arguments, preprocessor),
        "labels": tuple(labels) if has_names else None,
    }


def _normalize(preprocessor: dict):
    if not preprocessor.get("do_normalize", True):
        return [0.0] * 3, [1.0] * 3
    pair = [list(preprocessor.get(f"image_{name}") or []) for name in ("mean", "std")]
    if not all(pair) or tuple(pair) == KINETICS:
        return "kinetics"
    return tuple(pair)


def _preprocessing(arguments: dict, preprocessor: dict) -> dict:
    if preprocessor.get("resample", BILINEAR) != BILINEAR:
        raise PresetError(
            f"Frames are resized bilinearly (resample={BILINEAR}); preprocessor_config.json says "
            f"{preprocessor['resample']!r}."
        )
    frames, side = arguments["num_frames"], arguments["image_size"]
    interval = INTERVALS.get(frames, max(256 // frames, 1))
    return {
        "num_frames": frames,
        "sampling": f"timesformer:{interval}",
        "short_side": max(_side(preprocessor.get("size"), side), side),
        "crop_size": side,
        "crop": "uniform",
    }


def _side(size, default: int) -> int:
    """The shorter side that a config asks for, in one of the ways in which they say it."""
    if isinstance(size, dict):
        size = size.get("shortest_edge") or size.get("height")
    return size if isinstance(size, int) else default


def write_folder(model, folder: Path) -> None:
    """Writes the configs of a `TimeSformer`, for transformers to read beside its weights."""
    from keras_video.models.rgb_normalization import KNOWN

    labels = model.labels or [f"LABEL_{index}" for index in range(model.num_classes)]
    config = {
        "architectures": ["TimesformerForVideoClassification"],
        "model_type": "timesformer",
        **{name: getattr(model, ours) for name, (ours, _) in ARGUMENTS.items()},
        "intermediate_size": int(model.hidden_dim * model.mlp_ratio),
        **FIXED,
        "id2label": {str(index): label for index, label in enumerate(labels)},
        "label2id": {label: index for index, label in enumerate(labels)},
        "dtype": "float32",
    }
    _write(folder / CONFIG, config)
    if model.normalize is None:
        return  # Who prepares its frames, and how, is not known.
    mean, std = KNOWN[model.normalize] if isinstance(model.normalize, str) else model.normalize
    side = getattr(model.preprocessor, "short_side", None) or model.image_size
    preprocessor = {
        "image_processor_type": "VideoMAEImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": side},
        "resample": BILINEAR,
        "do_center_crop": True,
        "crop_size": {"height": model.image_size, "width": model.image_size},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(mean),
        "image_std": list(std),
    }
    _write(folder / TRANSFORMERS_PREPROCESSOR, preprocessor)


def _write(path: Path, content: dict) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
