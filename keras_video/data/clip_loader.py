"""`ClipLoader`: one video in, one clip out."""

import copy
import inspect
import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from keras_video.data.batch_shape import BatchShape, check_at, sampler_at, transforms_at
from keras_video.data.crops import center_crop
from keras_video.data.decoders import open_video
from keras_video.data.samplers import get_sampler
from keras_video.data.transforms.multi_scale_crop import MultiScaleCrop
from keras_video.data.transforms.random_crop import RandomCrop
from keras_video.data.transforms.random_flip import RandomFlip, mirrored_labels
from keras_video.data.video_pipeline import VideoPipeline
from keras_video.data.video_reader import VideoReader
from keras_video.data.video_record import VideoRecord


class LoadedClip(NamedTuple):
    """A clip and what it took.

    Attributes:
        clip: `(time, height, width, 3)`, or `(views, time, height, width, 3)`.
        label: class number, or `None`.
        decode_seconds: spent on opening, decoding and colour conversion.
        transform_seconds: spent on resizing, cropping and augmentation.
    """

    clip: np.ndarray
    label: int | None
    decode_seconds: float
    transform_seconds: float


class ClipLoader:
    """Opens a video, samples frames, transforms them. Keeps nothing open: safe in threads.

    Args:
        preprocessor: a `VideoPreprocessor`, or another callable from an open `VideoReader` to
            views `(views, time, height, width, 3)`, used where no `sampler` is given.
        sampler: a name of `get_sampler` or a callable, see `keras_video.data.samplers`.
        num_frames: frames of a clip.
        num_clips: clips of a video; more than one stand on an axis of their own.
        transforms: callables `(clip, rng) -> clip`, in order. One with `call_with_label(clip,
            label, rng) -> (clip, label)` is called by that.
        read_frames: called as `read_frames(video, indices)` in place of `video.get_frames`, where
            a sampler is given; may resize.
        training: hand the sampler random numbers.
        decoder: see `open_video`.
        index_cache: see `open_video`.
    """

    def __init__(
        self,
        *,
        preprocessor: Callable | None = None,
        sampler: str | Callable | None = None,
        num_frames: int | None = None,
        num_clips: int = 1,
        transforms: Sequence[Callable] = (),
        read_frames: Callable | None = None,
        training: bool = False,
        decoder: str = "pyav",
        index_cache: str | os.PathLike | None = None,
    ):
        self.preprocessor = preprocessor
        self.sampler = get_sampler(sampler) if isinstance(sampler, str) else sampler
        self.num_frames, self.num_clips = num_frames, num_clips
        self.transforms = tuple(transforms)
        self.read_frames = read_frames
        self.training = training
        self.decoder, self.index_cache = decoder, index_cache
        if self.sampler is None and preprocessor is None:
            raise ValueError(
                "A data set needs to know which frames make a clip: a `preset`, a `preprocessor`, "
                "or a `sampler` and `num_frames`. Received: sampler=None"
            )
        if self.sampler is not None and not callable(self.sampler):
            raise ValueError(f"A sampler is a name or callable. Received: sampler={sampler!r}")
        if self.sampler is not None and num_frames is None:
            raise ValueError("A sampler needs `num_frames`. Received: num_frames=None")
        for transform in self.transforms:
            if not callable(transform):
                raise ValueError(
                    "A transform is called as transform(clip, rng). "
                    f"Received: {transform!r} in transforms"
                )
        self._options = _options_of(self.sampler)
        self._loaders: dict[BatchShape, ClipLoader] = {}

    def load(self, record: VideoRecord, rng: np.random.Generator) -> LoadedClip:
        """Loads a record's clip.

        Raises:
            VideoDecodeError: the video cannot be read.
        """
        started = time.perf_counter()
        with self._open(record) as video:
            opened = time.perf_counter()
            with _Clock(video) as clock:
                if self.sampler is None:
                    clip = self.preprocessor(video)
                    clip = clip[0] if len(clip) == 1 else clip
                else:
                    clip = self._sampled(video, rng)
        clip, label = self._transformed(clip, record.label, rng)
        decode_seconds = opened - started + clock.seconds
        return LoadedClip(
            clip, label, decode_seconds, time.perf_counter() - started - decode_seconds
        )

    def at(self, shape: BatchShape) -> "ClipLoader":
        """The loader of the same clips in another shape."""
        if shape not in self._loaders:
            loader = copy.copy(self)
            loader.num_frames = shape.num_frames
            loader.sampler = sampler_at(self.sampler, shape)
            loader.transforms = (*transforms_at(self.transforms, shape), check_at(shape))
            self._loaders[shape] = loader
        return self._loaders[shape]

    def _open(self, record: VideoRecord):
        decoder = self.decoder
        if self.sampler is None:
            decoder = getattr(self.preprocessor, "decoder", decoder)
        return open_video(record.source, decoder, index_cache=self.index_cache)

    def _sampled(self, video: VideoReader, rng: np.random.Generator) -> np.ndarray:
        given = {"rng": rng if self.training else None, "fps": video.fps}
        options = {name: given[name] for name in self._options}
        indices = self.sampler(len(video), self.num_frames, self.num_clips, **options)
        indices = np.asarray(indices).reshape(-1)
        if self.read_frames is None:
            return video.get_frames(indices)
        return self.read_frames(video, indices)

    def _transformed(self, clip: np.ndarray, label: int | None, rng: np.random.Generator):
        for transform in self.transforms:
            if hasattr(transform, "call_with_label"):
                clip, label = transform.call_with_label(clip, label, rng)
            else:
                clip = transform(clip, rng)
        if self.sampler is not None and self.num_clips > 1:
            clip = clip.reshape(self.num_clips, -1, *clip.shape[1:])
        return clip, label


class _Clock:
    """Seconds that a reader spends on decoding, not counting a transform of its frames."""

    def __init__(self, video: VideoReader):
        self.seconds = 0.0
        self._video = video
        self._get_frames = video.get_frames

    def __enter__(self):
        self._video.get_frames = self
        return self

    def __exit__(self, *exception) -> None:
        # The two would keep each other alive, and the decoder with them.
        del self._video.get_frames

    def __call__(self, indices, transform: Callable | None = None, size=None) -> np.ndarray:
        transforming = 0.0

        def timed(frame: np.ndarray) -> np.ndarray:
            nonlocal transforming
            started = time.perf_counter()
            frame = transform(frame)
            transforming += time.perf_counter() - started
            return frame

        started = time.perf_counter()
        frames = self._get_frames(indices, None if transform is None else timed, size)
        self.seconds += time.perf_counter() - started - transforming
        return frames


def _options_of(sampler: Callable | None) -> tuple[str, ...]:
    if sampler is None:
        return ()
    parameters = inspect.signature(sampler).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return ("rng", "fps")
    return tuple(name for name in ("rng", "fps") if name in parameters)


def make_loader(
    preprocessor: Callable | None,
    *,
    sampler: str | Callable | None = None,
    num_frames: int | None = None,
    transforms: Sequence[Callable] | None = None,
    labels: Sequence[str] | None = None,
    training: bool = False,
    all_views: bool = False,
    decoder: str | None = None,
    index_cache: str | os.PathLike | None = None,
) -> ClipLoader:
    """Makes the loader that the arguments of `VideoDataset` describe."""
    if decoder is None:
        decoder = getattr(preprocessor, "decoder", "pyav")
    if preprocessor is None or isinstance(preprocessor, VideoPipeline):
        pipeline = preprocessor
    elif training or sampler is not None or transforms is not None:
        raise ValueError(
            "Only a `VideoPreprocessor` says what training needs; with another preprocessor give "
            f"none, but `sampler`, `num_frames` and `transforms`. Received: {preprocessor!r}"
        )
    else:
        return ClipLoader(preprocessor=preprocessor, decoder=decoder, index_cache=index_cache)
    if pipeline is not None and not training and sampler is None and transforms is None:
        changes = {"decoder": decoder, "num_frames": num_frames or pipeline.num_frames}
        if not all_views:
            changes.update(num_clips=1, crop="center")
        pipeline = type(pipeline).from_config({**pipeline.get_config(), **changes})
        return ClipLoader(preprocessor=pipeline, index_cache=index_cache)
    read_frames = None
    if pipeline is not None:
        sampler = sampler or pipeline.sampling
        num_frames = num_frames or pipeline.num_frames
        if transforms is None:
            read_frames = pipeline.read_frames
            transforms = default_transforms(pipeline, labels, training)
    return ClipLoader(
        sampler=sampler,
        num_frames=num_frames,
        transforms=transforms or (),
        read_frames=read_frames,
        training=training,
        decoder=decoder,
        index_cache=index_cache,
    )


def default_transforms(
    pipeline: VideoPipeline, labels: Sequence[str] | None, training: bool
) -> list[Callable]:
    """What follows a preprocessor's resizing: in training crops of many scales, mirrored or not.

    As the reference trains TSN, TSM, PP-TSN and PP-TSM; where frames are squeezed to one shape
    (PP-TSM), its second random crop is part of it. Classes that are called alike but for "left"
    and "right" change places when a clip is mirrored.
    """
    if not training:
        return [_CenterCrop(pipeline.crop_size)]
    crop = [MultiScaleCrop(pipeline.crop_size)]
    if pipeline.aspect_ratio is not None and pipeline.short_side is not None:
        crop = [MultiScaleCrop(pipeline.short_side), RandomCrop(pipeline.crop_size)]
    return [*crop, RandomFlip(label_map=mirrored_labels(labels or ()))]


class _CenterCrop:
    def __init__(self, size: int):
        self.size = size

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return center_crop(clip, self.size)
