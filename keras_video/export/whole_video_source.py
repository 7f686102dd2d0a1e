"""`WholeVideoSource`: a classifier of videos, its preprocessing included, to be exported."""

import functools
from collections.abc import Iterable, Mapping

import numpy as np

from keras_video.export.examples import rendered_videos
from keras_video.export.export_error import ExportError
from keras_video.export.export_source import ExportSource, in_precision
from keras_video.export.frozen_graph import FrozenGraph, call_frozen, freeze_function
from keras_video.inference.exported_model import TensorSpec
from keras_video.inference.whole_video import whole_video
from keras_video.models.classify_videos import average_views


class WholeVideoSource(ExportSource):
    """As `ExportSource`; its graph takes the frames of a video of any length and size.

    The inputs are `frames` `(time, height, width, 3)`, and `fps` where the sampling goes by the
    frame rate (0 if that is unknown); the output is `scores` `(1, num_classes)`. Inside are
    sampling, resizing, cropping, the network, and the mean over views.
    """

    def __init__(self, model, samples: Iterable | None = None):
        super().__init__(model, samples)
        if self.view_average is None or self.preprocessor is None:
            raise ExportError(
                "Only classifiers with a preprocessor are exported with it: set "
                f"`model.preprocessor`. Received: {type(self.model).__name__}, "
                f"preprocessor={self.preprocessor!r}"
            )
        from keras_video.export.graph_preprocessing import GraphPreprocessing

        self.with_preprocessing = True
        self._preprocess = GraphPreprocessing(self.preprocessor)

    @functools.cached_property
    def inputs(self) -> dict[str, TensorSpec]:
        inputs = {"frames": TensorSpec((None, None, None, 3), "uint8")}
        if self._preprocess.needs_fps:
            inputs["fps"] = TensorSpec((), "float32")
        return inputs

    @functools.cached_property
    def outputs(self) -> dict[str, TensorSpec]:
        return {"scores": TensorSpec((1, self.model.output_shape[-1]), "float32")}

    @functools.cached_property
    def examples(self) -> list[dict[str, np.ndarray]]:
        """Videos of several lengths and shapes."""
        if self._samples is not None:
            return [
                inputs for inputs, _ in zip(self.sampled(self._samples), range(2), strict=False)
            ]
        first, second, *_ = rendered_videos(50, 160)
        return list(self.sampled([first[:, :, 20:140], second[3:, 30:]]))

    def sampled(self, samples: Iterable) -> Iterable[dict[str, np.ndarray]]:
        for sample in samples:
            video = whole_video(self.preprocessor, sample)
            yield {name: getattr(video, name) for name in self.inputs}

    def compute(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        fps = float(inputs.get("fps", 0.0)) or None
        frames, pipeline = inputs["frames"], self.preprocessor

        def read(places):
            return np.stack([pipeline.prepare_frame(frames[i], crop=False) for i in places])

        views = pipeline.assemble(len(frames), read, fps)
        logits = np.concatenate([np.asarray(self.model(view[None])) for view in views])
        return {"scores": average_views(logits, self.view_average)[None]}

    @functools.lru_cache(maxsize=2)  # noqa: B019 - it lives as long as the export.
    def frozen(
        self, precision: str = "float32", for_cpu: bool = False, whole_lstms: bool = False
    ) -> FrozenGraph:
        import tensorflow as tf

        model = in_precision(self.model, precision)

        def call(frames, fps=None):
            logits = call_frozen(model, self._preprocess(frames, fps))
            if self.view_average == "logits":
                logits = tf.reduce_mean(logits, axis=0, keepdims=True)
            return {"scores": tf.reduce_mean(tf.nn.softmax(logits), axis=0, keepdims=True)}

        return freeze_function(call, self.inputs, self.outputs, for_cpu, whole_lstms)
