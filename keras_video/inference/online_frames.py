"""`classify_frames`: a step model over a stream, frame by frame."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from keras_video.data.video_pipeline import VideoPipeline
from keras_video.inference.frame_prediction import FramePrediction
from keras_video.inference.runtime import Runtime
from keras_video.inference.stream_windows import checked_frames
from keras_video.inference.window_views import check_pipeline
from keras_video.models.classify_videos import average_views, best_classes, check_positive
from keras_video.models.resnet.initial_states import initial_states


def classify_frames(
    runtime: Runtime,
    states: Mapping[str, str],
    pipeline: VideoPipeline,
    frames: Iterable[np.ndarray],
    *,
    every: int = 1,
    average: int | None = None,
    labels: list[str] | None = None,
    top_k: int = 5,
) -> Iterator[FramePrediction]:
    """Names what happens in a stream at every frame; the network sees each frame once.

    Args:
        runtime: runs a step model.
        states: which of its outputs is what input of the next frame, `{input: output}`.
        pipeline: resizes and crops, to the center.
        frames: RGB, uint8 `(height, width, 3)` each, all of one size.
        every: the network sees the first of so many frames.
        average: of how many frames that it saw the logits are averaged, as many as a clip of the
            pipeline has by default; at the start of those that there are.
        labels: names of the classes.
        top_k: how many of them to return.

    Yields:
        A `FramePrediction` for each frame that the network saw.

    Raises:
        ValueError: a frame is none, or of another size than the first; an argument out of range.
    """
    check_pipeline(pipeline)
    average = pipeline.num_frames if average is None else average
    check_positive(every=every, average=average, top_k=top_k)
    (frame_input,) = set(runtime.inputs) - set(states)
    current = initial_states(runtime.inputs, states)

    def results() -> Iterator[FramePrediction]:
        kept, recent = current, deque(maxlen=average)
        for number, frame in enumerate(checked_frames(frames)):
            if number % every:
                continue
            outputs = runtime.run({frame_input: pipeline.prepare_frame(frame)[None], **kept})
            kept = {name: outputs[output] for name, output in states.items()}
            recent.append(outputs["logits"])
            scores = average_views(np.concatenate(recent))
            yield FramePrediction(number, best_classes(scores, labels, top_k), scores)

    return results()
