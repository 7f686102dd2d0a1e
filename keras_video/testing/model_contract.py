"""`ModelContract`: what every model must do, as tests."""

import json

import keras
import numpy as np

from keras_video._compat import layers_in_order
from keras_video.models import VideoClassifier
from keras_video.presets.arguments import argument_names
from keras_video.testing.drawing import draw_clips, draw_weights
from keras_video.testing.two_replicas import two_logical_cpus, two_replicas


class ModelContract:
    """The tests that every model passes: derive a class for yours, and pytest runs them.

    Presets, files and configs bring back the same outputs; reduced precision comes near; batches of
    other sizes are taken; training lowers the loss, also on two replicas; a SavedModel computes the
    same; every checkpoint format has a place for every weight.

    Set `model_class` and `arguments`. A model that takes no clips, or whose outputs are not logits
    of classes, overrides `inputs`, `other_inputs`, `targets` and `loss`.

    Attributes:
        model_class: the class.
        arguments: of a small model; the tests should take seconds.
        train_arguments: changes of `arguments` that make training deterministic.
        learning_rate: of SGD, with which six steps on two samples halve the loss.

    Example (a whole test file):

    >>> from keras_video.testing import ModelContract
    >>> class TestMyModel(ModelContract):
    ...     model_class = MyModel
    ...     arguments = {"num_classes": 5, "num_frames": 4}
    """

    model_class: type
    arguments: dict = {}
    train_arguments: dict = {"dropout": 0.0}
    learning_rate = 0.01

    # === What a contract may say of its own ===

    @classmethod
    def inputs(cls, batch_size: int):
        """Inputs of so many samples: an array, or a structure of arrays as the model takes it."""
        frames, height, width = cls._clip_shape()
        return draw_clips(batch_size, frames, height or 45, width or 64)

    @classmethod
    def other_inputs(cls) -> list:
        """Further inputs that the model takes: clips of other sizes, sequences of other lengths."""
        frames, height, _ = cls._clip_shape()
        return [] if height else [draw_clips(1, frames, 32, 33), draw_clips(1, frames, 71, 57)]

    @classmethod
    def targets(cls, batch_size: int):
        """What the loss compares the outputs with: class numbers."""
        return np.arange(1, 2 * batch_size, 2) % cls.model.output_shape[-1]

    @classmethod
    def loss(cls):
        """What `model.compile` takes as its loss."""
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    # === What tests are made of ===

    @classmethod
    def build(cls, **overrides) -> keras.Model:
        """A small model with weights that depend on their names only."""
        model = cls.model_class(**{**cls.arguments, **overrides})
        draw_weights(model)
        return model

    @classmethod
    def setup_class(cls):
        if keras.backend.backend() == "tensorflow":
            two_logical_cpus()
        cls.model = cls.build()
        cls.outputs = predict(cls.model, cls.inputs(2))
        cls.called = None

    @classmethod
    def teardown_class(cls):
        del cls.model, cls.outputs, cls.called

    @classmethod
    def _called(cls):
        """What copies of the model must compute: not compiled, which takes most of the time."""
        if cls.called is None:
            cls.called = call(cls.model, cls.inputs(2))
        return cls.called

    @classmethod
    def _clip_shape(cls) -> tuple:
        """Frames, height and width of the model's clips; `None` for any."""
        shape = cls.model.input_shape
        if not isinstance(shape, tuple) or len(shape) != 5:
            raise NotImplementedError(
                f"{cls.__name__}: a model that takes no clips needs `inputs` and `other_inputs` of "
                f"its own. Received: input_shape={shape}"
            )
        return shape[1:4]

    def _compiled(self, **overrides) -> keras.Model:
        known = argument_names(self.model_class)
        changes = {name: v for name, v in self.train_arguments.items() if name in known}
        model = self.build(**{**changes, **overrides})
        model.compile(keras.optimizers.SGD(self.learning_rate), self.loss())
        return model

    # === The contract ===

    def test_outputs_are_float32_and_numbers(self):
        for output in keras.tree.flatten(self.outputs):
            _expect(output.dtype == "float32", f"outputs are float32, not {output.dtype}")
            _expect(len(output) == 2, f"2 samples give 2 outputs, not {len(output)}")
            _expect(np.isfinite(output).all(), "outputs are finite")
            _expect(output.std() > 1e-3, f"outputs differ; their deviation is {output.std():.2g}")

    def test_a_sample_does_not_depend_on_the_others(self):
        alone = call(self.model, self.inputs(1))
        _same(alone, keras.tree.map_structure(lambda a: a[:1], self.outputs), 1e-4)

    def test_uint8_and_float_inputs_give_the_same_answer(self):
        _same(call(self.model, _floats(self.inputs(2))), self._called())

    def test_inputs_of_other_sizes_are_taken(self):
        for inputs in self.other_inputs():
            for output in keras.tree.flatten(predict(self.model, inputs)):
                _expect(np.isfinite(output).all(), "outputs are finite")

    def test_variable_paths_are_unique(self):
        paths = [weight.path for weight in self.model.weights]
        _expect(len(set(paths)) == len(paths), "no two weights have one path")

    def test_the_config_is_json_and_builds_the_same_model(self):
        config = json.loads(json.dumps(self.model.get_config()))
        copy = self.model_class.from_config(config)
        _expect(copy.get_config() == self.model.get_config(), "a copy has the same config")
        paths = [[weight.path for weight in model.weights] for model in (copy, self.model)]
        _expect(paths[0] == paths[1], "a copy has the same weights")

    def test_keras_files_bring_back_the_model(self, tmp_path):
        self.model.save(tmp_path / "model.keras")
        copy = keras.saving.load_model(tmp_path / "model.keras")
        _expect(type(copy) is self.model_class, f"the class is kept, not a {type(copy).__name__}")
        _same(call(copy, self.inputs(2)), self._called())

    def test_presets_bring_back_the_model(self, tmp_path):
        """Of the class that the preset names: only registered models and plug-ins are loaded so."""
        from keras_video.data import VideoPreprocessor
        from keras_video.presets import load_preset

        model, labels = self.model, None
        if isinstance(model, VideoClassifier):
            labels = [f"class {number}" for number in range(model.num_classes)]
            model.preprocessor = VideoPreprocessor(model.input_shape[1], crop_size=48)
        model.labels = labels
        model.save_to_preset(tmp_path / "preset")
        copy = load_preset(tmp_path / "preset")
        _expect(type(copy) is self.model_class, f"the class is kept, not a {type(copy).__name__}")
        _expect(copy.labels == labels, "labels are kept")
        _expect(copy.preprocessor == model.preprocessor, "the preprocessor is kept")
        _same(call(copy, self.inputs(2)), self._called())

    def test_checkpoint_maps_have_a_place_for_every_weight(self):
        from keras_video.presets import convert, original_tensors
        from keras_video.presets.checkpoint_format import as_format

        built = {}
        for format, described in self.model_class.checkpoint_maps.items():
            needed = as_format(described).arguments
            key = json.dumps(needed, sort_keys=True)
            if key not in built:
                built[key] = self.build(**needed) if needed else self.model, self.build(**needed)
            source, copy = built[key]
            for weight in copy.weights:
                weight.assign(keras.ops.zeros_like(weight))
            convert(original_tensors(source, format), copy, format=format)
            for ours, theirs in zip(copy.weights, source.weights, strict=True):
                np.testing.assert_allclose(
                    *map(keras.ops.convert_to_numpy, (ours, theirs)), err_msg=ours.path
                )

    def test_rules_of_the_published_training_match_weights(self):
        from keras_video.training import weight_rules

        _expect(
            len(weight_rules(self.model)) == len(getattr(self.model, "weight_rules", ())),
            "every rule of `weight_rules` matches a trainable weight",
        )

    def test_reduced_precision_comes_near_float32(self):
        for dtype in ("mixed_bfloat16", "bfloat16", "mixed_float16"):
            outputs = call(self.build(dtype=dtype), self.inputs(2))
            for actual, expected in _pairs(outputs, self.outputs):
                _expect(actual.dtype == "float32", f"{dtype}: outputs are float32")
                tolerance = 0.1 * np.abs(expected).max()
                np.testing.assert_allclose(actual, expected, atol=tolerance, err_msg=dtype)

    def test_the_loss_is_scaled_in_float16(self):
        model = self._compiled(dtype="mixed_float16")
        _expect(model.dtype_policy.name == "mixed_float16", "the model has its layers' policy")
        scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        _expect(scaled, "`compile` scales the loss")

    def test_training_lowers_the_loss(self):
        from keras_video.training import enable

        model = enable(self._compiled())
        losses = _fit(model, self.inputs(2), self.targets(2), epochs=6)
        _expect(losses[-1] < 0.5 * losses[0], f"six steps halve the loss: {losses}")

    def test_two_replicas_predict_and_train(self):
        with two_replicas().scope():
            model = self._compiled()
        _same(predict(model, self.inputs(2)), self.outputs, 1e-4)
        losses = _fit(model, self.inputs(4), self.targets(4), epochs=1)
        _expect(np.isfinite(losses).all(), f"the loss is finite: {losses}")

    def test_synchronized_reaches_every_batch_normalization(self):
        if "synchronized" in argument_names(self.model_class):
            model = self.model_class(**{**self.arguments, "synchronized": True})
            found = [layer for layer in layers_in_order(model) if hasattr(layer, "synchronized")]
            _expect(len(found) > 1, "layers under it have `synchronized`")
            others = [layer.name for layer in found if not layer.synchronized]
            _expect(not others, f"it is True in all of them, not False in {others}")

    def test_a_saved_model_computes_the_same(self, tmp_path):
        import tensorflow as tf

        self.model.export(tmp_path / "saved", verbose=False)
        served = tf.saved_model.load(tmp_path / "saved")
        _same(served.serve(_floats(self.inputs(2))), self.outputs, 1e-4)


def predict(model: keras.Model, inputs):
    """The outputs as arrays, of a compiled graph."""
    return model.predict(inputs, verbose=0)


def call(model: keras.Model, inputs):
    """The same, computed layer by layer."""
    outputs = model(inputs, training=False)
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def _fit(model, inputs, targets, epochs: int) -> list[float]:
    size = len(keras.tree.flatten(inputs)[0])
    return model.fit(inputs, targets, batch_size=size, epochs=epochs, verbose=0).history["loss"]


def _floats(inputs):
    return keras.tree.map_structure(
        lambda array: array.astype("float32") if array.dtype == "uint8" else array, inputs
    )


def _same(actual, expected, tolerance: float = 0.0) -> None:
    for ours, theirs in _pairs(actual, expected):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def _pairs(actual, expected):
    keras.tree.assert_same_structure(actual, expected)
    flat = (keras.tree.flatten(structure) for structure in (actual, expected))
    for ours, theirs in zip(*flat, strict=True):
        yield keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)


def _expect(condition, what: str) -> None:
    if not condition:
        raise AssertionError(f"Expected: {what}")
