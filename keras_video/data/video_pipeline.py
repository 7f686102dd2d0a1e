"""From a video to what a model takes: decode, sample, resize, crop. Needs no Keras."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from keras_video.data.crops import CROPS
from keras_video.data.decoders import check_decoder, open_video
from keras_video.data.resizing import INTERPOLATIONS, resize_short_side, short_side_size
from keras_video.data.samplers import get_sampler
from keras_video.data.video_reader import VideoReader


class VideoPipeline:
    """What `VideoPreprocessor` does, for processes that should not load Keras.

    A decoding worker that builds a pipeline from `VideoPreprocessor.get_config()` starts in a
    fraction of the time and the memory that one with Keras and its backend takes.

    Args:
        **config: the arguments of `VideoPreprocessor`, documented there.

    Example:

    >>> pipeline = VideoPipeline(**preprocessor.get_config())
    """

    def __init__(
        self,
        num_frames: int = 8,
        sampling: str = "segment",
        num_clips: int = 1,
        short_side: int | None = 256,
        crop_size: int = 224,
        crop: str = "center",
        aspect_ratio: float | None = None,
        interpolation: str = "bilinear",
        rounding: str = "floor",
        decoder: str = "pyav",
        views: str | None = None,
    ):
        if views is not None:
            num_clips, crop = parse_views(views, crop)
        sizes = {"num_frames": num_frames, "num_clips": num_clips, "crop_size": crop_size}
        if short_side is not None:
            sizes["short_side"] = short_side
        for name, value in sizes.items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        get_sampler(sampling)
        check_decoder(decoder)
        _check_choice("crop", crop, CROPS)
        _check_choice("interpolation", interpolation, (*INTERPOLATIONS, "decoder"))
        _check_choice("rounding", rounding, ("floor", "nearest"))
        if short_side is not None and crop_size > short_side:
            raise ValueError(
                "`crop_size` must fit into `short_side`. "
                f"Received: crop_size={crop_size!r}, short_side={short_side!r}"
            )
        if aspect_ratio is not None and not (
            isinstance(aspect_ratio, int | float) and 1 <= aspect_ratio < math.inf
        ):
            raise ValueError(
                "`aspect_ratio` is the longer side over the shorter, at least 1. "
                f"Received: aspect_ratio={aspect_ratio!r}"
            )
        self.num_frames = num_frames
        self.sampling = sampling
        self.num_clips = num_clips
        self.short_side = short_side
        self.crop_size = crop_size
        self.crop = crop
        self.aspect_ratio = aspect_ratio
        self.interpolation = interpolation
        self.rounding = rounding
        self.decoder = decoder

    @property
    def num_views(self) -> int:
        """Views that each video gives: clips times crops."""
        return self.num_clips * CROPS[self.crop][0]

    def __call__(self, source) -> np.ndarray:
        if isinstance(source, VideoReader):
            return self.assemble(len(source), partial(self.read_frames, source), source.fps)
        if not isinstance(source, (str, bytes, bytearray, memoryview)) and hasattr(
            source, "__array__"
        ):
            frames = check_frames(source)
            return self.assemble(
                len(frames),
                lambda indices: np.stack([self._resize(to_uint8(frames[i])) for i in indices]),
            )
        with open_video(source, decoder=self.decoder) as video:
            return self.assemble(len(video), partial(self.read_frames, video), video.fps)

    def frame_indices(self, length: int, fps: float | None = None) -> np.ndarray:
        """The frames that a video of `length` frames is judged by.

        Args:
            length: number of frames in the video.
            fps: its frame rate, which `sampling="slowfast"` goes by.

        Returns:
            Integer array `(num_clips, num_frames)`.
        """
        return get_sampler(self.sampling)(length, self.num_frames, self.num_clips, fps=fps)

    def read_frames(self, video: VideoReader, indices: np.ndarray) -> np.ndarray:
        """Decodes frames and resizes them, but does not crop.

        Returns:
            uint8 array `(len(indices), height, width, 3)`.
        """
        if self._scales_in_decoder:
            return video.get_frames(indices, size=self._resized_size)
        return video.get_frames(indices, transform=self._resize)

    def visit_frames(
        self, video: VideoReader, indices: np.ndarray, visit: Callable[[int, np.ndarray], None]
    ) -> None:
        """Decodes frames, resizes and crops them to the center, one after the other.

        Args:
            video: the reader.
            indices: frame numbers.
            visit: see `VideoReader.visit_frames`; gets uint8 `(crop_size, crop_size, 3)`.
        """
        self.visit_resized(
            video, indices, lambda index, frame: visit(index, self._crop_center(frame))
        )

    def visit_resized(
        self, video: VideoReader, indices: np.ndarray, visit: Callable[[int, np.ndarray], None]
    ) -> None:
        """As `visit_frames`, without the crop: `assemble` makes views of such frames."""
        if self._scales_in_decoder:
            video.visit_frames(indices, visit, size=self._resized_size)
        else:
            video.visit_frames(indices, lambda index, frame: visit(index, self._resize(frame)))

    def prepare_frame(self, frame: np.ndarray, crop: bool = True) -> np.ndarray:
        """Resizes a single frame, and crops it to the center.

        Args:
            frame: uint8 `(height, width, 3)`.
            crop: whether to crop; `assemble` makes views of frames that are only resized.

        Returns:
            uint8 `(crop_size, crop_size, 3)`, or `(height, width, 3)` uncropped.
        """
        frame = self._resize(frame)
        return self._crop_center(frame) if crop else frame

    def assemble(
        self,
        length: int,
        read: Callable[[np.ndarray], np.ndarray],
        fps: float | None = None,
    ) -> np.ndarray:
        """The views of a video whose frames come from somewhere else.

        Args:
            length: number of frames in the video.
            read: returns resized frames `(len(indices), height, width, 3)` for ascending indices.
            fps: frames per second, where it is known.

        Returns:
            What a call returns.
        """
        indices = self.frame_indices(length, fps)
        needed, positions = np.unique(indices, return_inverse=True)
        crops = CROPS[self.crop][1](read(needed), self.crop_size)
        shape = (self.num_views, self.num_frames, *crops.shape[2:])
        return crops[:, positions.reshape(-1)].reshape(shape)

    def describe(self) -> str:
        """One line for model cards and tables.

        Example:

        >>> VideoPipeline().describe()
        '8 frames (segment), short side 256 (bilinear), center crop 224'
        """
        parts = [f"{self.num_frames} frames ({self.sampling})"]
        if self.short_side is not None:
            squash = f", squashed to {self.aspect_ratio:.3g}:1" if self.aspect_ratio else ""
            parts.append(f"short side {self.short_side} ({self.interpolation}{squash})")
        parts.append(f"{self.crop} crop {self.crop_size}")
        if self.num_views > 1:
            parts.append(f"{self.num_views} views")
        return ", ".join(parts)

    def get_config(self) -> dict:
        return {
            "num_frames": self.num_frames,
            "sampling": self.sampling,
            "num_clips": self.num_clips,
            "short_side": self.short_side,
            "crop_size": self.crop_size,
            "crop": self.crop,
            "aspect_ratio": self.aspect_ratio,
            "interpolation": self.interpolation,
            "rounding": self.rounding,
            "decoder": self.decoder,
        }

    @classmethod
    def from_config(cls, config: dict) -> "VideoPipeline":
        return cls(**config)

    def __eq__(self, other) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()

    def __hash__(self) -> int:
        return hash(tuple(self.get_config().items()))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    @property
    def _scales_in_decoder(self) -> bool:
        return self.interpolation == "decoder" and self.short_side is not None

    def _crop_center(self, frame: np.ndarray) -> np.ndarray:
        return CROPS["center"][1](frame, self.crop_size)[0]

    def _resized_size(self, height: int, width: int) -> tuple[int, int]:
        return short_side_size(
            height,
            width,
            self.short_side,
            aspect_ratio=self.aspect_ratio,
            rounding=self.rounding,
        )

    def _resize(self, frame: np.ndarray) -> np.ndarray:
        if self.short_side is None:
            return frame
        return resize_short_side(
            frame,
            self.short_side,
            aspect_ratio=self.aspect_ratio,
            interpolation="bilinear" if self.interpolation == "decoder" else self.interpolation,
            rounding=self.rounding,
        )


def parse_views(views: str, crop: str = "center") -> tuple[int, str]:
    """The clips and the crop that `"10x3"` and the like stand for.

    Args:
        views: clips, `x`, crops: 1, 3 or 10 of them.
        crop: kept, where it has that number of crops.

    Returns:
        `num_clips` and `crop` of `VideoPreprocessor`.

    Example:

    >>> parse_views("10x3")
    (10, 'three')
    """
    clips, separator, crops = str(views).lower().partition("x")
    defaults = {"1": "center", "3": "three", "10": "ten"}
    if not (separator and clips.isdecimal() and int(clips) and crops in defaults):
        raise ValueError(
            "`views` must be clips x crops, with 1, 3 or 10 crops, such as '10x3'. "
            f"Received: views={views!r}"
        )
    if crop in CROPS and CROPS[crop][0] == int(crops):
        return int(clips), crop
    return int(clips), defaults[crops]


def _check_choice(name: str, value, choices) -> None:
    if value not in list(choices):
        raise ValueError(f"`{name}` must be one of {sorted(choices)}. Received: {name}={value!r}")


def check_frames(frames) -> np.ndarray:
    """Decoded frames as an array; raises `ValueError` for what cannot be a video."""
    frames = np.asarray(frames)
    received = f"Received: shape={frames.shape}, dtype={frames.dtype}"
    if frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise ValueError(
            f"Decoded frames must have the shape (time, height, width, 3), RGB last. {received}"
        )
    if frames.dtype == np.uint8:
        return frames
    if frames.dtype.kind != "f":
        raise ValueError(f"Decoded frames must be uint8, or floats from 0 to 255. {received}")
    low, high = float(frames.min()), float(frames.max())
    if not (low >= 0 and high <= 255):  # NaN fails this too
        raise ValueError(
            f"Decoded frames must go from 0 to 255. {received}, values from {low:.4g} to {high:.4g}"
        )
    if 0 < high <= 1:
        raise ValueError(
            "Decoded frames must go from 0 to 255, these look scaled to 0..1; multiply by 255. "
            f"{received}, values from {low:.4g} to {high:.4g}"
        )
    return frames


def to_uint8(frame: np.ndarray) -> np.ndarray:
    """Pixels from 0 to 255, rounded."""
    return frame if frame.dtype == np.uint8 else np.rint(frame).astype(np.uint8)
