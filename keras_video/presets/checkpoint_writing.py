"""`write_checkpoint`: a model in the files of another project."""

import os
from pathlib import Path

import numpy as np

from keras_video.presets import preset_files as files
from keras_video.presets.conversion import choose_format, original_tensors
from keras_video.presets.errors import PresetError, one_line

TORCH_SUFFIXES = (".pth", ".pyth", ".pt", ".ckpt")


def write_checkpoint(model, path: str | os.PathLike, format: str) -> None:
    """Writes a model's weights in the names, layouts and files of another project.

    Reading the file again gives the same model, bit for bit. What the other project keeps beside
    weights, such as counters of batches, isn't written; torch's `load_state_dict` does without.

    Args:
        model: a model whose class has the format in its `checkpoint_maps`.
        path: what to write. With `"huggingface"`, a directory that transformers'
            `from_pretrained` loads. With other formats a `.safetensors` file; or a `.pth` or
            `.pyth` file with the weights where that project looks for them, which needs torch
            (`pip install "keras-video[convert]"`).
        format: a key of `checkpoint_maps`, such as `"huggingface"` or `"pytorchvideo"`.

    Raises:
        PresetError: the class has no such format, the model is one that the format can't hold, or
            the file can't be written.

    Example:

    >>> model = keras_video.models.TimeSformer.from_preset("timesformer_k400")
    >>> keras_video.presets.write_checkpoint(model, "timesformer", "huggingface")
    >>> model = keras_video.models.SlowFast.from_preset("slowfast_8x8_k400")
    >>> keras_video.presets.write_checkpoint(model, "slowfast.safetensors", "pytorchvideo")
    """
    path = Path(os.path.expanduser(path))
    tensors = original_tensors(model, format)
    tensors = {name: _plain(array) for name, array in tensors.items()}
    _, chosen = choose_format(model, format, tensors)
    try:
        if chosen.write_folder is not None:
            with files.written_whole(path) as folder:
                chosen.write_folder(model, folder)
                _save_safetensors(tensors, folder / files.WEIGHTS)
        elif path.suffix == ".safetensors":
            path.parent.mkdir(parents=True, exist_ok=True)
            _save_safetensors(tensors, path)
        elif path.suffix in TORCH_SUFFIXES:
            path.parent.mkdir(parents=True, exist_ok=True)
            _save_torch({chosen.state_key: tensors}, path)
        else:
            raise PresetError(
                f"A checkpoint of {format} is written as .safetensors or, with torch, as "
                f"{', '.join(TORCH_SUFFIXES)}. Received: {str(path)!r}"
            )
    except OSError as error:
        raise PresetError(
            f"The checkpoint can't be written: {one_line(error)}. Received: {str(path)!r}"
        ) from error


def _plain(array: np.ndarray) -> np.ndarray:
    """float32 instead of types that not every reader has."""
    return np.ascontiguousarray(array, "float32") if array.dtype.name == "bfloat16" else array


def _save_safetensors(tensors: dict[str, np.ndarray], path: Path) -> None:
    from safetensors.numpy import save_file

    # Without this entry, transformers don't know that the layouts are torch's.
    save_file(tensors, path, metadata={"format": "pt"})


def _save_torch(content: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    try:
        import torch
    except ImportError as error:
        raise PresetError(
            f'A {path.suffix} file needs torch (pip install "keras-video[convert]"); a '
            f".safetensors file needs nothing. Received: {str(path)!r}"
        ) from error
    state = {
        key: {name: torch.from_numpy(array) for name, array in tensors.items()}
        for key, tensors in content.items()
    }
    torch.save(state, path)
