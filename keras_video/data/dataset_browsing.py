"""A page to look at before training: the clips of a data set, as the model gets them."""

import os
from collections.abc import Iterator

import numpy as np

from keras_video.data.contact_sheet import ContactSheetClip, write_contact_sheet


def browse_dataset(
    dataset, path: str | os.PathLike, count: int = 24, epoch: int = 0, title: str | None = None
) -> int:
    """Writes a contact sheet of the first clips of an epoch: sampled, cropped and augmented.

    The clips are the very ones that training gets in that epoch; the data set's position does
    not change. Clips of several views show one view after the other, mixed clips have all their
    labels, and pixels that a transform has normalised are stretched to be seen, which is said.

    Args:
        dataset: a `VideoDataset`.
        path: the HTML file, see `write_contact_sheet`.
        count: number of clips, at most.
        epoch: number of the epoch; in training each one has other samples and augmentation.
        title: heading of the page.

    Returns:
        The number of clips.

    Example:

    >>> dataset = VideoDataset.from_list("train.list", preset="tsm_k400", training=True)
    >>> browse_dataset(dataset, "page.html")
    24
    """
    if count < 1:
        raise ValueError(f"A page needs one clip or more. Received: count={count}")
    records = dataset.records
    about = [f"{len(records)} videos; {'training' if dataset.training else 'evaluation'}"]
    if dataset.training:
        about[0] += f", epoch {epoch}, seed {dataset.seed}"
    if dataset.preprocessor is not None and hasattr(dataset.preprocessor, "describe"):
        when = " in prediction" if dataset.training else ""
        about.append(f"The model's preprocessing{when}: {dataset.preprocessor.describe()}")
    return write_contact_sheet(
        path, _clips(dataset, count, epoch), title or "What the model will see", about
    )


def _clips(dataset, count: int, epoch: int) -> Iterator[ContactSheetClip]:
    for number in range(dataset.batches_in_epoch):
        if count <= 0:
            return
        clips, *rest = dataset.batch(number, epoch)
        labels = rest[0] if rest else [None] * len(clips)
        # In evaluation the last batch is filled up; those places have no record.
        for clip, label, index in zip(
            clips, labels, dataset.record_indices(number, epoch).tolist(), strict=True
        ):
            if index >= 0 and count > 0:
                count -= 1
                yield _sheet_clip(dataset, index, np.asarray(clip), label)


def _sheet_clip(dataset, index: int, clip: np.ndarray, label) -> ContactSheetClip:
    # Asked after the batch was loaded: then its failures are known.
    reason = next((f.reason for f in dataset.failures if f.index == index), None)
    error = None
    if reason is not None:
        stands_in = "another video stands in" if dataset.training else "a black clip stands in"
        error = f"Not read: {reason}; {stands_in}"
    views = clip.reshape(-1, *clip.shape[-4:])
    frames = views.reshape(-1, *clip.shape[-3:])
    details = f"{frames.shape[2]} x {frames.shape[1]}, {views.shape[1]} frames"
    if len(views) > 1:
        details += f", {len(views)} views"
    low, high = float(frames.min()), float(frames.max())
    if frames.dtype != np.uint8 and (low < 0 or high <= 4):
        frames = (frames - low) * (255 / max(high - low, 1e-6))
        details += f", values from {low:.2f} to {high:.2f}"
    record, text = dataset.records[index], _label_text(dataset.labels, label)
    listed = _label_text(dataset.labels, record.label)
    if text != listed and error is None:
        # Mirroring turns left into right; mixing adds another class.
        details += f", listed as {listed}"
    return ContactSheetClip(text, record.source, frames, details, error)


def _label_text(names, label) -> str:
    """The class, or the shares of the classes of a mixed clip."""

    def name(number: int) -> str:
        return names[number] if names else str(number)

    if label is None:
        return "no class"
    if np.ndim(label) == 0:
        return name(int(label))
    shares = sorted(((float(s), n) for n, s in enumerate(label) if s >= 0.005), reverse=True)
    if len(shares) == 1:
        return name(shares[0][1])
    return " + ".join(f"{share:.0%} {name(number)}" for share, number in shares)
