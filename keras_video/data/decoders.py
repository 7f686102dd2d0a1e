"""One function opens every video; decoders register under a name."""

import difflib
import os
from collections.abc import Callable

from keras_video.data.encoded_frames_reader import EncodedFramesReader
from keras_video.data.frame_folder_reader import FrameFolderReader
from keras_video.data.frame_shard import is_shard_record, open_shard_record
from keras_video.data.video_reader import VideoReader
from keras_video.presets.import_string import import_object
from keras_video.presets.plugins import load_plugins

_DECODERS: dict[str, str | Callable[..., VideoReader]] = {
    "pyav": "keras_video.data.pyav_reader:PyAVReader",
    "decord": "keras_video.data.decord_reader:open_with_decord",
    "opencv": "keras_video.data.opencv_reader:open_with_opencv",
    "torchcodec": "keras_video.data.torchcodec_reader:open_with_torchcodec",
}


def open_video(
    source,
    decoder: str = "pyav",
    *,
    threads: int = 1,
    allow_truncated: bool = False,
    index_cache: str | os.PathLike | None = None,
) -> VideoReader:
    """Opens a video for random access to its frames.

    Args:
        source: a path, a URL (`s3://`, `gs://`, `hf://`, ..., see `remote_files.open_url`), the
            `bytes` of a file, or a binary file object; or a video in pictures: a folder of
            numbered ones (`img_00001.jpg`, see `FrameFolderReader`), a list of their encoded bytes
            (see `EncodedFramesReader`), or `shard.tfrecord#3` (see `FrameShard`). Pictures need no
            decoder.
        decoder: `"pyav"` is exact for every file that FFmpeg decodes. `"decord"` (needs
            `pip install "keras-video[decord]"`) decodes with decord where that gives the same
            pixels, and with PyAV elsewhere; so do `"opencv"` (needs OpenCV) and `"torchcodec"`
            (needs torch, torchcodec and FFmpeg's libraries). `register_decoder` adds others.
        threads: decoding threads; 0 lets the decoder choose. One thread is the default because
            it costs the least processor time per video and workers run side by side; a single
            long or large video opens faster with more.
        allow_truncated: open a file that was cut off, and see only the frames before the cut.
            By default such a file is an error, because its middle is not the video's middle.
        index_cache: a folder, best beside the videos, that keeps what is read from a long file
            before its first frame can be found, all its packets as a rule. See `IndexCache`.

    Returns:
        A `VideoReader`; use it in a `with` statement, in the thread that opened it.

    Raises:
        VideoDecodeError: the file is missing, empty, cut off, or holds no video.
        ImportError: the decoder's package is not installed.

    Example:

    >>> with open_video("clip.mp4") as video:
    ...     frames = video.get_frames([0, len(video) // 2, len(video) - 1])
    >>> frames.shape
    (3, 256, 340, 3)
    """
    check_decoder(decoder)
    if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        return FrameFolderReader(source, allow_truncated=allow_truncated)
    if isinstance(source, (list, tuple)) and all(isinstance(frame, bytes) for frame in source):
        return EncodedFramesReader(source)
    if isinstance(source, str) and is_shard_record(source):
        return open_shard_record(source)
    factory = _DECODERS[decoder]
    if isinstance(factory, str):
        factory = import_object(factory)
    cache = {} if index_cache is None else {"index_cache": index_cache}
    return factory(source, threads=threads, allow_truncated=allow_truncated, **cache)


def check_decoder(name: str) -> None:
    """Checks that a decoder of this name is registered, without importing it.

    Raises:
        ValueError: there is none; the message names the nearest one.
    """
    if name not in list(_DECODERS):
        load_plugins()
    if name not in list(_DECODERS):
        close = difflib.get_close_matches(str(name), _DECODERS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"`decoder` must be one of {sorted(_DECODERS)}.{hint} Received: decoder={name!r}"
        )


def register_decoder(name: str, factory: str | Callable[..., VideoReader]) -> None:
    """Adds a decoder, or replaces one.

    Args:
        name: what `open_video(..., decoder=name)` and `VideoPreprocessor(decoder=name)` call it.
        factory: called as `factory(source, threads=..., allow_truncated=...)`, and with
            `index_cache=...` where `open_video` is; returns a `VideoReader`. Or a string
            `"package.module:function"`, imported on first use.

    Example:

    >>> register_decoder("gpu", "my_package.decoding:GpuReader")
    """
    if not name or not isinstance(name, str):
        raise ValueError(f"A decoder's name is a non-empty string. Received: name={name!r}")
    if not (callable(factory) or (isinstance(factory, str) and ":" in factory)):
        raise ValueError(
            "A decoder's factory is a callable or a string 'package.module:function'. "
            f"Received: factory={factory!r}"
        )
    _DECODERS[name] = factory
