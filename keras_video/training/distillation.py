"""`Distillation`: a student learns from what its teacher answers."""

import keras
from keras import ops

KINDS = ("logits", "dml")


class Distillation:
    """The loss between a student's logits and those of a frozen teacher on the same clips.

    `"logits"`: the divergence of the student's softened probabilities from the teacher's,
    `temperature ** 2 * KL(teacher || student)` (Hinton et al.). `"dml"`: the mean of both
    directions, `(KL(teacher || student) + KL(student || teacher)) / 2`, the loss of deep mutual
    learning (Zhang et al.), as the reference uses it with a frozen teacher.

    Args:
        teacher: a model that takes the student's clips, or a preset's name for one; it stays as it
            is (`trainable` becomes `False`). With several replicas, make it under their strategy.
        kind: `"logits"` (default) or `"dml"`.
        weight: factor of this loss beside the labels' loss. Defaults to 1.
        temperature: softens both, at `"logits"` and `"dml"` alike. Defaults to 1.

    Returns (of a call `distillation(clips, student_logits, weights)`): a scalar, the mean over the
    clips.

    Raises:
        ValueError: an unknown kind, numbers out of range, or a teacher with other classes.

    Example:

    >>> distillation = Distillation("pp_tsm_k400", temperature=4.0)
    >>> keras_video.training.enable(student, distillation=distillation)

    References: Hinton et al., "Distilling the Knowledge in a Neural Network",
    https://arxiv.org/abs/1503.02531; Zhang et al., "Deep Mutual Learning",
    https://arxiv.org/abs/1706.00384
    """

    def __init__(
        self,
        teacher: keras.Model | str,
        kind: str = "logits",
        weight: float = 1.0,
        temperature: float = 1.0,
    ):
        if kind not in KINDS:
            raise ValueError(f"`kind` must be one of {KINDS}. Received: kind={kind!r}")
        if not weight >= 0 or not temperature > 0:
            raise ValueError(
                "`weight` must not be negative and `temperature` must be above 0. "
                f"Received: weight={weight!r}, temperature={temperature!r}"
            )
        if isinstance(teacher, str):
            from keras_video.models import VideoClassifier

            teacher = VideoClassifier.from_preset(teacher)
        teacher.trainable = False
        self.teacher, self.kind = teacher, kind
        self.weight, self.temperature = float(weight), float(temperature)

    def __call__(self, clips, student_logits, weights=None):
        teacher_logits = ops.stop_gradient(self.teacher(clips, training=False))
        if teacher_logits.shape[-1] != student_logits.shape[-1]:
            raise ValueError(
                "Teacher and student must know the same classes. Received: "
                f"{teacher_logits.shape[-1]} classes of the teacher, {student_logits.shape[-1]} "
                "of the student"
            )
        teacher = ops.log_softmax(ops.cast(teacher_logits, "float32") / self.temperature)
        student = ops.log_softmax(ops.cast(student_logits, "float32") / self.temperature)
        divergence = ops.sum(ops.exp(teacher) * (teacher - student), axis=-1)
        if self.kind == "dml":
            divergence = (divergence + ops.sum(ops.exp(student) * (student - teacher), -1)) / 2
        if weights is not None:
            divergence = divergence * ops.cast(weights, "float32")
        return self.weight * self.temperature**2 * ops.mean(divergence)
