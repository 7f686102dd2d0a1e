"""`ModelSummary`: what a model consists of and what an answer costs."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class LayerSummary:
    """One layer of a model, or the operations that it has outside of its layers.

    Args:
        name: with those of the models around it, such as `"backbone/stem_conv"`.
        kind: its class.
        output_shape: with one sample in the batch; of several outputs the first one's.
        parameters: numbers in its weights, batch statistics among them.
        multiply_adds: of one sample, by kind, as in `ModelSummary`.
    """

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int
    multiply_adds: dict[str, int]

    @property
    def total_multiply_adds(self) -> int:
        """Multiply-adds of all kinds."""
        return sum(self.multiply_adds.values())


@dataclasses.dataclass(frozen=True)
class ModelSummary:
    """What a model consists of and what an answer costs; `summarize` makes it.

    Args:
        model: the class.
        input_shapes: by name, with one sample in the batch.
        layers: in the order in which they are called. A layer is what the functional model calls,
            not what is within that; models within a model are taken apart.
        parameters: numbers in all weights.
        trainable_parameters: those that training changes.
        batch_norm_parameters: scales and offsets of batch normalisation, among the trainable ones
            unless they are frozen.
        batch_norm_statistics: moving means and variances, among all parameters.
        trainable_batch_norm_parameters: those of `batch_norm_parameters` that training changes.
        multiply_adds: of one sample in inference: `"conv"`, convolutions; `"linear"`, other
            products with weights; `"matmul"`, of activations with activations.
        views: samples that an answer for a whole video takes; `None` where that isn't known.
        weight_bytes: of all weights.
        activation_bytes: the most that activations of one sample take at once; `None` where the
            graph leaves a size open. By the graph of inference: operations one after the other,
            each output kept until its last reader is done, views for nothing, elementwise
            operations in place. Without what a runtime's kernels need meanwhile.
        activation_peak: the layer at which that is.
        uncounted: names of layers whose products could not be counted. The multiply-adds are too
            few then.
        notes: what layers say of their counts.
    """

    model: str
    input_shapes: dict[str, tuple[int, ...]]
    layers: tuple[LayerSummary, ...]
    parameters: int
    trainable_parameters: int
    batch_norm_parameters: int
    batch_norm_statistics: int
    trainable_batch_norm_parameters: int
    multiply_adds: dict[str, int]
    views: int | None
    weight_bytes: int
    activation_bytes: int | None
    activation_peak: str | None
    uncounted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def parameters_without_batch_norm(self) -> int:
        """All parameters but those and the statistics of batch normalisation."""
        return self.parameters - self.batch_norm_parameters - self.batch_norm_statistics

    @property
    def trainable_parameters_without_batch_norm(self) -> int:
        """Trainable parameters but those of batch normalisation."""
        return self.trainable_parameters - self.trainable_batch_norm_parameters

    @property
    def total_multiply_adds(self) -> int:
        """Multiply-adds of one sample."""
        return sum(self.multiply_adds.values())

    @property
    def video_multiply_adds(self) -> int | None:
        """Multiply-adds of an answer for a whole video, all its views."""
        return None if self.views is None else self.views * self.total_multiply_adds
