"""`Distillation`: the loss, and a student that learns without labels."""

import keras
import numpy as np
import pytest
from training.run_trainer import clips
from training.trajectories import SHAPE, build

from keras_video.training import SGD, Distillation, enable


def fixed(logits):
    """A model that answers with the same logits, whatever the clips."""
    inputs = keras.Input((2, 12, 12, 3))
    zeros = keras.ops.mean(inputs, axis=(1, 2, 3))[:, :1] * 0.0
    return keras.Model(inputs, zeros + keras.ops.convert_to_tensor(logits))


def softmax(logits):
    exponents = np.exp(logits)
    return exponents / exponents.sum(-1, keepdims=True)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("kind", ["logits", "dml"])
def test_the_loss_is_the_divergence(kind, temperature):
    teacher, student = np.array([[2.0, 0.5, -1.0]]), np.array([[0.0, 1.0, 0.3]])
    distillation = Distillation(
        fixed(teacher.astype("float32")), kind, weight=0.5, temperature=temperature
    )
    loss = distillation(np.zeros((2, 2, 12, 12, 3)), student.repeat(2, 0).astype("float32"))
    p, q = softmax(teacher / temperature), softmax(student / temperature)
    expected = np.sum(p * np.log(p / q))
    if kind == "dml":
        expected = (expected + np.sum(q * np.log(q / p))) / 2
    np.testing.assert_allclose(float(loss), 0.5 * temperature**2 * expected, rtol=1e-5)


def test_clips_without_weight_teach_nothing():
    distillation = Distillation(fixed(np.array([[2.0, 0.0, -1.0]], "float32")))
    batch, student = np.zeros((2, 2, 12, 12, 3)), np.zeros((2, 3), "float32")
    half = distillation(batch, student, np.array([1.0, 0.0]))
    np.testing.assert_allclose(float(half), float(distillation(batch, student)) / 2, rtol=1e-6)


def test_a_student_learns_from_its_teacher_alone():
    batch, labels = clips(24, shape=SHAPE)
    teacher = build("float32")
    teacher.compile(SGD(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    teacher.fit(batch, labels, batch_size=8, epochs=10, verbose=0)
    before = [keras.ops.convert_to_numpy(v) for v in teacher.weights]

    student = build("float32")
    student.compile(SGD(0.05), lambda labels, logits: keras.ops.sum(logits * 0.0, axis=-1))
    distillation = Distillation(teacher, temperature=2.0)
    start = float(distillation(batch, student(batch)))
    enable(student, distillation=distillation)
    student.fit(batch, labels, batch_size=8, epochs=10, verbose=0)
    assert float(distillation(batch, student(batch))) < 0.5 * start
    for old, variable in zip(before, teacher.weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), old)


def test_other_classes_are_refused():
    distillation = Distillation(fixed(np.zeros((1, 4), "float32")))
    with pytest.raises(ValueError, match="4 classes of the teacher, 3 of the student"):
        distillation(np.zeros((1, 2, 12, 12, 3)), np.zeros((1, 3), "float32"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "kl"}, "Received: kind='kl'"),
        ({"weight": -1}, "Received: weight=-1"),
        ({"temperature": 0}, "temperature=0"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Distillation(fixed(np.zeros((1, 3), "float32")), **options)
