"""HMDB51."""

import os
from pathlib import Path

from keras_video.data.importers.imported_videos import (
    ImportedVideos,
    VideoFinder,
    collect,
    read_text,
)

# What the number behind a video's name says; 0 is for neither.
_SUBSETS = {"train": "1", "test": "2"}


def import_hmdb51(
    annotations: str | os.PathLike,
    videos: str | os.PathLike,
    *,
    split: int = 1,
    subset: str = "train",
) -> ImportedVideos:
    """Reads the train/test splits of HMDB51, one file for each class.

    Args:
        annotations: the folder with `brush_hair_test_split1.txt` and the like
            (`testTrainMulti_7030_splits`).
        videos: the folder of the videos, or of folders with their pictures.
        split: 1, 2 or 3.
        subset: `"train"` or `"test"`.

    Returns:
        An `ImportedVideos`; classes are sorted by name.

    Raises:
        ValueError: files that are not of this form, or not one of the videos is there.

    Example:

    >>> found = import_hmdb51("testTrainMulti_7030_splits/", "hmdb51_org/", subset="test")
    >>> found.videos.write("hmdb51/test.list")

    Reference:
        Kuehne et al., HMDB: A Large Video Database for Human Motion Recognition, 2011
        (https://serre-lab.clps.brown.edu/resource/hmdb-a-large-human-motion-database/).
    """
    if split not in (1, 2, 3) or subset not in _SUBSETS:
        raise ValueError(
            "`split` must be 1, 2 or 3, and `subset` 'train' or 'test'. "
            f"Received: split={split!r}, subset={subset!r}"
        )
    ending = f"_test_split{split}.txt"
    files = sorted(Path(annotations).glob(f"*{ending}"))
    if not files:
        raise ValueError(f"There are no files *{ending}. Received: {os.fspath(annotations)!r}")
    entries = []
    for file in files:
        label = file.name.removesuffix(ending)
        for line in read_text(file).splitlines():
            fields = line.split()
            if not fields:
                continue
            if len(fields) != 2 or fields[1] not in ("0", "1", "2"):
                raise ValueError(
                    f"A line must be a video and 0, 1 or 2. Received: {line!r} in {str(file)!r}"
                )
            if fields[1] == _SUBSETS[subset]:
                entries.append(([Path(fields[0]).stem], label))
    return collect(VideoFinder(videos), entries, [file.name.removesuffix(ending) for file in files])
