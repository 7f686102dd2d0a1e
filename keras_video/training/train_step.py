"""`TrainStep`: one optimisation step, the same in `model.fit` and in the recipes' loop."""

import keras
import tensorflow as tf

from keras_video._compat import layers_in_order
from keras_video.training.distillation import Distillation


class TrainStep:
    """Forward, backward and update of a compiled model, on one replica's share of a batch.

    - XLA compiles forward and backward inside the replica; the update stays outside, because
      variables of another replica cannot enter a compiled function.
    - A batch may be cut into micro-batches whose gradients are averaged: the memory of one of them,
      the update of all. They run one after the other.
    - Over replicas, gradients are summed before they are clipped and before the loss scale looks
      for overflow, so that several replicas do what one would. (Keras does both before the sum,
      and asks the first replica alone whether it overflowed.)
    - With synchronised batch normalisation XLA cannot compile a replica as one function: TensorFlow
      then clusters what lies between (`tf.config.optimizer.set_jit`).

    Call it in a replica context: `strategy.run(step, args=(batch,))`.

    Args:
        model: a compiled `keras.Model`, made under the strategy that runs the step.
        xla: `True`, `False`, or `"auto"`: on GPUs and TPUs, not on CPUs, where XLA's convolutions
            are slow, and not for models with layers that XLA cannot compile, such as the LSTM of
            cuDNN. Defaults to `"auto"`.
        accumulate: number of micro-batches; must divide the replica's batch. Defaults to 1.
        distillation: a `Distillation`, whose loss is added.

    Returns (of a call): the mean loss over the replica's batch, and the model's outputs.

    Raises:
        ValueError: arguments out of range; the model is not compiled.

    Example:

    >>> model.compile(keras_video.training.SGD(0.1), "sparse_categorical_crossentropy")
    >>> step = TrainStep(model, accumulate=2)
    >>> loss, outputs = step((clips, labels))
    """

    def __init__(
        self,
        model: keras.Model,
        xla: bool | str = "auto",
        accumulate: int = 1,
        distillation: Distillation | None = None,
    ):
        if not getattr(model, "compiled", False) or model.optimizer is None:
            raise ValueError(
                "The model needs an optimizer and a loss: call `model.compile(optimizer, loss)` "
                f"first. Received: {model.name!r}, not compiled"
            )
        if not (isinstance(xla, bool) or xla == "auto"):
            raise ValueError(f'`xla` must be True, False or "auto". Received: xla={xla!r}')
        if isinstance(accumulate, bool) or not isinstance(accumulate, int) or accumulate < 1:
            raise ValueError(
                "`accumulate` must be a whole number of micro-batches from 1. "
                f"Received: accumulate={accumulate!r}"
            )
        self.model, self.accumulate, self.distillation = model, accumulate, distillation
        self.xla = _has_accelerator() and _suits_xla(model) if xla == "auto" else xla
        strategy = model.distribute_strategy
        if distillation is not None and strategy.num_replicas_in_sync > 1:
            _check_teacher(distillation.teacher)
        self._compile = self.xla
        if self.xla and strategy.num_replicas_in_sync > 1 and _is_synchronized(model):
            self._compile = False
            cluster_with_xla()

    def __call__(self, data) -> tuple:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        parts = self._micro_batches((x, y, weights))
        losses, outputs, total = [], [], None
        for part in parts:
            if total is not None:
                part = _after(total, part)
            loss, output, gradients = self._loss_and_gradients(*part)
            losses.append(loss)
            outputs.append(output)
            total = gradients if total is None else _sum(total, gradients)
        if self.accumulate > 1:
            total = [None if g is None else g / self.accumulate for g in total]
            outputs = [tf.nest.map_structure(lambda *o: tf.concat(o, axis=0), *outputs)]
        self._update(total)
        return tf.add_n(losses) / self.accumulate, outputs[0]

    def _micro_batches(self, batch: tuple) -> list[tuple]:
        if self.accumulate == 1:
            return [batch]
        for tensor in tf.nest.flatten(batch):
            size = None if tensor is None else tensor.shape[0]
            if size is not None and size % self.accumulate:
                raise ValueError(
                    "The batch of a replica must be a multiple of the number of micro-batches. "
                    f"Received: {size} clips, accumulate={self.accumulate}"
                )

        def part(tensor, index):
            return None if tensor is None else tf.split(tensor, self.accumulate)[index]

        return [
            tf.nest.map_structure(lambda t, index=index: part(t, index), batch)
            for index in range(self.accumulate)
        ]

    def _loss_and_gradients(self, x, y, weights):
        def forward_and_backward(x, y, weights):
            model = self.model
            with tf.GradientTape() as tape:
                outputs = model(x, training=True)
                loss = model.compute_loss(x, y, outputs, weights, training=True)
                # Keras divides the loss by the replicas; so must the teacher's part be.
                replicas = model.distribute_strategy.num_replicas_in_sync
                if self.distillation is not None:
                    loss += self.distillation(x, outputs, weights) / replicas
                scaled = model.optimizer.scale_loss(loss)
            gradients = tape.gradient(scaled, model.trainable_weights)
            return tf.cast(loss, "float32") * replicas, outputs, gradients

        if self._compile:
            # Made anew in each trace: a function belongs to the replica that traced it.
            forward_and_backward = tf.function(forward_and_backward, jit_compile=True)
        return forward_and_backward(x, y, weights)

    def _update(self, gradients: list) -> None:
        model = self.model
        gradients = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
        replicas = model.distribute_strategy.num_replicas_in_sync
        if replicas > 1 and _needs_total(model.optimizer):
            gradients = _total(gradients)
            gradients = _clip(gradients, model.optimizer)
            # The optimizer sums over replicas once more.
            gradients = [None if g is None else g / replicas for g in gradients]
        model.optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))


def _check_teacher(teacher: keras.Model) -> None:
    if any(not hasattr(weight.value, "values") for weight in teacher.weights):
        raise ValueError(
            "The teacher must be on every replica: make it, or the `Distillation` that loads it, "
            f"within `with strategy.scope():`. Received: teacher {teacher.name!r} on one device"
        )


def cluster_with_xla() -> None:
    """Lets XLA compile clusters of operations wherever it can, in all functions from now on."""
    tf.config.optimizer.set_jit("autoclustering")


def _has_accelerator() -> bool:
    return bool(tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("TPU"))


def _suits_xla(model: keras.Model) -> bool:
    return all(getattr(layer, "supports_jit", True) for layer in layers_in_order(model))


def _is_synchronized(model: keras.Model) -> bool:
    return any(getattr(layer, "synchronized", False) for layer in layers_in_order(model))


def _after(tensors: list, batch: tuple):
    """The batch, available once the tensors are."""
    with tf.control_dependencies([t for t in tensors if t is not None]):
        return tf.nest.map_structure(lambda t: None if t is None else tf.identity(t), batch)


def _sum(first: list, second: list) -> list:
    return [None if a is None else a + b for a, b in zip(first, second, strict=True)]


def _inner(optimizer):
    return getattr(optimizer, "inner_optimizer", optimizer)


def _needs_total(optimizer) -> bool:
    inner = _inner(optimizer)
    clips = (inner.clipnorm, inner.global_clipnorm, inner.clipvalue)
    return inner is not optimizer or any(clip is not None for clip in clips)


def _total(gradients: list) -> list:
    known = [g for g in gradients if g is not None]
    summed = iter(tf.distribute.get_replica_context().all_reduce("SUM", known))
    return [None if g is None else next(summed) for g in gradients]


def _clip(gradients: list, optimizer) -> list:
    """What the optimizer would clip to, if it saw the total; it then has nothing left to clip."""
    inner = _inner(optimizer)
    scale = optimizer.scale_loss(tf.ones(()))
    known = [g for g in gradients if g is not None]
    if inner.global_clipnorm is not None:
        known, _ = tf.clip_by_global_norm(known, inner.global_clipnorm * scale)
    elif inner.clipnorm is not None:
        known = [tf.clip_by_norm(g, inner.clipnorm * scale) for g in known]
    elif inner.clipvalue is not None:
        limit = inner.clipvalue * scale
        known = [tf.clip_by_value(g, -limit, limit) for g in known]
    clipped = iter(known)
    return [None if g is None else next(clipped) for g in gradients]
