"""`ExportSource`: a model, its graphs, and what it computes of examples."""

import functools
import json
import os
from collections.abc import Iterable, Mapping

import keras
import numpy as np

from keras_video._compat import layers_in_order
from keras_video.export.examples import batches_of, example_inputs, is_clips
from keras_video.export.export_error import ExportError
from keras_video.export.frozen_graph import FrozenGraph, freeze
from keras_video.inference.exported_model import ExportedModel, TensorSpec
from keras_video.inference.keras_runtime import _spec, named_inputs, named_outputs
from keras_video.inference.runtimes import load
from keras_video.layers import BidirectionalLSTM
from keras_video.presets import preset_files as files
from keras_video.presets.trusted_config import object_config

_POLICIES = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


class ExportSource:
    """A model to be written in one or more formats.

    Graphs are traced once for all formats, and the examples computed once.

    Args:
        model: a functional Keras model, or the name or directory of a preset.
        samples: what exported models are compared on: videos, or dictionaries of arrays; `None`
            for rendered clips and random features.

    Attributes:
        model: in float32, whatever the original was.
        preset: as it was named, or `None`.
        inputs: of the graphs, by name.
        outputs: of the graphs, by name.
        examples: two batches of inputs, of one and of three.

    Raises:
        ExportError: there is no such export.
    """

    def __init__(self, model, samples: Iterable | None = None):
        if keras.backend.backend() != "tensorflow":
            raise RuntimeError(
                "Models are exported with the TensorFlow backend (KERAS_BACKEND=tensorflow). "
                f"Received: backend={keras.backend.backend()!r}"
            )
        self.preset = os.fspath(model) if isinstance(model, str | os.PathLike) else None
        self.original = load(model)
        if not isinstance(self.original, keras.Model) or not hasattr(self.original, "input"):
            raise ExportError(
                f"Functional Keras models are exported. Received: {type(self.original).__name__}"
            )
        self.model = in_precision(self.original, "float32")
        self.preprocessor = getattr(self.original, "preprocessor", None)
        self.labels = getattr(self.original, "labels", None)
        self.view_average = getattr(self.original, "view_average", None)
        self.with_preprocessing = False
        self._samples = samples

    @functools.cached_property
    def inputs(self) -> dict[str, TensorSpec]:
        size = getattr(self.preprocessor, "crop_size", None)
        specs = {name: _spec(tensor) for name, tensor in named_inputs(self.model).items()}
        return {name: _of_size(spec, size) for name, spec in specs.items()}

    @property
    def has_lstms(self) -> bool:
        """Whether there are LSTMs that may be operations of the graph."""
        return any(
            isinstance(layer, BidirectionalLSTM) and not layer.peepholes
            for layer in layers_in_order(self.model)
        )

    @functools.cached_property
    def outputs(self) -> dict[str, TensorSpec]:
        return {name: _spec(tensor) for name, tensor in named_outputs(self.model).items()}

    @functools.cached_property
    def examples(self) -> list[dict[str, np.ndarray]]:
        if self._samples is not None:
            return batches_of(self.sampled(self._samples))
        codes = getattr(self.model, "feature_range", None) is not None
        return example_inputs(self.inputs, self.preprocessor, codes)

    def sampled(self, samples: Iterable) -> Iterable[dict[str, np.ndarray]]:
        """The network's inputs of each sample: the views of a video, or arrays as they are."""
        for sample in samples:
            if isinstance(sample, Mapping):
                yield {name: np.asarray(sample[name]) for name in self.inputs}
                continue
            if self.preprocessor is None:
                raise ExportError(
                    "A model without preprocessor takes no videos: give dictionaries of arrays "
                    f"{sorted(self.inputs)}. Received: sample={sample!r:.80}"
                )
            (name,) = self.inputs
            yield {name: self.preprocessor(sample)}

    @functools.cached_property
    def expected(self) -> list[dict[str, np.ndarray]]:
        """The outputs of the examples, as Keras computes them in float32."""
        return [self.compute(inputs) for inputs in self.examples]

    def compute(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a batch, as Keras computes them in float32."""
        taken = dict(inputs) if isinstance(self.model.input, dict) else next(iter(inputs.values()))
        outputs = self.model(taken, training=False)
        outputs = outputs if isinstance(outputs, dict) else dict.fromkeys(self.outputs, outputs)
        return {name: keras.ops.convert_to_numpy(outputs[name]) for name in self.outputs}

    @functools.lru_cache(maxsize=4)  # noqa: B019 - it lives as long as the export.
    def frozen(
        self, precision: str = "float32", for_cpu: bool = False, whole_lstms: bool = False
    ) -> FrozenGraph:
        """The graph of the model in a precision; see `freeze`."""
        model = in_precision(self.model, precision)
        return freeze(model, self.inputs, self.outputs, for_cpu, whole_lstms)

    @property
    def compared_on(self) -> str:
        """What the examples are, for people."""
        if self._samples is not None:
            return "samples"
        videos = self.with_preprocessing or is_clips(self.inputs)
        return "rendered clips" if videos else "random features"

    def describe(self, format: str, precision: str, file: str) -> ExportedModel:
        """What `export.json` says of an export of this model."""
        return ExportedModel(
            format=format,
            precision=precision,
            file=file,
            model=type(self.model).__name__,
            inputs=self.inputs,
            outputs=self.outputs,
            view_average=self.view_average,
            with_preprocessing=self.with_preprocessing,
            states=getattr(self.original, "states", {}),
            preset=self.preset,
        )

    def companions(self) -> dict[str, str]:
        """The texts of the files beside the model, by name."""
        texts = {}
        if self.preprocessor is not None:
            config = object_config(self.preprocessor)
            texts[files.PREPROCESSOR] = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        if self.labels is not None:
            texts[files.LABELS] = "".join(f"{label}\n" for label in self.labels)
        return texts


def in_precision(model: keras.Model, precision: str) -> keras.Model:
    """A model that computes in a precision, with the same weights: itself, if it does already."""
    policy = _POLICIES.get(precision, precision)
    others = {"bfloat16", "float16", "float64"}
    if precision == "float32" and not others & {
        layer.compute_dtype for layer in layers_in_order(model)
    }:
        return model
    if hasattr(model, "dtype_argument"):
        config = {**model.get_config(), "dtype": policy}
        copy = type(model).from_config(config)
    else:
        copy = keras.models.clone_model(
            model, recursive=True, clone_function=lambda layer: _recast(layer, policy)
        )
    for ours, theirs in zip(copy.weights, model.weights, strict=True):
        ours.assign(keras.ops.cast(theirs, ours.dtype))
    return copy


def _recast(layer, policy: str):
    return type(layer).from_config({**layer.get_config(), "dtype": policy})


def _of_size(spec: TensorSpec, size: int | None) -> TensorSpec:
    """Clips of the size that the preprocessor makes, where the model takes any."""
    if size is None or spec.dtype != "uint8":
        return spec
    shape = (*spec.shape[:2], spec.shape[2] or size, spec.shape[3] or size, 3)
    return TensorSpec(shape, spec.dtype)
