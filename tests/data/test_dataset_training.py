"""Data sets in training: augmentation, presets, tf.data, replicas, other backends, profiles."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from dataset_videos import number_of, write_folder

from keras_video.data import VideoPreprocessor
from keras_video.data.dataset_profile import DatasetProfile
from keras_video.data.preset_preprocessing import load_preprocessing
from keras_video.data.transforms import MixUp
from keras_video.data.video_dataset import VideoDataset
from keras_video.models import TSM
from keras_video.presets import load_preset

PREPROCESSOR = VideoPreprocessor(num_frames=4, short_side=40, crop_size=32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("videos") / "train")


def make(folder, **arguments):
    arguments = {"preprocessor": PREPROCESSOR, "training": True, "batch_size": 4, **arguments}
    return VideoDataset.from_folder(folder, **arguments)


def classifier():
    """Each class has six grey levels: learnt by a few steps."""
    model = keras.Sequential(
        [
            keras.Input((4, 32, 32, 3), dtype="uint8"),
            keras.layers.Rescaling(1 / 64, offset=-1.6),
            keras.layers.GlobalAveragePooling3D(),
            keras.layers.Dense(16, "relu", kernel_initializer=keras.initializers.HeNormal(seed=1)),
            keras.layers.Dense(3, kernel_initializer=keras.initializers.HeNormal(seed=2)),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss, weighted_metrics=["accuracy"])
    return model


def test_augmentation_changes_with_the_epoch(folder):
    train = make(folder, preprocessor=VideoPreprocessor(num_frames=4, short_side=48, crop_size=24))
    first, second = list(train), list(train)
    pairs = {number_of(clip): clip for clips, _ in first for clip in clips}
    same = [
        np.array_equal(pairs.get(number_of(clip)), clip) for clips, _ in second for clip in clips
    ]
    assert sum(same) < len(same) / 2


@pytest.mark.parametrize("preset", ["tsm_k400", "pp_tsm_k400_dense"])
def test_a_registered_preset_costs_no_download(folder, preset):
    train = make(folder, preprocessor=None, preset=preset, batch_size=2)
    clips, labels = train[0]
    assert clips.shape == (2, 8, 224, 224, 3) and clips.dtype == np.uint8
    val = make(folder, preprocessor=None, preset=preset, batch_size=2, training=False)
    assert val[0][0].shape == (2, 8, 224, 224, 3)
    assert load_preprocessing(preset)[1][5] == "archery"


def test_labels_and_preprocessor_travel_into_a_preset(folder, tmp_path):
    train = make(folder, preprocessor=None, preset="tsm_tiny_motion", batch_size=6)
    model = TSM(num_classes=3, num_frames=8, depth=18, width=8, image_size=64)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(train, epochs=1, steps_per_epoch=2, verbose=0)
    model.labels, model.preprocessor = train.labels, train.preprocessor
    model.save_to_preset(tmp_path / "preset")
    loaded = load_preset(tmp_path / "preset")
    assert tuple(loaded.labels) == train.labels == ("ant", "bee", "cat")
    assert loaded.preprocessor == train.preprocessor
    val = VideoDataset.from_folder(folder, preset=tmp_path / "preset", labels="preset")
    assert val.labels == train.labels
    assert loaded.predict(val, verbose=0).shape == (18, 3)


def test_mixed_batches_train(folder):
    train = make(folder, batch_transform=MixUp(0.4))
    clips, labels = train[0]
    assert clips.dtype == np.uint8 and labels.shape == (4, 3)
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(clips, make(folder, batch_transform=MixUp(0.4))[0][0])


def test_fit_learns_and_evaluate_counts_each_video_once(folder):
    model = classifier()
    model.fit(make(folder), epochs=15, verbose=0)
    val = make(folder, training=False)
    _, accuracy = model.evaluate(val, verbose=0)
    answers = model.predict(val, verbose=0).argmax(axis=1)
    truths = [record.label for record in val.records]
    assert accuracy == pytest.approx(np.mean(answers == truths)) and accuracy > 0.5
    _, padded = model.evaluate(make(folder, training=False, last_batch="pad"), verbose=0)
    assert padded == pytest.approx(accuracy)


def test_to_tf_data_gives_the_same_batches_epoch_after_epoch(folder):
    reference, data = make(folder), make(folder).to_tf_data()
    assert data.cardinality() == 4
    assert data.element_spec[0].shape == (4, 4, 32, 32, 3)
    for _ in range(2):
        for (clips, labels), batch in zip(data, reference, strict=True):
            np.testing.assert_array_equal(clips, batch[0])
            np.testing.assert_array_equal(labels, batch[1])
    val = make(folder, training=False).to_tf_data(device="/CPU:0")
    assert [len(clips) for clips, _ in val] == [4] * 4 + [2]
    reference.restore(reference.state(epoch=0, batch=3))
    assert len(list(reference.to_tf_data())) == 1


def test_replicas_share_each_batch(folder, two_replicas):
    strategy = two_replicas

    def pipeline(context):
        shard = {"num_shards": context.num_input_pipelines}
        train = make(folder, shard_index=context.input_pipeline_id, **shard)
        return train.to_tf_data().unbatch().batch(2, drop_remainder=True)

    expected = list(make(folder))
    given = strategy.experimental_distribute_dataset(make(folder).to_tf_data())
    for (clips, labels), batch in zip(given, expected, strict=True):
        parts = strategy.experimental_local_results(clips)
        assert [len(part) for part in parts] == [2, 2]
        np.testing.assert_array_equal(np.concatenate(parts), batch[0])
        parts = strategy.experimental_local_results(labels)
        np.testing.assert_array_equal(np.concatenate(parts), batch[1])
    given = strategy.distribute_datasets_from_function(pipeline)
    assert len(list(given)) == 4


def test_fit_on_two_replicas_is_fit_on_one(folder, two_replicas):
    def fit(model):
        train = make(folder, batch_size=2)
        model.fit(train, epochs=2, verbose=0)
        assert train.state() == make(folder, batch_size=2).state(epoch=2, batch=0)
        return model

    single = fit(classifier())
    with two_replicas.scope():
        double = classifier()
    fit(double)
    for one, two in zip(single.get_weights(), double.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)
    val = make(folder, training=False, last_batch="pad", batch_size=8)
    expected = single.evaluate(make(folder, training=False), verbose=0)
    assert double.evaluate(val, verbose=0)[1] == pytest.approx(expected[1])


FIT = """
import os, sys
import keras, numpy as np
from keras_video.data import VideoDataset, VideoPreprocessor
preprocessor = VideoPreprocessor(num_frames=4, short_side=40, crop_size=32)
make = lambda training: VideoDataset.from_folder(
    sys.argv[1], preprocessor=preprocessor, training=training, batch_size=4)
model = keras.Sequential([keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
                          keras.layers.Dense(3, kernel_initializer="zeros")])
model.compile(keras.optimizers.SGD(1e-3),
              keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
history = model.fit(make(True), validation_data=make(False), epochs=2, verbose=0).history
print(keras.backend.backend(), model.predict(make(False), verbose=0).shape,
      *(f"{value:.4f}" for value in history["loss"] + history["val_loss"]))
"""


@pytest.mark.slow
def test_the_backends_train_alike(folder):
    answers = []
    for backend in ("jax", "torch"):
        done = subprocess.run(
            [sys.executable, "-c", FIT, str(folder)],
            env={**os.environ, "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout.split())
    assert [answer[0] for answer in answers] == ["jax", "torch"]
    losses = [[float(text) for text in answer[3:]] for answer in answers]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2) and losses[0][1] < losses[0][0]


def test_the_profile_names_the_bottleneck(folder, capsys):
    train = make(folder)
    profile = train.profile()
    assert profile.batches == 4 and profile.clips >= 16 and profile.decode > 0
    assert profile.bottleneck in ("decode", "host")
    printed = capsys.readouterr().out
    assert "clips/s" in printed and "Bottleneck: " in printed
    assert train.state()["batch"] == 0
    list(train)
    assert train.profile(verbose=False).batches == 4


@pytest.mark.parametrize(
    ("seconds", "bottleneck"),
    [
        ({"decode": 8.0, "transform": 1.0, "wait": 0.5, "consumer": 9.0}, "device"),
        ({"decode": 8.0, "transform": 1.0, "wait": 5.0, "consumer": 1.0}, "decode"),
        ({"decode": 1.0, "transform": 8.0, "wait": 5.0, "consumer": 1.0}, "host"),
    ],
)
def test_bottlenecks(seconds, bottleneck):
    profile = DatasetProfile(batches=10, clips=40, workers=2, elapsed=9.5, batch=0.1, **seconds)
    assert profile.bottleneck == bottleneck
    assert profile.clips_per_second == pytest.approx(40 / 9.5)


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's /proc")
def test_memory_stays_flat(folder):
    train = make(folder)
    for _ in range(4):
        list(train)
    before = resident_bytes()
    for _ in range(20):
        for _ in train:
            pass
    assert resident_bytes() - before < 0.05 * before
