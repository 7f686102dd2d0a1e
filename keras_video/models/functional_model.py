"""`FunctionalModel`: the base of every model: presets, a dtype policy, a config."""

import keras

from keras_video._compat import first_batch, tracing_for_export
from keras_video.presets.preset_mixin import PresetMixin


class FunctionalModel(PresetMixin, keras.Model):
    """A functional model of a class of its own, with presets.

    A subclass builds its graph in `__init__`, gives it to this one, and adds its arguments to
    `get_config`.

    Args:
        inputs: `keras.Input`, or several in a list or a dictionary.
        outputs: what the graph makes of them.
        dtype: the policy that the layers were made with; `None` for the global one.
        name: of the model.

    Example:

    >>> @keras.saving.register_keras_serializable(package="my_package")
    ... class Tagger(FunctionalModel):
    ...     def __init__(self, num_classes=10, dtype=None, name=None):
    ...         features = keras.Input((None, 1024))
    ...         dense = keras.layers.Dense(num_classes, dtype=dtype, name="classifier")
    ...         super().__init__(features, dense(features), dtype=dtype, name=name)
    ...         self.num_classes = num_classes
    ...
    ...     def get_config(self):
    ...         return {**super().get_config(), "num_classes": self.num_classes}
    """

    # How the published training treated single weights: regular expression for `variable.path`,
    # multiplier of the learning rate, multiplier of the decay.
    weight_rules: tuple[tuple[str, float, float], ...] = ()
    # What a single output is called where outputs have names: in exported graphs.
    output_name = "logits"

    def __init__(self, inputs, outputs, *, dtype=None, name: str | None = None):
        super().__init__(inputs, outputs, name=name)
        if dtype is not None:
            # Keras gives such a model the global policy, and asks it in `compile` whether the loss
            # needs scaling ("mixed_float16").
            self.dtype_policy = dtype
        self.dtype_argument = dtype
        self._preprocessor = self._labels = None

    @property
    def preprocessor(self):
        """Turns a source, such as a video, into what the model takes; `None` without a preset."""
        return self._preprocessor

    @preprocessor.setter
    def preprocessor(self, preprocessor):
        self._preprocessor = preprocessor

    @property
    def labels(self) -> list[str] | None:
        """Names of the classes in the order of their numbers, or `None`."""
        return None if self._labels is None else list(self._labels)

    @labels.setter
    def labels(self, labels):
        if isinstance(labels, str) or not all(isinstance(label, str) for label in labels or ()):
            raise ValueError(f"`labels` must be a list of names. Received: labels={labels!r:.80}")
        num_classes = getattr(self, "num_classes", None)
        if labels is not None and num_classes not in (None, len(labels)):
            raise ValueError(
                "`labels` must name every class once. "
                f"Received: {len(labels)} labels for {num_classes} classes"
            )
        self._labels = None if labels is None else tuple(labels)

    def export(self, *args, **kwargs):
        """As `keras.Model.export`; the graph is one for every device, not for this machine's."""
        with tracing_for_export():
            return super().export(*args, **kwargs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Keras adds up the replicas' batches to see their shapes; masks can't be added.
        strategy = self.distribute_strategy
        if iterator is not None and strategy.num_replicas_in_sync > 1:
            iterator, data_batch = None, first_batch(iterator, strategy)
        super()._maybe_symbolic_build(iterator, data_batch)

    def get_config(self):
        return {
            "dtype": keras.saving.serialize_keras_object(self.dtype_argument),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        config["dtype"] = keras.saving.deserialize_keras_object(config.get("dtype"))
        return cls(**config)
