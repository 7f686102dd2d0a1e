"""`FeatureExtractor`: from a video of any length to the features of a network."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from keras_video.data.decoders import check_decoder, open_video
from keras_video.data.samplers import get_sampler
from keras_video.data.video_pipeline import VideoPipeline
from keras_video.data.video_reader import VideoReader
from keras_video.features.clip_network import ClipNetwork
from keras_video.features.decoding_pool import DecodingPool, Failed, Planned, VideoJob
from keras_video.features.step_plan import ClipShape, StepPlan, plan_steps
from keras_video.features.step_rule import StepRule
from keras_video.features.video_features import VideoFeatures
from keras_video.features.video_outputs import (
    Extracted,
    SegmentExtracted,
    VideoOutputs,
    place_outputs,
)

# Long enough that no window of a sampler meets an end.
_LONG = 1_000_000
# What decides which pixels the network sees.
_PIXELS = ("short_side", "crop_size", "aspect_ratio", "interpolation", "rounding")


class FeatureExtractor:
    """Runs a preset's network over whole videos, without its classifier.

    Networks that see frames (TSN, PP-TSN, TSM, PP-TSM) give one step for each frame taken. TSM and
    PP-TSM see such frames in groups of their `num_frames`, one after the other. Networks that see
    clips (SlowFast, SlowOnly, TimeSformer) give one step for each clip of `num_frames` frames, as
    far apart as the preset's sampling has them.

    Frames are resized and cropped as the preset tests, center crop only. They are decoded in
    threads while the network runs, and dropped at once: memory does not grow with the length of a
    video. On TensorFlow the network is compiled with constant weights; changes that its model
    undergoes later do not reach it.

    Args:
        model: a `VideoClassifier` with a preprocessor; or the name or directory of a preset.
        frames: steps of every video, evenly spread. Frames are the middle ones of segments of
            whole frames, as VideoTag's 300 are; a video of fewer frames starts again from its
            first.
        fps: steps a second. Frames are those on screen at 0, 1 / fps, 2 / fps, ... seconds by the
            video's time stamps, whatever its frame rate.
        stride: frames from one step to the next. One of these three; by default `fps=5` for
            networks that see frames and `fps=1` for those that see clips. Clips begin there, until
            one reaches the video's end.
        frame_interval: distance between the frames of a clip, where the preset's sampling has
            none, because its clips span the whole video.
        layers: names of further layers of 2-D networks whose means over the frame are put after the
            features, such as `("stem_pool",)` for colours: see `VideoClassifier.feature_model`.
        batch_size: clips that the network takes at a time; by default 32 frames, on a CPU 16.
        precision: another dtype policy than the model's, such as `"mixed_bfloat16"`. Features are
            float32 in any case.
        decoder: decodes with another reader than the preset's, see `keras_video.data.open_video`.
        workers: threads that decode, by default the number of cores, at most 4.

    Attributes:
        channels: size of each step's vector.

    Raises:
        ValueError: an argument out of range, a model without preprocessor, or clips whose frames
            have no distance of their own.

    Example:

    >>> extract = keras_video.features.FeatureExtractor("tsn_k400", frames=300)
    >>> found = extract("match.mp4")
    >>> found.features.shape, found.times[:2]
    ((300, 2048), array([ 8.96, 26.96]))
    """

    def __init__(
        self,
        model,
        *,
        frames: int | None = None,
        fps: float | None = None,
        stride: int | None = None,
        frame_interval: int | None = None,
        layers: Sequence[str] = (),
        batch_size: int | None = None,
        precision: str | None = None,
        decoder: str | None = None,
        workers: int | None = None,
    ):
        numbers = {"frame_interval": frame_interval, "batch_size": batch_size, "workers": workers}
        for name, value in numbers.items():
            if value is not None and (
                not isinstance(value, int) or isinstance(value, bool) or value < 1
            ):
                raise ValueError(
                    f"`{name}` must be a whole number from 1. Received: {name}={value!r}"
                )
        if frames is not None or fps is not None or stride is not None:
            StepRule.of(frames, fps, stride)  # Before a model is loaded.
        if decoder is not None:
            check_decoder(decoder)
        model = _load(model, precision)
        self._pipeline = _pipeline_of(model, decoder)
        self.decoder = self._pipeline.decoder
        shape = _shape_of(model, self._pipeline, frame_interval)
        self.workers = workers or min(4, os.cpu_count() or 1)
        self.rule = StepRule.of(
            frames, fps, stride, default=StepRule("fps", 5 if shape.per_frame else 1)
        )
        self.layers = (layers,) if isinstance(layers, str) else tuple(layers)
        self._network = ClipNetwork(model, shape, self._pipeline.crop_size, batch_size, self.layers)
        self.channels = self._network.channels
        self._model_name = type(model).__name__
        self._precision = model.dtype_policy.name

    def __call__(self, source, frame_rate: float = 25.0) -> VideoFeatures:
        """Extracts the features of one video.

        Args:
            source: a path, a URL, `bytes`, a binary file, or a folder of pictures, as
                `open_video` takes them; or decoded frames `(time, height, width, 3)`.
            frame_rate: of decoded frames, which have no times of their own.

        Returns:
            A `VideoFeatures`.

        Raises:
            keras_video.data.VideoDecodeError: the video cannot be read.
            ValueError: the array is not a video.
        """
        if not isinstance(source, str | bytes | bytearray | memoryview) and hasattr(
            source, "__array__"
        ):
            if not (isinstance(frame_rate, int | float) and 0 < frame_rate < float("inf")):
                raise ValueError(
                    "`frame_rate` is a number of frames a second above 0. "
                    f"Received: frame_rate={frame_rate!r}"
                )
            from keras_video.features.decoded_frames_reader import DecodedFramesReader

            open_source = partial(DecodedFramesReader, source, frame_rate)
        else:
            open_source = partial(open_video, source, self.decoder)
        # A file object has one position: its segments are decoded one after the other.
        workers = 1 if hasattr(source, "read") else self.workers
        with contextlib.closing(self.run([VideoJob("video", open_source)], workers)) as events:
            for event in events:
                if isinstance(event, Failed):
                    raise event.error
                if isinstance(event, Extracted):
                    result = event.outputs.assemble()
        return result

    def settings(self) -> dict:
        """What the features depend on, besides the video: plain values for JSON."""
        shape, pipeline = self._network.shape, self._pipeline.get_config()
        return {
            "model": self._model_name,
            "weights": self._network.weights_checksum(),
            "precision": self._precision,
            "layers": list(self.layers),
            "channels": self.channels,
            "steps": {self.rule.kind: self.rule.value},
            "steps_of": "frames" if shape.per_frame else "clips",
            "frames_alone": shape.unit < shape.num_frames,
            "num_frames": shape.num_frames,
            "frame_interval": None if shape.per_frame else shape.frame_interval,
            "preprocessor": {name: pipeline[name] for name in _PIXELS},
        }

    def run(
        self, jobs: Iterable[VideoJob], workers: int | None = None
    ) -> Iterator[SegmentExtracted | Extracted | Failed]:
        """Extracts the features of many videos; batches are filled from all of them.

        Args:
            jobs: the videos, taken as threads get free.
            workers: threads, by default the extractor's.

        Yields:
            What happens, as it does: a `SegmentExtracted` for each part of a video, then an
            `Extracted` for the video; or a `Failed`. Videos may overtake each other.
        """
        network, self.waited_seconds, self.decode_seconds = self._network, 0.0, 0.0
        network.seconds, network.frames = 0.0, 0
        found: dict[VideoJob, VideoOutputs] = {}
        capacity = 2 * network.units_of_batch
        pool = DecodingPool(
            jobs, self._plan, self._pipeline.visit_frames, workers or self.workers, capacity
        )
        try:
            with pool:
                for event in pool:
                    if isinstance(event, Planned):
                        outputs = VideoOutputs(event, network.shape.steps, self.channels)
                        if outputs.is_complete:
                            yield Extracted(event.job, outputs)
                        else:
                            found[event.job] = outputs
                    elif isinstance(event, Failed):
                        found.pop(event.job, None)
                        yield event
                    else:
                        key = (event.job, event.segment, event.number)
                        yield from place_outputs(network.add(key, event.frames), found)
                yield from place_outputs(network.finish(), found)
        finally:
            network.clear()
            self.waited_seconds, self.decode_seconds = pool.waited, pool.seconds

    @property
    def network_seconds(self) -> float:
        """Seconds that the network took in the last run."""
        return self._network.seconds

    @property
    def network_frames(self) -> int:
        """Frames that the network saw in the last run."""
        return self._network.frames

    def _plan(self, video: VideoReader) -> StepPlan:
        return plan_steps(
            video.timestamps, video.duration, video.fps, self.rule, self._network.shape
        )


def _load(model, precision: str | None):
    import keras

    from keras_video.presets import load_preset

    if precision is not None:
        try:
            keras.DTypePolicy(precision)
        except (ValueError, TypeError) as error:
            raise ValueError(
                '`precision` is a dtype policy such as "float32" or "mixed_bfloat16". '
                f"Received: precision={precision!r}"
            ) from error
    if isinstance(model, str | os.PathLike):
        overrides = {} if precision is None else {"dtype": precision}
        model = load_preset(model, **overrides)
        precision = None  # It has it already.
    if not hasattr(model, "feature_model"):
        raise ValueError(
            "`model` is a VideoClassifier, or the name or directory of its preset. "
            f"Received: {type(model).__name__}"
        )
    if precision in (None, model.dtype_policy.name):
        return model
    copy = type(model).from_config({**model.get_config(), "dtype": precision})
    copy.set_weights(model.get_weights())
    copy.preprocessor = model.preprocessor
    return copy


def _pipeline_of(model, decoder: str | None) -> VideoPipeline:
    if not isinstance(model.preprocessor, VideoPipeline):
        raise ValueError(
            f"{type(model).__name__} {model.name!r} has no `VideoPreprocessor`, so it does not "
            "know sizes and crops. Load a preset, or set `model.preprocessor = "
            f"keras_video.data.VideoPreprocessor(...)`. Received: {model.preprocessor!r:.80}"
        )
    config = {**model.preprocessor.get_config(), "num_clips": 1, "crop": "center"}
    if decoder is not None:
        config["decoder"] = decoder
    return VideoPipeline(**config)


def _shape_of(model, pipeline: VideoPipeline, frame_interval: int | None) -> ClipShape:
    _, num_frames, height, width, _ = model.input_shape
    num_frames = num_frames or pipeline.num_frames
    for side in (height, width):
        if side not in (None, pipeline.crop_size):
            raise ValueError(
                "The preprocessor doesn't suit this model. Received: "
                f"crop_size={pipeline.crop_size} for frames of {height}x{width}"
            )
    steps = model.feature_model().output_shape[1]
    per_frame = steps is None or (
        steps == num_frames and (num_frames > 1 or frame_interval is None)
    )
    if per_frame:
        if frame_interval is not None:
            raise ValueError(
                f"{type(model).__name__} sees frames, one for each step: `frame_interval` is for "
                f"networks that see clips. Received: frame_interval={frame_interval}"
            )
        return ClipShape(num_frames, True, model.frames_are_independent)
    interval = frame_interval or _interval_of(pipeline, num_frames)
    return ClipShape(num_frames, False, frame_interval=interval)


def _interval_of(pipeline: VideoPipeline, num_frames: int) -> int:
    """The distance of a clip's frames in the preset's sampling, at its own frame rate."""
    sampler = get_sampler(pipeline.sampling)
    short, long = (sampler(length, num_frames, 1)[0] for length in (_LONG, 2 * _LONG))
    if num_frames == 1:
        return 1
    if not np.array_equal(np.diff(short), np.diff(long)):
        raise ValueError(
            f"The preset's clips span the whole video (sampling {pipeline.sampling!r}): say how "
            "many frames apart those of a clip are, with `frame_interval`. "
            "Received: frame_interval=None"
        )
    return max(round((long[-1] - long[0]) / (num_frames - 1)), 1)
