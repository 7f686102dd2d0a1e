"""Videos to batches: order, shards, positions, the last batch, and what Keras makes of it."""

import json
import pickle

import keras
import numpy as np
import pytest
from dataset_videos import number_of, write_folder

from keras_video.data import VideoPreprocessor
from keras_video.data.frame_shards import write_frame_shards
from keras_video.data.video_dataset import VideoDataset
from keras_video.data.video_list import VideoList

PREPROCESSOR = VideoPreprocessor(num_frames=4, short_side=40, crop_size=32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("videos") / "train")


def make(folder, **arguments):
    arguments = {"preprocessor": PREPROCESSOR, "training": True, "batch_size": 4, **arguments}
    return VideoDataset.from_folder(folder, **arguments)


def numbers(batches):
    return [[number_of(clip) for clip in batch[0]] for batch in batches]


def assert_same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


class Recorder(keras.Model):
    """A model that keeps the numbers of the videos that it is trained on."""

    def __init__(self):
        super().__init__()
        self.head = keras.layers.Dense(3)
        self.seen = []

    def call(self, clips):
        return self.head(keras.ops.mean(keras.ops.cast(clips, "float32"), axis=(1, 2, 3)))

    def train_step(self, data):
        clips, _ = data
        self.seen.append([number_of(np.asarray(clip)) for clip in clips])
        return {"loss": 0.0}


def recorder():
    model = Recorder()
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def test_batches_of_training(folder):
    train = make(folder)
    batches = list(train)
    assert len(train) == len(batches) == 4
    for clips, labels in batches:
        assert clips.shape == (4, 4, 32, 32, 3) and clips.dtype == np.uint8
        assert labels.dtype == np.int32
        assert labels.tolist() == [number_of(clip) // 6 for clip in clips]
    shown = sum(numbers(batches), [])
    assert len(set(shown)) == 16 and shown != sorted(shown)
    assert train.labels == ("ant", "bee", "cat")


def test_batches_of_evaluation_come_in_order_and_all_of_them(folder):
    val = make(folder, training=False)
    for _ in range(2):
        batches = list(val)
        assert sum(numbers(batches), []) == list(range(18))
        assert [len(clips) for clips, _ in batches] == [4, 4, 4, 4, 2]
    expected = [PREPROCESSOR(record.source)[0] for record in val.records]
    np.testing.assert_array_equal(np.concatenate([clips for clips, _ in val]), expected)


def test_a_padded_batch_has_weights(folder):
    batches = list(make(folder, training=False, last_batch="pad"))
    assert [weights.tolist() for *_, weights in batches] == [[1] * 4] * 4 + [[1, 1, 0, 0]]
    assert not batches[-1][0][2:].any()
    assert all(clips.shape[0] == 4 for clips, *_ in batches)


def test_two_runs_give_the_same_batches_whatever_the_workers(folder):
    runs = [make(folder, workers=workers, prefetch=p) for workers, p in ((1, 0), (3, 2))]
    epochs = [[list(run) for _ in range(2)] for run in runs]
    for one, other in zip(*epochs, strict=True):
        assert_same(one, other)
    assert numbers(epochs[0][0]) != numbers(epochs[0][1])
    assert numbers(list(make(folder, seed=1))) != numbers(epochs[0][0])


@pytest.mark.parametrize("stop", [1, 3, 4, 6])
def test_a_run_that_was_stopped_goes_on_with_the_next_batch(folder, stop):
    whole = make(folder)
    expected = [batch for _ in range(3) for batch in whole]
    first, seen = make(folder), []
    while len(seen) < stop:
        for batch in first:
            seen.append(batch)
            if len(seen) == stop:
                state = json.loads(json.dumps(first.state()))
                break
    second = make(folder)
    second.restore(state)
    assert len(second) == 4 - stop % 4
    while len(seen) < len(expected):
        seen += list(second)
    assert_same(seen, expected)


def test_a_state_of_other_data_is_refused(folder):
    state = make(folder).state()
    with pytest.raises(ValueError, match="seed=0, here 1"):
        make(folder, seed=1).restore(state)


@pytest.mark.parametrize("training", [True, False])
def test_shards_are_disjoint_and_cover_the_epoch(folder, training):
    shards = [
        make(folder, training=training, num_shards=2, shard_index=i, batch_size=3) for i in (0, 1)
    ]
    for _ in range(2):
        shown = [list(shard) for shard in shards]
        assert len(shown[0]) == len(shown[1]) == 3
        seen = [sum(numbers(batches), []) for batches in shown]
        assert not set(seen[0]) & set(seen[1])
        assert sorted(seen[0] + seen[1]) == list(range(18))


def test_fit_takes_the_batches_in_their_order(folder):
    expected = numbers([batch for ds in [make(folder)] for _ in range(3) for batch in ds])
    model = recorder()
    model.fit(make(folder), epochs=3, verbose=0)
    assert model.seen == expected


def test_fit_in_steps_goes_on_where_it_was(folder):
    model, train = recorder(), make(folder)
    model.fit(train, epochs=4, steps_per_epoch=2, verbose=0)
    assert model.seen == numbers([batch for ds in [make(folder)] for _ in (0, 1) for batch in ds])


def test_fit_resumes_in_the_middle_of_an_epoch(folder):
    expected = numbers([batch for ds in [make(folder)] for _ in range(3) for batch in ds])
    train = make(folder)
    train.restore(make(folder).state(epoch=1, batch=3))
    model = recorder()
    model.fit(train, initial_epoch=1, epochs=2, verbose=0)
    model.fit(train, initial_epoch=2, epochs=3, verbose=0)
    assert model.seen == expected[7:]


def test_fit_with_more_than_the_rest_of_an_epoch_is_an_error(folder):
    train = make(folder)
    train.restore(train.state(epoch=0, batch=2))
    with pytest.raises(RuntimeError, match="a `fit` of its own"):
        recorder().fit(train, epochs=2, verbose=0)


def test_a_second_pass_in_the_middle_of_one_is_an_error(folder):
    train = make(folder)
    passes = zip(train, train, strict=True)
    with pytest.raises(RuntimeError, match="Another pass"):
        list(passes)


def test_batches_by_number_change_nothing(folder):
    train = make(folder)
    expected = list(train)
    again = make(folder)
    assert_same([again[2], again.batch(0)], [expected[2], expected[0]])
    assert_same(list(again), expected)
    assert again.record_indices(1, epoch=0).tolist() == numbers(expected)[1]
    with pytest.raises(IndexError, match="0 to 3"):
        again[4]


def test_a_data_set_travels_to_another_process(folder):
    train = make(folder)
    expected = list(train)
    copy = pickle.loads(pickle.dumps(make(folder)))
    assert_same(list(copy), expected)


def test_lists_samplers_and_transforms(folder, tmp_path):
    VideoList.from_folder(folder).write(tmp_path / "all.list")
    calls = []

    def first_frames(length, num_frames, num_clips=1):
        return np.arange(num_frames)[None]

    def crop(clip, rng):
        calls.append(clip.shape)
        top = rng.integers(0, 16)
        return clip[:, top : top + 32, :32]

    data = VideoDataset.from_list(
        tmp_path / "all.list", sampler=first_frames, num_frames=3, transforms=[crop],
        training=True, batch_size=6,
    )  # fmt: skip
    clips, labels = data[0]
    assert clips.shape == (6, 3, 32, 32, 3) and data.labels == ("ant", "bee", "cat")
    assert set(calls) == {(3, 48, 48, 3)}


def test_one_hot_labels_and_batch_transforms(folder):
    def halve(clips, labels, rng):
        return clips, labels * rng.integers(2, 4)

    clips, labels = make(folder, batch_transform=halve)[0]
    assert labels.shape == (4, 3) and labels.dtype.kind == "f"
    assert set(labels.sum(axis=1)) < {2.0, 3.0}
    assert make(folder, one_hot=True, training=False)[0][1][0].tolist() == [1, 0, 0]


def test_views_of_evaluation(folder):
    many = VideoPreprocessor(num_frames=4, short_side=40, crop_size=32, num_clips=2, crop="three")
    assert make(folder, preprocessor=many, training=False)[0][0].shape == (4, 4, 32, 32, 3)
    views = make(folder, preprocessor=many, training=False, all_views=True)[0][0]
    assert views.shape == (4, 6, 4, 32, 32, 3)


def test_a_preprocessor_of_ones_own(folder):
    class Darker(VideoPreprocessor):
        def __call__(self, source):
            return super().__call__(source) // 2

    bright, dark = make(folder, training=False)[0][0], Darker(**PREPROCESSOR.get_config())
    np.testing.assert_array_equal(
        make(folder, training=False, preprocessor=dark)[0][0], bright // 2
    )

    def first_frame(video):
        return video.get_frames([0])[None]

    assert make(folder, training=False, preprocessor=first_frame)[0][0].shape == (4, 1, 48, 48, 3)
    with pytest.raises(ValueError, match="what training needs"):
        make(folder, preprocessor=first_frame)


def test_videos_without_class(folder):
    records = [record.source for record in VideoList.from_folder(folder)]
    data = VideoDataset(records, preprocessor=PREPROCESSOR, batch_size=12)
    (clips,) = data[0]
    assert clips.shape[0] == 12 and len(data[1]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preprocessor": None}, "which frames make a clip"),
        ({"preset": "tsm_tiny_motion"}, "not both"),
        ({"batch_size": 0}, "`batch_size`"),
        ({"num_shards": 2, "shard_index": 2}, "`shard_index`"),
        ({"last_batch": "wrap"}, "`last_batch`"),
        ({"last_batch": "drop", "batch_size": 20}, "not one batch"),
        ({"last_batch": "keep", "num_shards": 2}, "number of batches"),
        ({"workers": 0}, "`workers`"),
        ({"labels": "preset"}, "together with a `preset`"),
        ({"transforms": [3]}, "Received: 3"),
    ],
)
def test_arguments_that_make_no_data_set(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(folder, **arguments)


def test_clips_of_many_shapes_are_an_error(folder):
    data = make(folder, transforms=[lambda clip, rng: clip[:, : 20 + rng.integers(20)]])
    with pytest.raises(ValueError, match="one shape"):
        data[0]


def test_an_error_in_a_transform_names_the_video(folder):
    def broken(clip, rng):
        raise KeyError("oh")

    with pytest.raises(KeyError) as caught:
        make(folder, transforms=[broken])[0]
    assert any(".mp4" in note for note in caught.value.__notes__)


def test_shards_of_frames_give_the_clips_of_the_videos(folder, tmp_path):
    videos = VideoList.from_folder(folder)
    shards = write_frame_shards(videos, tmp_path / "shards", records_per_shard=7, short_side=40)
    data = VideoDataset(
        shards.records, preprocessor=PREPROCESSOR, training=True, batch_size=4, labels=videos.labels
    )
    for one, other in zip(data, make(folder), strict=True):
        assert numbers([one]) == numbers([other])
        np.testing.assert_array_equal(one[1], other[1])
        difference = one[0].astype(int) - other[0]
        assert np.abs(difference).mean() < 4
    VideoList(shards.records, videos.labels).write(tmp_path / "shards" / "train.list")
    listed = VideoDataset.from_list(
        tmp_path / "shards" / "train.list", preprocessor=PREPROCESSOR, training=True, batch_size=4
    )
    data.restore(data.state(epoch=0, batch=0))
    assert_same(list(listed), list(data))
