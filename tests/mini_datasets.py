"""A handful of samples in the layout of published data sets, for the documentation's pages."""

import json
from pathlib import Path

import numpy as np

from keras_video.data import (
    MOTION_CLASSES,
    StoredFeatures,
    render_motion_clip,
    write_feature_shards,
    write_video,
)


def mini_videos(folder: str) -> None:
    """Four videos to train on and two to test, with lists `path class`, as of Kinetics-400."""
    root = Path(folder)
    root.mkdir(parents=True)
    for split, count in (("train", 4), ("val", 2)):
        lines = []
        for number in range(count):
            clip = render_motion_clip(MOTION_CLASSES[number], number, num_frames=12, size=72)
            write_video(root / f"{split}{number}.mp4", clip)
            lines.append(f"{split}{number}.mp4 {number}\n")
        (root / f"{split}.list").write_text("".join(lines))


def mini_youtube8m(folder: str) -> None:
    """Shards of YouTube-8M's features, with its channels and labels."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("validate", 4)):
        videos = []
        for number in range(count):
            arrays = {
                name: rng.integers(0, 256, (6, channels), dtype="uint8")
                for name, channels in (("rgb", 1024), ("audio", 128))
            }
            videos.append(StoredFeatures(f"{split}{number}", arrays, (number, 3861)))
        write_feature_shards(videos, Path(folder, "frame", split), name=split)


def mini_activitynet(folder: str) -> None:
    """Features of videos in which one thing happens, and the list of annotations."""
    root, rng = Path(folder), np.random.default_rng(0)
    (root / "fix_feat_100").mkdir(parents=True)
    videos = {}
    for number in range(12):
        features = rng.normal(0, 0.3, (100, 400))
        features[20:60, :40] += 2
        np.save(root / "fix_feat_100" / f"v_{number}.npy", features.astype("float32"))
        videos[f"v_{number}"] = {
            "duration_second": 100.0,
            "subset": "training" if number < 8 else "validation",
            "annotations": [{"segment": [20.0, 60.0], "label": "any"}],
        }
    (root / "activitynet_1.3_annotations.json").write_text(json.dumps(videos))


def drawn_localizer(folder: str, actions: str) -> None:
    """An ActionLocalizer for the labels of a list, with drawn weights.

    Training one takes longer than a page may.
    """
    from keras_video.applications import ActionLocalizer
    from keras_video.localization import read_actions
    from keras_video.models import BMN, TSM, ActionLSTM, VGGish

    labels = sorted({action.label for video in read_actions(actions) for action in video.actions})
    classes, hidden = 1 + len(labels), {"hidden_dims": (8,)}
    extractor = TSM.from_preset("tsm_tiny_motion")
    proposer = BMN(128 + 640, 40, 20, hidden_dim=8, proposal_dim=4, segment_dim=4, map_dim=4)
    features = {"image": 128, "sound": 16}
    classifier = ActionLSTM(classes, features, embedding_dim=8, lstm_dim=4, **hidden)
    classifier.labels = ["background", *labels]
    hearing = VGGish(classes, filters=(2, 2, 2, 2), embedding_dim=16, **hidden)
    ActionLocalizer(extractor, proposer, classifier, hearing).save_to_preset(folder)
