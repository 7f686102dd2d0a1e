"""Arrays to batches, in the order and with the protocol of `VideoDataset`."""

import json

import keras
import numpy as np
import pytest

from keras_video.data import ArrayDataset
from keras_video.data.transforms import MixUp, RandomCrop, RandomFlip

CLIPS = np.arange(10, dtype=np.uint8)[:, None, None, None, None] * np.ones((2, 6, 6, 3), np.uint8)
LABELS = np.arange(10) % 3


def make(**arguments):
    return ArrayDataset(CLIPS, LABELS, **{"batch_size": 4, **arguments})


def numbers(batches):
    return [batch[0][:, 0, 0, 0, 0].tolist() for batch in batches]


def test_evaluation_gives_every_sample_once_in_order():
    data = make()
    assert len(data) == 3
    for _ in range(2):
        assert numbers(data) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    clips, labels = data.batch(2)
    assert clips.dtype == np.uint8 and labels.dtype == np.int32 and labels.tolist() == [2, 0]


def test_training_draws_an_order_for_each_epoch_from_the_seed():
    data = make(training=True)
    first, second = numbers(data), numbers(data)
    assert len(data) == 2 and first != second
    assert numbers(make(training=True)) == first != numbers(make(training=True, seed=1))
    for batch in data:
        assert batch[1].tolist() == [LABELS[number] for number in batch[0][:, 0, 0, 0, 0]]


def test_a_restored_position_gives_the_rest_of_the_epoch_and_then_the_next():
    data = make(training=True)
    whole = numbers(data) + numbers(data)
    again = make(training=True)
    iterator = iter(again)
    next(iterator)
    state = json.loads(json.dumps(again.state()))
    resumed = make(training=True)
    resumed.restore(state)
    assert numbers(resumed) + numbers(resumed) == whole[1:]
    with pytest.raises(ValueError, match="batch_size=4, here 5"):
        make(training=True, batch_size=5).restore(state)


def test_shards_are_disjoint_and_padded_with_weight_zero():
    shards = [make(batch_size=2, num_shards=3, shard_index=index) for index in range(3)]
    batches = [list(shard) for shard in shards]
    assert [len(shard) for shard in batches] == [2, 2, 2]
    seen = [
        number
        for shard in batches
        for clips, _, weights in shard
        for number in clips[weights == 1, 0, 0, 0, 0]
    ]
    assert sorted(seen) == list(range(10))
    clips, labels, weights = batches[2][1]
    assert weights.tolist() == [1, 0] and not clips[1].any() and labels[1] == 0


def test_transforms_are_drawn_for_each_sample_and_may_change_its_label():
    images = np.tile(np.arange(6, dtype=np.uint8)[:, None], (8, 2, 6, 1, 3))
    data = ArrayDataset(
        images,
        np.zeros(8, int),
        num_classes=2,
        batch_size=8,
        training=True,
        transforms=[RandomFlip(label_map={0: 1, 1: 0}), RandomCrop(5)],
    )
    clips, labels = data.batch(0, epoch=0)
    assert clips.shape == (8, 2, 5, 5, 3)
    falling = clips[:, 0, 0, 0, 0] > clips[:, 0, 0, 1, 0]
    assert labels.tolist() == falling.astype(int).tolist() and 0 < falling.sum() < 8
    assert len({clip.tobytes() for clip in clips}) > 2
    for one, other in zip(data.batch(0, epoch=0), data.batch(0, epoch=0), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(data.batch(0, epoch=1)[0], clips)


def test_mixing_makes_labels_one_hot_in_training_and_testing():
    mixed = make(training=True, batch_transform=MixUp(2.0)).batch(0)[1]
    assert mixed.shape == (4, 3) and mixed.dtype == np.float32 and (mixed % 1).any()
    plain = make(batch_transform=MixUp(2.0)).batch(0)
    assert plain[1].tolist() == np.eye(3)[LABELS[:4]].tolist()
    assert plain[0][:, 0, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert make(one_hot=True, num_classes=7).batch(0)[1].shape == (4, 7)


def test_features_of_any_shape_and_several_classes_at_once():
    features = np.random.default_rng(0).random((5, 7), np.float32)
    targets = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0, 1, 0]], np.float64)
    data = ArrayDataset(features, targets, batch_size=4, last_batch="pad")
    clips, labels, weights = data.batch(1)
    np.testing.assert_array_equal(clips[0], features[4])
    assert labels.dtype == np.float32 and labels.tolist() == [[0, 1, 0], [0, 0, 0]] + [[0] * 3] * 2
    assert weights.tolist() == [1, 0, 0, 0]


def test_samples_and_targets_of_several_arrays():
    features = {"features": np.arange(15, dtype=np.float32).reshape(5, 3), "mask": np.eye(5)}
    targets = (np.ones((5, 2, 2)), {"number": np.arange(5)})

    def halve(sample, rng):
        return {**sample, "features": sample["features"] / 2}

    data = ArrayDataset(features, targets, batch_size=3, transforms=[halve], last_batch="pad")
    assert len(data) == 2 and data.num_classes is None
    clips, (maps, numbers), weights = data.batch(1)
    assert clips["features"].tolist() == [[4.5, 5, 5.5], [6, 6.5, 7], [0, 0, 0]]
    assert clips["mask"].shape == (3, 5) and weights.tolist() == [1, 1, 0]
    assert maps.shape == (3, 2, 2) and maps.dtype == np.float32 and not maps[2].any()
    assert numbers["number"].tolist() == [3, 4, 0] and numbers["number"].dtype == np.int32
    (first, _) = data.to_tf_data()
    assert first[0]["features"].shape == (3, 3) and first[1][1]["number"].shape == (3,)
    with pytest.raises(ValueError, match="equally many in each"):
        ArrayDataset((np.zeros((5, 3)), np.zeros((4, 3))))


def test_samples_without_labels():
    data = ArrayDataset(CLIPS, batch_size=5)
    assert [len(batch) for batch in data] == [1, 1] and data.labels is None


def test_class_names_travel_along():
    data = make(label_names="abcd", one_hot=True)
    assert data.labels == tuple("abcd") and data.batch(0)[1].shape == (4, 4)
    assert data.num_classes == 4 and data.num_records == 10


def test_a_model_fits_and_evaluates():
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, weighted_metrics=["accuracy"])
    data = make(training=True)
    model.fit(data, epochs=2, verbose=0)
    assert data.epoch == 1 and model.optimizer.iterations == 4
    padded = model.evaluate(make(last_batch="pad"), verbose=0)[1]
    np.testing.assert_allclose(padded, model.evaluate(make(), verbose=0)[1], rtol=1e-6)
    assert len(list(data.to_tf_data())) == 2


def test_memory_mapped_files_are_read_one_sample_at_a_time(tmp_path):
    np.save(tmp_path / "clips.npy", CLIPS)
    clips = np.load(tmp_path / "clips.npy", mmap_mode="r")
    assert numbers(ArrayDataset(clips, LABELS, batch_size=10)) == [list(range(10))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clips": []}, r"needs samples, .* Received: clips=\[\]"),
        ({"labels": [1, 2]}, r"10 samples, labels of shape \(2,\)"),
        ({"labels": 3}, r"labels of shape \(\)"),
        ({"labels": ["a"] * 10}, "class numbers.*dtype=<U1"),
        ({"num_classes": 2}, "from 0 to 1. Received: labels from 0 to 2"),
        ({"labels": -LABELS}, "from -2 to 0"),
        ({"labels": np.eye(10), "num_classes": 3}, "10 classes. Received: num_classes=3"),
        ({"labels": None, "num_classes": 3}, "no classes. Received: num_classes=3"),
        ({"batch_size": 0}, "batch_size"),
        ({"transforms": ["flip"]}, "transform"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ArrayDataset(**{"clips": CLIPS, "labels": LABELS, **arguments})
