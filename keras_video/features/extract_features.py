"""`extract_features`: folders of videos to a folder of features."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from keras_video.data.decoders import open_video
from keras_video.features.decoding_pool import Failed, VideoJob
from keras_video.features.extraction_report import ExtractionReport
from keras_video.features.feature_extractor import FeatureExtractor
from keras_video.features.feature_folder import FeatureFolder
from keras_video.features.listed_videos import ListedVideo, list_videos
from keras_video.features.video_outputs import Extracted


def extract_features(
    videos,
    model,
    out: str | os.PathLike,
    *,
    frames: int | None = None,
    fps: float | None = None,
    stride: int | None = None,
    frame_interval: int | None = None,
    layers: Sequence[str] = (),
    batch_size: int | None = None,
    precision: str | None = None,
    dtype: str = "float32",
    decoder: str | None = None,
    workers: int | None = None,
    root: str | os.PathLike | None = None,
    resume: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> ExtractionReport:
    """Writes the features of many videos, one `.npy` file `(steps, channels)` each.

    The files mirror the paths of the videos: `talks/one.mp4` becomes `talks/one.npy`.
    `features.json` holds the settings, `features.jsonl` a line for each video with its file,
    `steps`, `channels`, `duration`, `fps`, `labels` and the `times` of the steps, so that nothing
    that comes after needs the video. `FeatureIndex` reads the folder.

    Started again, it does what is missing and what belongs to a video that has changed (by size or
    time of change); features stay when their video is gone. A file appears when it is complete,
    whatever ends the process. Of a long video, every part of 1024 frames or ten minutes is kept.
    One process at a time may write to a folder; another one is refused.

    Threads decode, all on one video if it is long; batches of the network are filled from several
    videos, so short ones waste none of it.

    Args:
        videos: a video, a folder (with its subfolders), a quoted pattern, or a list: a text file
            with a line `path labels...` for each video, the labels being class numbers, if any; or
            several of these; or a `keras_video.data.VideoList`.
        model: a preset's name or directory, a `VideoClassifier`, or a `FeatureExtractor`, which
            has the next arguments already.
        out: folder of the features, made if there is none.
        frames, fps, stride, frame_interval, layers, batch_size, precision, decoder, workers: see
            `FeatureExtractor`.
        dtype: of the files, `"float32"` or `"float16"`.
        root: the folder that the videos' names start from, and a list's relative paths. By
            default that of a single folder or list, else the deepest one that has all videos.
        resume: `False` extracts everything again.
        progress: called after each video with the numbers of videos done and in total.

    Returns:
        An `ExtractionReport`. A video that cannot be read is named in its `failures`; the others
        are done all the same.

    Raises:
        ValueError: an argument out of range, no videos, or a folder with features of other
            settings, which the message names.
        OSError: a file cannot be written. Run it again once there is room.

    Example:

    >>> report = extract_features("videos/", "tsn_k400", "feats/", frames=300)
    >>> report.extracted, report.frames_per_second, report.bound
    (1200, 43.1, 'network')
    """
    if dtype not in ("float32", "float16"):
        raise ValueError(f'`dtype` must be "float32" or "float16". Received: dtype={dtype!r}')
    chosen = {
        "frames": frames,
        "fps": fps,
        "stride": stride,
        "frame_interval": frame_interval,
        "layers": layers or None,
        "batch_size": batch_size,
        "precision": precision,
        "decoder": decoder,
        "workers": workers,
    }
    chosen = {name: value for name, value in chosen.items() if value is not None}
    listed = list_videos(videos, root)
    if isinstance(model, FeatureExtractor):
        if chosen:
            raise ValueError(
                "A `FeatureExtractor` has these settings already; give them to it. "
                f"Received: {chosen}"
            )
        extractor = model
    else:
        extractor = FeatureExtractor(model, **chosen)
    settings = {**extractor.settings(), "dtype": dtype}
    with FeatureFolder(out, settings, fresh=not resume) as folder:
        folder.add(listed)
        return _extract(extractor, listed, folder, dtype, progress or (lambda done, total: None))


def _extract(
    extractor: FeatureExtractor,
    listed: list[ListedVideo],
    folder: FeatureFolder,
    dtype: str,
    progress: Callable[[int, int], None],
) -> ExtractionReport:
    started = time.perf_counter()
    done = reused = extracted = steps = 0
    failures = []

    def advance() -> None:
        nonlocal done
        done += 1
        progress(done, len(listed))

    missing = []
    for video in listed:
        if folder.row(video) is None:
            missing.append(video)
            continue
        folder.relabel(video)
        reused += 1
        advance()
    with contextlib.closing(extractor.run(_jobs(extractor, missing, folder))) as events:
        for event in events:
            video = event.job.key
            if isinstance(event, Failed):
                reason = getattr(event.error, "reason", None) or " ".join(str(event.error).split())
                failures.append({"path": video.source, "error": reason})
                advance()
            elif isinstance(event, Extracted):
                features = event.outputs.assemble()
                folder.save(video, features, dtype)
                extracted += 1
                steps += len(features.features)
                advance()
            elif len(event.outputs.segments) > 1:
                folder.save_segment(video, event.segment, event.outputs.segments[event.segment])
    return ExtractionReport(
        videos=len(listed),
        extracted=extracted,
        reused=reused,
        failures=sorted(failures, key=lambda failure: failure["path"]),
        steps=steps,
        frames=extractor.network_frames,
        seconds=time.perf_counter() - started,
        network_seconds=extractor.network_seconds,
        waited_seconds=extractor.waited_seconds,
        decode_seconds=extractor.decode_seconds,
    )


def _jobs(
    extractor: FeatureExtractor, videos: list[ListedVideo], folder: FeatureFolder
) -> Iterator[VideoJob]:
    def known(video: ListedVideo, plan) -> dict:
        if len(plan.segments) == 1:
            return {}
        return folder.segments(video, [end - start for start, end in plan.segments])

    for video in videos:
        opened = partial(open_video, video.source, extractor.decoder)
        yield VideoJob(video, opened, partial(known, video))
