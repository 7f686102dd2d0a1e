"""Stored features to batches with masks and several labels."""

import json
import logging
import re
import signal

import keras
import numpy as np
import pytest

from keras_video.data import (
    FeatureDataset,
    FeatureReadError,
    FeatureRecord,
    TooManyFailuresError,
    read_feature_list,
)

LENGTHS = [5, 17, 9, 30, 12, 2, 25, 7, 11, 28, 3, 19, 21]
NUM_CLASSES = 7
SMALL = {"num_classes": NUM_CLASSES, "max_frames": 24, "length_step": 8}


def labels_of(number):
    return sorted({number % NUM_CLASSES, number * 3 % NUM_CLASSES})


@pytest.fixture
def folder(tmp_path):
    """`.npy` files whose first feature is their number, and a list with their labels."""
    lines = []
    for number, length in enumerate(LENGTHS):
        features = np.full((length, 4), number, np.uint8)
        features[:, 1] = np.arange(length)
        np.save(tmp_path / f"clip {number}.npy", features)
        lines.append(f"clip {number}.npy {' '.join(map(str, labels_of(number)))}\n")
    (tmp_path / "all.list").write_text("".join(lines))
    return tmp_path


def make(folder, **arguments):
    records = read_feature_list(folder / "all.list")
    return FeatureDataset(records, **{**SMALL, "batch_size": 4, **arguments})


def numbers(batches):
    """The records of each batch; those that only fill it up are left out."""
    return [
        batch[0]["rgb"][batch[0]["rgb_mask"].any(1), 0, 0].tolist() if len(batch[0]["rgb"]) else []
        for batch in batches
    ]


def test_evaluation_gives_every_record_once_in_order(folder):
    data = make(folder)
    assert len(data) == 4 and data.features == {"rgb": 4}
    for _ in range(2):
        assert sum(numbers(data), []) == list(range(13))
    inputs, labels = data.batch(0)
    assert inputs["rgb"].shape == (4, 24, 4) and inputs["rgb"].dtype == np.uint8
    assert inputs["rgb_mask"].shape == (4, 24) and inputs["rgb_mask"].dtype == bool
    assert labels.shape == (4, NUM_CLASSES) and labels.dtype == np.float32
    for place in range(4):
        length = min(LENGTHS[place], 24)
        assert inputs["rgb_mask"][place].tolist() == [True] * length + [False] * (24 - length)
        assert inputs["rgb"][place, :length, 1].tolist() == list(range(length))
        assert not inputs["rgb"][place, length:].any()
        assert np.flatnonzero(labels[place]).tolist() == labels_of(place)


def test_training_batches_have_records_of_similar_length_each_once(folder):
    data = make(folder, training=True, last_batch="pad")
    for _ in range(3):
        batches = list(data)
        assert sorted(sum(numbers(batches), [])) == list(range(13))
        spreads = []
        for inputs, _, weights in batches:
            longest = inputs["rgb_mask"].sum(1).max()
            assert inputs["rgb"].shape[1] in (8, 16, 24)
            assert 0 <= inputs["rgb"].shape[1] - longest < 8
            if weights.all():
                rounded = -(-inputs["rgb_mask"].sum(1) // 8)
                spreads.append(np.ptp(rounded))
        assert np.mean(spreads) <= 1
    assert numbers(make(folder, training=True)) != numbers(make(folder, training=True, seed=1))
    mates = {tuple(sorted(batch)) for _ in range(6) for batch in numbers(data)}
    assert len(mates) > 12, "the same records come together in every epoch"


def test_a_restored_position_gives_the_rest_of_the_epoch_and_then_the_next(folder):
    data = make(folder, training=True)
    whole = numbers(data) + numbers(data)
    again = make(folder, training=True)
    iterator = iter(again)
    next(iterator)
    state = json.loads(json.dumps(again.state()))
    resumed = make(folder, training=True)
    resumed.restore(state)
    assert numbers(resumed) + numbers(resumed) == whole[1:]
    with pytest.raises(ValueError, match="lengths="):
        make(folder, training=True, length_step=4).restore(state)


def test_shards_are_disjoint_and_work_on_equal_lengths(folder):
    for training in (False, True):
        arguments = {"batch_size": 2, "num_shards": 3, "last_batch": "pad", "training": training}
        shards = [make(folder, shard_index=index, **arguments) for index in range(3)]
        batches = [list(shard) for shard in shards]
        assert [len(shard) for shard in batches] == [3, 3, 3]
        seen = [number for shard in batches for batch in numbers(shard) for number in batch]
        assert sorted(seen) == list(range(13))
        for step in zip(*batches, strict=True):
            assert len({inputs["rgb"].shape for inputs, *_ in step}) == 1
        weights = sum(batch[2].sum() for shard in batches for batch in shard)
        assert weights == 13


def test_long_features_are_cut_at_their_start_or_spread(folder):
    first = make(folder, max_frames=10, length_step=60).batch(0)[0]["rgb"]
    assert first.shape == (4, 10, 4) and first[3, :, 1].tolist() == list(range(10))
    even = make(folder, max_frames=10, sampling="even").batch(0)[0]["rgb"]
    assert even[3, :, 1].tolist() == list(range(1, 30, 3))
    whole = make(folder, max_frames=None).batch(0)[0]
    assert whole["rgb"].shape == (4, 32, 4) and whole["rgb_mask"].sum() == sum(LENGTHS[:4])


def test_several_modalities_of_several_lengths_and_types(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((6, 3), np.uint8))
    np.save(tmp_path / "b.npy", np.full((9, 2), 0.5, np.float16))
    places = {"rgb": str(tmp_path / "a.npy"), "audio": str(tmp_path / "b.npy")}
    records = [FeatureRecord("one", places, labels=(1, 1))]
    inputs, labels = FeatureDataset(records, num_classes=3, length_step=5).batch(0)
    assert {name: (array.shape, str(array.dtype)) for name, array in inputs.items()} == {
        "rgb": ((1, 10, 3), "uint8"),
        "rgb_mask": ((1, 10), "bool"),
        "audio": ((1, 10, 2), "float32"),
        "audio_mask": ((1, 10), "bool"),
    }
    assert inputs["rgb_mask"].sum() == 6 and inputs["audio_mask"].sum() == 9
    assert labels.tolist() == [[0, 1, 0]]
    only = FeatureDataset(records, num_classes=3, features=["audio"])
    assert only.features == {"audio": 2} and set(only.batch(0)[0]) == {"audio", "audio_mask"}


def test_records_without_labels_give_only_the_inputs(folder):
    records = read_feature_list(folder / "clip *.npy")
    data = FeatureDataset(records, batch_size=5)
    assert [len(batch) for batch in data] == [1, 1, 1] and data.num_classes is None
    assert [record.id for record in records][:2] == ["clip 0", "clip 1"]


def bad(folder):
    """Plants one bad file of each kind; returns number -> reason."""
    names = [folder / f"clip {number}.npy" for number in range(13)]
    names[1].write_bytes(names[1].read_bytes()[:-3])
    names[3].write_bytes(b"")
    np.save(names[4], np.zeros((12, 5), np.uint8))
    np.save(names[5], np.zeros((2, 4), np.float32))
    names[6].unlink()
    np.save(names[7], np.zeros((0, 4), np.uint8))
    np.save(names[8], np.array([None]), allow_pickle=True)
    text = (folder / "all.list").read_text()
    (folder / "all.list").write_text(text.replace("clip 9.npy ", "clip 9.npy 7 "))
    return {
        1: "no whole .npy",
        3: "is empty",
        4: r"\(12, 5\)",
        5: "should be uint8. Received: float32",
        6: "no such file",
        7: r"\(0, 4\)",
        8: "no whole .npy",
        9: r"from 0 to 6. Received: \[7\]",
    }


def test_bad_records_count_as_wrong_in_evaluation_and_are_named(folder, caplog):
    reasons = bad(folder)
    with caplog.at_level(logging.WARNING, "keras_video"):
        data = make(folder, last_batch="pad")
        batches = list(data)
    for failure, (number, reason) in zip(data.failures, reasons.items(), strict=True):
        assert failure.index == number and f"clip {number}.npy" in failure.source
        assert re.search(reason, failure.reason), failure
    assert sum(numbers(batches), []) == [0, 2, 10, 11, 12]
    assert sum(batch[2].sum() for batch in batches) == 13
    inputs, labels, weights = batches[1]
    assert not inputs["rgb"].any() and not inputs["rgb_mask"].any() and weights.all()
    assert np.flatnonzero(labels[0]).tolist() == labels_of(4)
    assert "zeros take its place" in caplog.text


def test_bad_records_are_replaced_in_training_up_to_a_limit(folder):
    bad(folder)
    data = make(folder, training=True, last_batch="keep")
    seen = sum(numbers(data), [])
    assert len(seen) == 13 and set(seen) == {0, 2, 10, 11, 12} and len(data.failures) == 8
    with pytest.raises(TooManyFailuresError, match=r"of 13 videos.*`max_failures`=2.*\n.*clip"):
        list(make(folder, max_failures=2))


def test_features_that_are_no_numbers_are_failures(tmp_path):
    for number, value in enumerate((1.0, np.nan, np.inf)):
        np.save(tmp_path / f"{number}.npy", np.full((3, 2), value, np.float32))
    data = FeatureDataset(read_feature_list(tmp_path))
    (inputs,) = data.batch(0)
    assert inputs["rgb_mask"].any(1).tolist() == [True, False, False]
    assert [failure.reason for failure in data.failures] == [
        "rgb: some features are NaN or infinite"
    ] * 2


def make_model():
    features = keras.Input((None, 4), name="rgb")
    mask = keras.Input((None,), name="rgb_mask")
    weighted = keras.ops.cast(features, "float32") * keras.ops.cast(mask, "float32")[..., None]
    scores = keras.layers.Dense(NUM_CLASSES, name="scores")(keras.ops.sum(weighted, axis=1))
    model = keras.Model({"rgb": features, "rgb_mask": mask}, scores)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile("sgd", loss, weighted_metrics=["binary_accuracy"])
    return model


def test_a_model_fits_evaluates_and_predicts_batches_of_every_length(folder):
    model = make_model()
    data = make(folder, batch_size=2, training=True)
    lengths = {data.batch(i, e)[0]["rgb"].shape[1] for i in range(len(data)) for e in (0, 1)}
    assert lengths == {8, 16, 24}
    model.fit(data, epochs=2, verbose=0)
    assert data.epoch == 1 and model.optimizer.iterations == 12
    padded = model.evaluate(make(folder, last_batch="pad"), verbose=0)[1]
    np.testing.assert_allclose(padded, model.evaluate(make(folder), verbose=0)[1], rtol=1e-6)
    predicted = model.predict(make(folder, batch_size=3), verbose=0)
    assert predicted.shape == (13, NUM_CLASSES)


def test_a_trainer_goes_on_in_the_middle_of_an_epoch(folder, tmp_path):
    from keras_video.training import Trainer

    def train(workdir, stop_at=None):
        keras.utils.set_random_seed(0)
        model = make_model()
        # What else a preset needs.
        model.save_to_preset = lambda path, metadata: path.mkdir()
        records = read_feature_list(folder / "all.list")
        data = _Interrupted(records, batch_size=2, training=True, **SMALL)
        data.stop_at = stop_at
        done = Trainer(model, data, workdir=workdir, num_epochs=2).run()
        return done, [np.array(weight) for weight in model.weights]

    done, straight = train(tmp_path / "straight")
    assert done["step"] == 12
    done, _ = train(tmp_path / "stopped", stop_at=4)
    assert not done["finished"] and 0 < done["step"] < 6
    done, resumed = train(tmp_path / "stopped")
    assert done["step"] == 12
    for one, other in zip(straight, resumed, strict=True):
        np.testing.assert_array_equal(one, other)


class _Interrupted(FeatureDataset):
    """Somebody stops the run when it has so many batches."""

    stop_at = None

    def __iter__(self):
        for number, batch in enumerate(super().__iter__(), 1):
            if number == self.stop_at:
                signal.raise_signal(signal.SIGTERM)
            yield batch


def test_the_tf_data_set_has_a_variable_length(folder):
    data = make(folder, batch_size=2, training=True)
    expected = numbers(data)
    tf_data = make(folder, batch_size=2, training=True).to_tf_data()
    inputs, labels = tf_data.element_spec
    assert inputs["rgb"].shape.as_list() == [2, None, 4] and labels.shape == (2, NUM_CLASSES)
    assert inputs["rgb_mask"].dtype.name == "bool" and len(tf_data) == 6
    assert numbers(tf_data.as_numpy_iterator()) == expected


def test_the_profile_counts_records(folder):
    profile = make(folder).profile(verbose=False)
    assert profile.clips == 13 and profile.batches == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": None}, "need `num_classes`.*labels up to 6"),
        ({"num_classes": 0}, "num_classes=0"),
        ({"num_classes": 3, "label_names": "ab"}, "num_classes=3, 2 label_names"),
        ({"features": "rgb"}, "names of modalities"),
        ({"features": ["audio"]}, "has no 'audio'"),
        ({"features": {"rgb": 5}}, "has 4 channels of 'rgb'"),
        ({"max_frames": 0}, "max_frames=0"),
        ({"length_step": 2.5}, "length_step=2.5"),
        ({"sampling": "last"}, "'last'"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_arguments_that_do_not_fit_are_named(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(folder, **arguments)


def test_not_one_readable_record_is_an_error(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"nothing")
    with pytest.raises(FeatureReadError, match="not one record can be read"):
        FeatureDataset(read_feature_list(tmp_path))
    with pytest.raises(ValueError, match="0 records"):
        FeatureDataset([])
