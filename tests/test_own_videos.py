"""A user's way from a folder of videos to a model that names unseen ones."""

import json
from concurrent.futures import ThreadPoolExecutor

import keras
import pytest

from keras_video.cli import main
from keras_video.data import (
    MOTION_CLASSES,
    VideoDataset,
    VideoPreprocessor,
    render_motion_clip,
    write_video,
)
from keras_video.data.transforms import RandomFlip, ShortSideScale, mirrored_labels
from keras_video.models import TSM

LABELS = sorted(MOTION_CLASSES[:4])
TRAIN, TEST, FIRST_TEST_SEED = 160, 50, 10**6
EPOCHS, BATCH_SIZE = 12, 16


def write_folder(root, seeds):
    """A folder for each class; the classes are the same scenes, moving in other directions."""

    def write(label, seed):
        clip = render_motion_clip(label, seed, num_frames=8, size=48)
        write_video(root / label / f"{seed}.mp4", clip)

    for label in LABELS:
        (root / label).mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        jobs = [(label, seed) for label in LABELS for seed in seeds]
        list(pool.map(write, *zip(*jobs, strict=True)))
    return root


@pytest.mark.slow
def test_fit_on_a_folder_of_clips_names_unseen_ones(tmp_path, capsys):
    keras.utils.set_random_seed(0)
    preprocessor = VideoPreprocessor(num_frames=8, short_side=32, crop_size=32)
    train = VideoDataset.from_folder(
        write_folder(tmp_path / "train", range(TRAIN)),
        preprocessor=preprocessor,
        transforms=[ShortSideScale(32), RandomFlip(label_map=mirrored_labels(LABELS))],
        training=True,
        batch_size=BATCH_SIZE,
    )
    test_seeds = range(FIRST_TEST_SEED, FIRST_TEST_SEED + TEST)
    test_folder = write_folder(tmp_path / "test", test_seeds)
    test = VideoDataset.from_folder(test_folder, preprocessor=preprocessor, labels=train.labels)

    model = TSM(
        num_classes=4, num_frames=8, depth=18, width=8, image_size=32, shift_ratio=1 / 4, dropout=0
    )
    # The models start with a tiny head, which suits a pretrained backbone only.
    head = model.get_layer("classifier").kernel
    head.assign(keras.initializers.GlorotUniform(seed=0)(head.shape))
    steps = EPOCHS * len(train)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 10, warmup_target=0.005, warmup_steps=steps // 10
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.02),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
    )
    model.fit(train, epochs=EPOCHS, verbose=0)
    accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    assert accuracy >= 0.95

    # The preset knows the classes and the preprocessing of the data set that it learnt from.
    model.labels, model.preprocessor = train.labels, train.preprocessor
    model.save_to_preset(tmp_path / "preset")
    test.records.write(tmp_path / "test.list")
    arguments = ["--preset", str(tmp_path / "preset"), "--list", str(tmp_path / "test.list")]
    assert main(["evaluate", *arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["videos"] == len(test.records)
    assert result["k"] == 4
    assert result["topk"] == 1.0
    assert result["top1"] == pytest.approx(accuracy)
