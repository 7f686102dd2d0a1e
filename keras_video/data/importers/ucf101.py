"""UCF101."""

import os
from pathlib import Path, PurePosixPath

from keras_video.data.importers.imported_videos import (
    ImportedVideos,
    VideoFinder,
    collect,
    read_text,
)


def import_ucf101(
    annotations: str | os.PathLike,
    videos: str | os.PathLike,
    *,
    split: int = 1,
    subset: str = "train",
) -> ImportedVideos:
    """Reads the train/test splits for action recognition of UCF101.

    Args:
        annotations: the folder with `classInd.txt`, `trainlist01.txt`, `testlist01.txt`, ...
        videos: the folder of the videos, or of folders with their pictures.
        split: 1, 2 or 3.
        subset: `"train"` or `"test"`.

    Returns:
        An `ImportedVideos`; classes have the numbers of `classInd.txt` minus 1.

    Raises:
        ValueError: files that are not of this form, or not one of the videos is there.

    Example:

    >>> found = import_ucf101("ucfTrainTestlist/", "UCF-101/", split=1, subset="test")
    >>> found.videos.write("ucf101/test.list")

    Reference:
        Soomro et al., UCF101, 2012 (https://arxiv.org/abs/1212.0402).
    """
    if split not in (1, 2, 3) or subset not in ("train", "test"):
        raise ValueError(
            "`split` must be 1, 2 or 3, and `subset` 'train' or 'test'. "
            f"Received: split={split!r}, subset={subset!r}"
        )
    labels = _read_labels(Path(annotations) / "classInd.txt")
    path = Path(annotations) / f"{subset}list{split:02d}.txt"
    entries = []
    for line in read_text(path).splitlines():
        if line.strip():
            video = PurePosixPath(line.split()[0])
            if len(video.parts) < 2:
                raise ValueError(
                    f"A line must name a class's folder and a video. Received: {line!r} in {path}"
                )
            entries.append(([video.stem], video.parent.name))
    return collect(VideoFinder(videos), entries, labels)


def _read_labels(path: Path) -> list[str]:
    labels = {}
    for line in read_text(path).splitlines():
        if line.strip():
            number, _, name = line.strip().partition(" ")
            labels[number] = name.strip()
    names = [labels.get(str(number)) for number in range(1, len(labels) + 1)]
    if not names or not all(names):
        raise ValueError(f"The classes must be numbered from 1 on. Received: {str(path)!r}")
    return names
