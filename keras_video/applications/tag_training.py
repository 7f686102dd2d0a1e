"""`train_video_tag`: a `VideoTag` for tags of one's own, from a list of videos to a preset."""

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from keras_video.applications.tag_list import TagList
from keras_video.applications.tag_report import summarize_report, tag_report, write_report
from keras_video.applications.tag_thresholds import best_thresholds
from keras_video.applications.video_tag import DEFAULT_EXTRACTION, LENGTH_STEP, VideoTag
from keras_video.data.video_failures import TooManyFailuresError, VideoFailure

# Enough for some hundred videos; the published predictor has a hundred times the weights.
SMALL_PREDICTOR = {"embedding_dim": 128, "lstm_dim": 128, "hidden_dims": (256, 256)}
MODALITY = "rgb"


@dataclasses.dataclass(frozen=True)
class TagTrainingResult:
    """What `train_video_tag` leaves.

    Attributes:
        preset: the folder of the `VideoTag`.
        report: rows of `tag_report`, on the videos of `reported_on`.
        summary: of `summarize_report`.
        reported_on: `"test"`, or `"val"` where the list has no videos for a test; thresholds are
            chosen on `val` always, so F-scores on `val` are a little too high.
        failures: path and reason of each video that could not be read.
        finished: whether the run came to its end; the same call goes on otherwise.
    """

    preset: Path
    report: list[dict]
    summary: dict
    reported_on: str
    failures: list[dict]
    finished: bool


def train_video_tag(
    tags: TagList,
    out: str | os.PathLike,
    *,
    extractor,
    extraction: Mapping | None = None,
    predictor: str | os.PathLike | None = None,
    predictor_arguments: Mapping | None = None,
    num_epochs: int = 30,
    batch_size: int = 16,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-4,
    val_fraction: float = 0.2,
    seed: int = 0,
    max_failures: int | None = None,
    progress: Callable | None = None,
) -> TagTrainingResult:
    """Trains a `VideoTag` on videos with tags of one's own.

    Extracts the features of all videos, trains a predictor on those of `train`, keeps the weights
    with the highest mean average precision on `val`, chooses a threshold for each tag there, and
    reports on `test`. Videos without a split are parted into `train` and `val`. Called again after
    an interruption, it goes on where it was.

    Args:
        tags: the videos.
        out: where to write: `features/`, `run/` (logs and checkpoints), `preset/` (the `VideoTag`),
            `report.csv` and `report.json`.
        extractor: a preset's name, directory or `hf://` address, or a model with a preprocessor.
        extraction: which frames, see `VideoTag`.
        predictor: a preset of an `AttentionLSTM` to start from; its last layer is made anew. By
            default a small one is trained from nothing.
        predictor_arguments: arguments of `AttentionLSTM` that replace those of `SMALL_PREDICTOR`,
            or of the preset.
        num_epochs: passes over the training videos. Defaults to 30.
        batch_size: videos in a step. Defaults to 16.
        learning_rate: highest rate of AdamW. Defaults to 0.002.
        weight_decay: of AdamW. Defaults to 1e-4.
        val_fraction: share of the videos without a split that is put aside for `val`, and of those
            of `train` where the list has none for `val`.
        seed: of first weights, order and the split.
        max_failures: videos that may fail; by default 1 % of them and at least 10.
        progress: see `keras_video.features.extract_features`.

    Returns:
        A `TagTrainingResult`.

    Raises:
        ValueError: too few videos, or arguments that don't fit together.
        TooManyFailuresError: too many videos could not be read.

    Example:

    >>> tags = TagList.read("tags.csv")
    >>> result = train_video_tag(tags, "runs/tags", extractor="tsm_tiny_motion",
    ...                          extraction={"stride": 2})
    >>> result.summary["map"]
    0.96
    """
    import keras

    from keras_video.data import FeatureRecord, VideoList
    from keras_video.features import FeatureExtractor, FeatureIndex, extract_features
    from keras_video.features.listed_videos import list_videos
    from keras_video.presets import load_preset

    out = Path(out).expanduser()
    extraction = dict(DEFAULT_EXTRACTION if extraction is None else extraction)
    splits = part_videos(tags, val_fraction, seed)
    if isinstance(extractor, str | os.PathLike):
        extractor = load_preset(extractor)
    videos = VideoList([video.source for video in tags])
    features = FeatureExtractor(extractor, **extraction)
    extracted = extract_features(videos, features, out / "features", progress=progress)
    failures = list(extracted.failures)
    _check_failures(failures, len(tags), max_failures)
    names = {video.source: video.name for video in list_videos(videos)}
    index = FeatureIndex(out / "features")
    records = {
        name: [
            FeatureRecord(
                video.source,
                {MODALITY: index[names[video.source]].path},
                part.numbers(video),
                index[names[video.source]].steps,
            )
            for video in part
            if names[video.source] in index
        ]
        for name, part in splits.items()
    }
    for name in ("train", "val"):
        if not records[name]:
            raise ValueError(
                f"No video of the part {name!r} could be read. "
                f"Received: {len(splits[name])} videos, {len(failures)} failures"
            )
    keras.utils.set_random_seed(seed)
    model = _predictor(predictor, predictor_arguments, tags.labels, features.channels)
    options = {
        "num_epochs": num_epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "seed": seed,
        "predictor": str(predictor),
        "predictor_arguments": {key: str(v) for key, v in (predictor_arguments or {}).items()},
    }
    finished = _train(model, records, out / "run", options)["finished"]
    if not finished:
        return TagTrainingResult(out / "preset", [], {}, "val", failures, False)

    thresholds = best_thresholds(*tag_scores(model, records["val"]))
    reported_on = "test" if records.get("test") else "val"
    labels, scores = tag_scores(model, records[reported_on])
    rows = tag_report(labels, scores, thresholds, tags.labels)
    summary = {"reported_on": reported_on, **summarize_report(rows, labels, scores)}
    tagger = VideoTag(extractor, model, extraction=extraction, thresholds=thresholds)
    tagger.save_to_preset(out / "preset")
    _write_reports(out, rows, summary)
    return TagTrainingResult(out / "preset", rows, summary, reported_on, failures, True)


def part_videos(tags: TagList, val_fraction: float = 0.2, seed: int = 0) -> dict[str, TagList]:
    """The videos by split: `train`, `val`, and `test` where there are some.

    Videos without a split are for training, and a share of those becomes `val` where the list has
    none.
    """
    parts = {name: tags.subset(name) for name in ("train", "val", "test")}
    bare = [video for video in tags if video.split is None]
    if bare:
        parts["train"] = TagList([*(parts["train"] or ()), *bare], tags.labels)
    if parts["train"] is None:
        raise ValueError(
            "There are no videos to train on: their split is train, or empty. "
            f"Received: {len(tags)} videos, all for val or test"
        )
    if parts["val"] is None:
        parts["train"], parts["val"] = parts["train"].split(val_fraction, seed)
    return {name: part for name, part in parts.items() if part is not None}


def _check_failures(failures: list[dict], total: int, max_failures: int | None) -> None:
    limit = max(10, total // 100) if max_failures is None else max_failures
    if len(failures) > limit:
        raise TooManyFailuresError(
            [VideoFailure(i, f["path"], f["error"], 0) for i, f in enumerate(failures)],
            limit,
            total,
        )


def _predictor(predictor, arguments: Mapping | None, labels, channels: int):
    from keras_video.models import AttentionLSTM

    arguments = dict(arguments or {})
    if predictor is None:
        arguments = {
            **SMALL_PREDICTOR,
            **arguments,
            "num_classes": len(labels),
            "features": {MODALITY: channels},
            "feature_range": None,
        }
        model = AttentionLSTM(**arguments)
    else:
        model = AttentionLSTM.from_preset(predictor, num_classes=len(labels), **arguments)
    model.labels = labels
    return model


def _train(model, records: dict, workdir: Path, options: dict) -> dict:
    """Trains on `train`, keeps the weights that are best on `val`."""
    import keras

    from keras_video.data import FeatureDataset
    from keras_video.losses import MultiLabelCrossentropy
    from keras_video.training import TaggingEvaluator, Trainer, WarmupCosine

    shared = {
        "num_classes": model.num_classes,
        "features": dict(model.features),
        "batch_size": min(options["batch_size"], len(records["train"])),
        "max_frames": None,
        "length_step": LENGTH_STEP,
    }
    train = FeatureDataset(records["train"], training=True, seed=options["seed"], **shared)
    val = FeatureDataset(records["val"], **shared)
    schedule = WarmupCosine(
        options["learning_rate"],
        options["num_epochs"],
        train.batches_in_epoch,
        warmup_epochs=min(2, options["num_epochs"] / 10),
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=options["weight_decay"], global_clipnorm=5.0, name="optimizer"
    )
    model.compile(optimizer, MultiLabelCrossentropy())
    trainer = Trainer(
        model,
        train,
        workdir=workdir,
        num_epochs=options["num_epochs"],
        evaluator=TaggingEvaluator(model, val),
        monitor="map",
        config=options,
    )
    try:
        return trainer.run()
    finally:
        train.close()
        val.close()


def tag_scores(model, records) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of all records: two arrays `(videos, tags)`."""
    from keras_video.data import FeatureDataset

    data = FeatureDataset(
        records,
        num_classes=model.num_classes,
        features=dict(model.features),
        batch_size=32,
        max_frames=None,
        length_step=LENGTH_STEP,
    )
    labels, logits = [], []
    for batch in data:
        inputs, targets = batch[:2]
        labels.append(targets)
        logits.append(np.asarray(model.predict_on_batch(inputs), "float64"))
    data.close()
    return np.concatenate(labels), 1 / (1 + np.exp(-np.concatenate(logits)))


def _write_reports(out: Path, rows: list[dict], summary: dict) -> None:
    write_report(out / "report.csv", rows)
    text = json.dumps({**summary, "tags": rows}, indent=2, ensure_ascii=False)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
