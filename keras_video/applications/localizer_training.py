"""`train_action_localizer`: from videos with annotated actions to an `ActionLocalizer`."""

import dataclasses
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_video.applications.action_localizer import BACKGROUND, ActionLocalizer
from keras_video.applications.localizer_data import (
    Segments,
    Windows,
    choose_segments,
    label_seconds,
)
from keras_video.applications.localizer_evaluation import (
    F1Evaluator,
    RecallEvaluator,
    choose_thresholds,
    evaluate_tracks,
    report_rows,
)
from keras_video.applications.localizer_tracks import read_all_tracks
from keras_video.applications.video_tracks import VideoTracks
from keras_video.data.whole_file import whole_file
from keras_video.localization.annotated_video import AnnotatedVideo
from keras_video.localization.bmn_labels import BMNLabels
from keras_video.localization.detection_f1 import DetectionF1

# For data of hours instead of days; `proposer_arguments` and so on replace them.
SMALL_PROPOSER = {"hidden_dim": 128, "proposal_dim": 64, "segment_dim": 128, "map_dim": 64}
SMALL_CLASSIFIER = {"embedding_dim": 64, "lstm_dim": 64, "hidden_dims": (128,), "dropout": 0.3}
SMALL_SOUND = {
    "filters": (8, 16, 32, 64),
    "hidden_dims": (128,),
    "embedding_dim": 64,
    "dropout": 0.3,
}
STAGES = ("features", "proposals", "sound", "actions")
_LONGEST_SEGMENT = 40.0  # seconds


@dataclasses.dataclass(frozen=True)
class LocalizerTrainingResult:
    """What `train_action_localizer` has done.

    Attributes:
        preset: directory of the `ActionLocalizer`, if `finished`.
        report: precision, recall and F1 by class on `reported_on`; `None` if not finished.
        reported_on: `"test"`, or `"val"` where there are no videos to test on.
        recall: average recall of the proposals on those videos: AR at 10 and 100, AUC, in percent.
        finished: whether all stages are done.
    """

    preset: Path
    report: DetectionF1 | None
    reported_on: str
    recall: dict[str, float]
    finished: bool


def train_action_localizer(
    videos: Sequence[AnnotatedVideo],
    out: str | os.PathLike,
    *,
    root: str | os.PathLike = ".",
    extractor="pp_tsm_k400",
    fps: float = 5,
    sound: bool = True,
    window: float = 40.0,
    max_duration: float | None = None,
    num_epochs: Mapping[str, int] | int = 20,
    batch_size: int = 8,
    learning_rate: float = 1e-3,
    proposer_arguments: Mapping | None = None,
    classifier_arguments: Mapping | None = None,
    sound_arguments: Mapping | None = None,
    until: str = "actions",
    seed: int = 0,
    progress: Callable | None = None,
) -> LocalizerTrainingResult:
    """Trains an `ActionLocalizer` on videos of one's own, stage by stage.

    1. `features`: of all videos' pictures, by a preset, and the spectrograms of their sound.
    2. `proposals`: a `BMN`, on windows; the weights with the highest AUC on `val` are kept.
    3. `sound`: a `VGGish` that tells by a second of sound what happens.
    4. `actions`: an `ActionLSTM` that classifies segments: actions, the proposals of 2, background;
       the weights with the highest F1 on `val` are kept, with the thresholds that lead to it.

    Then it reports on `test`. Called again after an interruption, it goes on where it was.

    Args:
        videos: with their actions and splits, such as `localization.read_actions` reads; `train`
            and `val` are needed.
        out: where to write: `features/`, `spectra/`, a folder of each stage's run, `preset/`,
            `report.json`.
        root: the folder that paths of videos start from.
        extractor: a preset's name, directory or `hf://` address, or a model with a preprocessor.
        fps: steps a second. Defaults to 5.
        sound: whether sound plays a role. Defaults to `True`.
        window: what proposals are made from, in seconds. Defaults to 40.
        max_duration: of a proposal in seconds, by default that of a window.
        num_epochs: of all stages, or of each by its name. Defaults to 20.
        batch_size: windows in a step; of segments there are four times as many. Defaults to 8.
        learning_rate: highest rate of AdamW. Defaults to 0.001.
        proposer_arguments: of `BMN`, that replace those of `SMALL_PROPOSER`.
        classifier_arguments: of `ActionLSTM`, that replace those of `SMALL_CLASSIFIER`.
        sound_arguments: of `VGGish`, that replace those of `SMALL_SOUND`.
        until: the last stage to do. Defaults to `"actions"`, the last.
        seed: of first weights, order and what is drawn.
        progress: see `keras_video.features.extract_features`.

    Returns:
        A `LocalizerTrainingResult`.

    Raises:
        ValueError: no videos to train on or to validate with, no actions, or arguments that don't
            fit together.
        keras_video.data.VideoDecodeError: a video cannot be read.

    Example:

    >>> videos = keras_video.localization.read_actions("match/actions.json")
    >>> result = train_action_localizer(videos, "runs/match", root="match",
    ...                                 extractor="tsm_tiny_motion", window=20, max_duration=10)
    >>> result.report.overall.f1
    0.9
    """
    import keras

    from keras_video.presets import load_preset

    if until not in STAGES:
        raise ValueError(f"`until` must be one of {STAGES}. Received: until={until!r}")
    splits = _splits(videos)
    labels = sorted({action.label for video in splits["train"] for action in video.actions})
    _check_labels(splits, labels)
    out = Path(out).expanduser()
    if isinstance(extractor, str | os.PathLike):
        extractor = load_preset(extractor)
    tracks = read_all_tracks(splits, extractor, out, root, fps, sound, progress)
    unfinished = LocalizerTrainingResult(out / "preset", None, "val", {}, False)
    if until == "features":
        return unfinished

    options = {"batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    epochs = _epochs(num_epochs)
    keras.utils.set_random_seed(seed)
    steps = round(window * fps)
    longest = steps if max_duration is None else min(round(max_duration * fps), steps)
    proposer = _make_proposer(tracks["train"][0], steps, longest, proposer_arguments)
    options["num_epochs"] = epochs["proposals"]
    if not _train_proposer(proposer, splits, tracks, out / "proposals", options):
        return unfinished
    if until == "proposals":
        return unfinished
    network = None
    if sound:
        from keras_video.models import VGGish

        arguments = {**SMALL_SOUND, **(sound_arguments or {})}
        network = VGGish(len(labels) + 1, name="sound_network", **arguments)
        network.labels = [BACKGROUND, *labels]
        options["num_epochs"] = epochs["sound"]
        if not _train_sound(network, splits, tracks, labels, out / "sound", options):
            return unfinished
    if until == "sound":
        return unfinished
    classifier = _make_classifier(tracks["train"][0], network, labels, classifier_arguments)
    settings = {"fps": fps, "class_threshold": 0.0, "iou_threshold": 0.0}
    localizer = ActionLocalizer(extractor, proposer, classifier, network, **settings)
    tracks = {
        split: [localizer.with_sound(t.image, t.spectrum, t.duration) for t in of_split]
        for split, of_split in tracks.items()
    }
    options["num_epochs"] = epochs["actions"]
    if not _train_classifier(localizer, splits, tracks, out / "actions", options):
        return unfinished
    thresholds = choose_thresholds(localizer, tracks["val"], splits["val"])
    localizer = ActionLocalizer(extractor, proposer, classifier, network, fps=fps, **thresholds)
    localizer.save_to_preset(out / "preset")
    reported_on = "test" if splits["test"] else "val"
    report, recall = evaluate_tracks(localizer, tracks[reported_on], splits[reported_on])
    content = {"reported_on": reported_on, "tiou": 0.5, **thresholds, "recall": recall}
    content["classes"] = report_rows(report)
    with whole_file(out / "report.json") as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return LocalizerTrainingResult(out / "preset", report, reported_on, recall, True)


def _train_proposer(model, splits, tracks, workdir: Path, options: dict) -> bool:
    from keras_video.data import ArrayDataset
    from keras_video.losses import BoundaryLoss, SegmentConfidenceLoss

    windows = Windows(tracks["train"], splits["train"], model.num_frames, model.num_frames // 4)
    data = ArrayDataset(
        {"features": windows},
        windows.segments,
        batch_size=min(options["batch_size"], len(windows)),
        transforms=[BMNLabels(model.num_frames, model.max_duration)],
        training=True,
        seed=options["seed"],
    )
    losses = {
        "starts": BoundaryLoss(),
        "ends": BoundaryLoss(),
        "confidence": SegmentConfidenceLoss(),
    }
    evaluator = RecallEvaluator(model, tracks["val"], splits["val"])
    return _run(model, data, losses, None, evaluator, "auc", workdir, options)


def _train_sound(model, splits, tracks, labels, workdir: Path, options: dict) -> bool:
    import keras

    from keras_video.data import ArrayDataset
    from keras_video.training import ClassificationEvaluator

    train, val = (label_seconds(tracks[split], splits[split], labels) for split in ("train", "val"))
    size = min(8 * options["batch_size"], len(train[0]))
    data = ArrayDataset(
        *train,
        batch_size=size,
        training=True,
        num_classes=model.num_classes,
        seed=options["seed"],
    )
    held_out = ArrayDataset(*val, batch_size=size, num_classes=model.num_classes)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    evaluator = ClassificationEvaluator(model, held_out)
    return _run(model, data, loss, None, evaluator, "top1", workdir, options)


def _train_classifier(localizer, splits, tracks, workdir: Path, options: dict) -> bool:
    import keras

    from keras_video.data import ArrayDataset

    # Low ones too: what should not be found has to be seen.
    proposals = [localizer.propose_tracks(track)[0] for track in tracks["train"]]
    places = choose_segments(
        tracks["train"], splits["train"], proposals, localizer.labels, options["seed"]
    )
    longest = min(max(end - start for _, start, end, _, _ in places) + 1, _LONGEST_SEGMENT)
    lengths = {"image": round(longest * localizer.settings["fps"])}
    if localizer.uses_sound:
        per_second = 1 if localizer.sound_network is not None else localizer.settings["fps"]
        lengths["sound"] = int(np.ceil((longest + 1) * per_second))
    segments = Segments(tracks["train"], places, lengths)
    data = ArrayDataset(
        segments.inputs(),
        segments.labels,
        batch_size=min(4 * options["batch_size"], len(segments)),
        training=True,
        seed=options["seed"],
    )
    losses = {
        "classes": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "iou": keras.losses.MeanSquaredError(),
    }
    evaluator = F1Evaluator(localizer, tracks["val"], splits["val"])
    weights = {"classes": 1.0, "iou": 10.0}
    return _run(localizer.classifier, data, losses, weights, evaluator, "f1", workdir, options)


def _run(model, data, losses, weights, evaluator, monitor, workdir: Path, options: dict) -> bool:
    """Trains a stage, or goes on with it; whether it is done."""
    import keras

    from keras_video.training import Trainer, WarmupCosine

    schedule = WarmupCosine(
        options["learning_rate"],
        options["num_epochs"],
        data.batches_in_epoch,
        warmup_epochs=min(2, options["num_epochs"] / 10),
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=1e-4, global_clipnorm=5.0, name="optimizer"
    )
    model.compile(optimizer, losses, loss_weights=weights)
    config = {**options, "model": json.loads(json.dumps(model.get_config(), default=str))}
    trainer = Trainer(
        model,
        data,
        workdir=workdir,
        num_epochs=options["num_epochs"],
        evaluator=evaluator,
        monitor=monitor,
        config=config,
    )
    try:
        return trainer.run()["finished"]
    finally:
        data.close()


def _make_proposer(track: VideoTracks, steps: int, longest: int, arguments):
    from keras_video.models import BMN

    arguments = {**SMALL_PROPOSER, **(arguments or {})}
    return BMN(
        track.steps.shape[1], num_frames=steps, max_duration=longest, name="proposer", **arguments
    )


def _make_classifier(track: VideoTracks, network, labels, arguments):
    from keras_video.models import ActionLSTM

    features = {"image": track.image.shape[1]}
    if track.spectrum is not None:
        features["sound"] = network.embedding_dim
    arguments = {**SMALL_CLASSIFIER, **(arguments or {})}
    classifier = ActionLSTM(len(labels) + 1, features, name="classifier", **arguments)
    classifier.labels = [BACKGROUND, *labels]
    return classifier


def _splits(videos: Sequence[AnnotatedVideo]) -> dict[str, list[AnnotatedVideo]]:
    splits = {
        name: [video for video in videos if video.split == name]
        for name in ("train", "val", "test")
    }
    for name in ("train", "val"):
        if not splits[name]:
            raise ValueError(
                f"There must be videos of the splits train and val. Received: {len(videos)} "
                f"videos, none of {name}"
            )
    return splits


def _check_labels(splits: Mapping, labels: Sequence[str]) -> None:
    if not labels:
        raise ValueError(
            "There must be actions to learn. Received: "
            f"{len(splits['train'])} videos of train without any"
        )
    if BACKGROUND in labels:
        raise ValueError(
            f"{BACKGROUND!r} is what lies between actions; give the class another name. "
            f"Received: {', '.join(labels)}"
        )
    known = set(labels)
    for name in ("val", "test"):
        unknown = {a.label for video in splits[name] for a in video.actions} - known
        if unknown:
            raise ValueError(
                f"All classes must occur in train. Received: {', '.join(sorted(unknown))} only in "
                f"{name}"
            )


def _epochs(num_epochs: Mapping[str, int] | int) -> dict[str, int]:
    stages = STAGES[1:]
    if isinstance(num_epochs, int):
        return dict.fromkeys(stages, num_epochs)
    if not set(num_epochs) <= set(stages):
        raise ValueError(
            f"`num_epochs` are of the stages {', '.join(stages)}. Received: {dict(num_epochs)}"
        )
    return {**dict.fromkeys(stages, 20), **num_epochs}
