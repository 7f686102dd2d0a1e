"""`ClassificationEvaluator`: every clip once, whatever the batches and replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_video.data import (
    ArrayDataset,
    VideoDataset,
    VideoPreprocessor,
    VideoRecord,
    render_motion_clip,
    write_video,
)
from keras_video.training import ClassificationEvaluator


def answering(logits: np.ndarray):
    """A model whose answer to a clip that holds the number `i` is row `i`."""
    inputs = keras.Input((1, 1, 1, 1))
    table = keras.layers.Embedding(
        len(logits),
        logits.shape[1],
        embeddings_initializer=lambda shape, dtype: tf.cast(logits, dtype),
    )
    return keras.Model(inputs, table(keras.ops.reshape(inputs, (-1,))))


def numbered(labels, **options):
    clips = np.arange(len(labels), dtype="float32").reshape(-1, 1, 1, 1, 1)
    return ArrayDataset(clips, labels, **options)


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    return rng.normal(0, 1, (23, 8)).astype("float32"), rng.integers(0, 8, 23)


def expected(logits, labels, k=5):
    order = np.argsort(-logits, axis=-1, kind="stable")
    places = (order == labels[:, None]).argmax(-1)
    losses = np.log(np.exp(logits).sum(-1)) - logits[np.arange(len(labels)), labels]
    return {"loss": losses.mean(), "top1": np.mean(places < 1), "top5": np.mean(places < k)}


@pytest.mark.parametrize("batch_size", [4, 23, 32])
@pytest.mark.parametrize("last_batch", ["pad", "keep"])
def test_every_clip_counts_once_whatever_the_batch(answers, batch_size, last_batch):
    data = numbered(answers[1], batch_size=batch_size, last_batch=last_batch)
    result = ClassificationEvaluator(answering(answers[0]), data).evaluate()
    assert result == pytest.approx(expected(*answers), rel=1e-6)


def test_two_replicas_count_every_clip_once(answers, two_replicas):
    with two_replicas.scope():
        model = answering(answers[0])
    evaluator = ClassificationEvaluator(
        model, numbered(answers[1], batch_size=6, last_batch="pad"), two_replicas
    )
    assert evaluator.evaluate() == pytest.approx(expected(*answers), rel=1e-6)


def test_shards_together_count_every_clip_once(answers):
    model = answering(answers[0])
    results = [
        ClassificationEvaluator(
            model, numbered(answers[1], batch_size=4, num_shards=2, shard_index=shard)
        ).evaluate()
        for shard in range(2)
    ]
    top1 = (12 * results[0]["top1"] + 11 * results[1]["top1"]) / 23
    assert top1 == pytest.approx(expected(*answers)["top1"])


def test_fewer_classes_than_five(answers):
    logits, labels = answers[0][:, :3], answers[1] % 3
    result = ClassificationEvaluator(answering(logits), numbered(labels, last_batch="pad"))
    assert result.evaluate()["top5"] == 1.0


def test_one_hot_labels(answers):
    one_hot = np.eye(8, dtype="float32")[answers[1]]
    result = ClassificationEvaluator(answering(answers[0]), numbered(one_hot)).evaluate()
    assert result == pytest.approx(expected(*answers), rel=1e-6)


def test_answers_that_are_no_numbers_are_wrong(answers):
    logits = answers[0].copy()
    logits[:, 0] = np.nan
    result = ClassificationEvaluator(answering(logits), numbered(answers[1])).evaluate()
    assert result["top1"] == result["top5"] == 0 and np.isnan(result["loss"])


def test_of_equal_answers_the_lower_class_comes_first():
    logits = np.zeros((4, 8), "float32")
    evaluator = ClassificationEvaluator(answering(logits), numbered(np.array([0, 1, 4, 5])))
    assert evaluator.evaluate()["top1"] == 0.25 and evaluator.evaluate()["top5"] == 0.75


@pytest.mark.parametrize("one_hot", [False, True])
def test_a_video_that_cannot_be_read_is_wrong(tmp_path, one_hot):
    for name in ("a", "b", "c", "d"):
        write_video(tmp_path / f"{name}.mp4", render_motion_clip("moving left", 0, 4, 32))
    (tmp_path / "b.mp4").write_bytes(b"no video")
    records = [VideoRecord(str(tmp_path / f"{name}.mp4"), 0) for name in ("a", "b", "c", "d")]
    data = VideoDataset(
        records,
        preprocessor=VideoPreprocessor(num_frames=2, short_side=32, crop_size=32),
        batch_size=3,
        last_batch="pad",
        labels=["left", "right"],
        one_hot=one_hot,
    )
    inputs = keras.Input((2, 32, 32, 3))
    zeros = keras.ops.mean(inputs, axis=(1, 2, 3))[:, :1] * 0.0
    always_left = keras.Model(inputs, zeros + keras.ops.convert_to_tensor([[1.0, 0.0]]))
    for _ in range(2):
        result = ClassificationEvaluator(always_left, data).evaluate()
        assert result["top1"] == result["top5"] == 0.75


def test_dropping_clips_is_refused(answers):
    data = numbered(answers[1], batch_size=4, last_batch="drop")
    with pytest.raises(ValueError, match='last_batch="pad"'):
        ClassificationEvaluator(answering(answers[0]), data)
