"""The model of a recipe with its optimizer, learning rate and loss."""

import contextlib
import inspect
from collections.abc import Iterator, Sequence

import keras
from ml_collections import ConfigDict

from keras_video.presets.errors import did_you_mean
from keras_video.training.recipe_config import ConfigError


def model_class(config: ConfigDict) -> type:
    """The class that `config.model.name` names.

    Raises:
        ConfigError: there is no such class, with the nearest name.
    """
    import keras_video.models
    from keras_video.presets.import_string import import_object

    name = config.model.name
    if ":" in name:
        try:
            return import_object(name)
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"config.model.name: {error}. Received: {name!r}") from error
    if name not in keras_video.models.__all__:
        raise ConfigError(
            "config.model.name must be a class in keras_video.models, or package.module:Class."
            f"{did_you_mean(name, keras_video.models.__all__)} Received: {name!r}"
        )
    return getattr(keras_video.models, name)


def clip_frames(config: ConfigDict) -> int:
    """Frames of a clip in training and validation."""
    chosen = dict(config.model.arguments).get("num_frames")
    if chosen is not None:
        return chosen
    if config.model.preset is not None:
        return _preprocessor_config(config)["num_frames"]
    return inspect.signature(model_class(config)).parameters["num_frames"].default


def make_preprocessor(config: ConfigDict):
    """How the finished preset prepares a video: the preset's own way, or `config.preprocessor`."""
    from keras_video.data import VideoPreprocessor

    values = _preprocessor_config(config)
    unknown = sorted(set(values) - set(inspect.signature(VideoPreprocessor).parameters))
    if unknown:
        known = inspect.signature(VideoPreprocessor).parameters
        raise ConfigError(
            f"VideoPreprocessor has no such argument.{did_you_mean(unknown[0], known)} "
            f"Received: config.preprocessor.{unknown[0]}"
        )
    return VideoPreprocessor(**{"num_frames": clip_frames(config), **values})


def _preprocessor_config(config: ConfigDict) -> dict:
    from keras_video.data.preset_preprocessing import load_preprocessing

    values = {}
    if config.model.preset is not None:
        values = load_preprocessing(config.model.preset)[0].get_config()
        if "num_frames" in config.model.arguments:
            values["num_frames"] = config.model.arguments.num_frames
    return {**values, **config.preprocessor.to_dict()}


def make_model(config: ConfigDict, num_classes: int, labels: Sequence[str] | None):
    """Builds the model with its first weights, and freezes what the recipe freezes.

    A preset's classifier is kept where the classes are the same, or as many and without names; else
    it starts anew.

    Args:
        config: of the recipe.
        num_classes: size of its output.
        labels: the classes' names.

    Raises:
        ConfigError, PresetError: the config doesn't fit the model.
    """
    from keras_video.models import VideoClassifier
    from keras_video.presets.arguments import check_arguments
    from keras_video.training.backbone_weights import load_backbone
    from keras_video.training.freezing import freeze_batch_norm, freeze_layers

    arguments = config.model.arguments.to_dict()
    if "num_classes" in arguments:
        raise ConfigError(
            "The number of classes follows from the data. Received: config.model.arguments."
            f"num_classes={arguments['num_classes']!r}"
        )
    arguments.update(num_classes=num_classes, synchronized=config.sync_batch_norm)
    if config.model.preset is not None:
        model = VideoClassifier.from_preset(config.model.preset, **arguments)
        if model.labels is not None and labels == numbered(num_classes):
            labels = model.labels
        if model.labels is not None and labels is not None and model.labels != list(labels):
            _new_head(model)
    else:
        found = model_class(config)
        check_arguments(found, arguments)
        model = found(**arguments)
    if config.model.backbone is not None:
        load_backbone(model, config.model.backbone)
    if config.model.head_std is not None:
        _new_head(model, keras.initializers.RandomNormal(stddev=config.model.head_std))
    if config.freeze.until is not None:
        freeze_layers(model, until=config.freeze.until)
    if config.freeze.batch_norm != "none":
        freeze_batch_norm(model, keep_first=config.freeze.batch_norm == "all_but_first")
    model.preprocessor = make_preprocessor(config)
    model.labels = None if labels is None else list(labels)
    return model


def numbered(num_classes: int) -> tuple[str, ...]:
    """The names of classes that have none: their numbers."""
    return tuple(map(str, range(num_classes)))


def _new_head(model, initializer=None) -> None:
    for name in model.head_layers:
        layer = model.get_layer(name)
        layer.kernel.assign((initializer or layer.kernel_initializer)(layer.kernel.shape))
        layer.bias.assign(layer.bias_initializer(layer.bias.shape))


def compile_model(model, config: ConfigDict, steps_per_epoch: int) -> None:
    """Gives a model the recipe's optimizer, learning rate and loss; labels are one-hot."""
    schedule = make_schedule(config, steps_per_epoch)
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=config.loss.label_smoothing
    )
    top1 = keras.metrics.CategoricalAccuracy(name="top1")
    model.compile(make_optimizer(config, schedule, model), loss, metrics=[top1])


def make_schedule(config: ConfigDict, steps_per_epoch: int):
    """The learning rate of each step, as `config.schedule` describes it."""
    from keras_video.training.piecewise import Piecewise
    from keras_video.training.warmup_cosine import WarmupCosine

    values = config.schedule
    warmup = {"warmup_epochs": values.warmup_epochs, "warmup_start": values.warmup_start}
    if values.name == "warmup_cosine":
        return WarmupCosine(values.learning_rate, config.num_epochs, steps_per_epoch, **warmup)
    boundaries = values.boundaries if values.name == "piecewise" else ()
    rates = [values.learning_rate * values.decay**i for i in range(len(boundaries) + 1)]
    return Piecewise(boundaries, rates, steps_per_epoch, **warmup)


def make_optimizer(config: ConfigDict, learning_rate, model) -> keras.optimizers.Optimizer:
    """The optimizer that `config.optimizer` describes.

    Raises:
        ConfigError: there is no such optimizer, or it doesn't take its arguments.
    """
    from keras_video.training.optimizer_rules import weight_rules
    from keras_video.training.sgd import SGD

    values = config.optimizer
    arguments = {"global_clipnorm": values.clip_norm, "name": "optimizer"}
    if values.ema is not None:
        arguments.update(use_ema=True, ema_momentum=values.ema)
    if values.name == "sgd":
        found = SGD
        rules = weight_rules(model) if values.rules is None else values.rules
        arguments.update(
            momentum=values.momentum, nesterov=values.nesterov, l2=values.weight_decay, rules=rules
        )
    else:
        found = _keras_optimizer(values.name)
        arguments["weight_decay"] = values.weight_decay or None
    arguments.update(values.arguments.to_dict())
    try:
        return found(learning_rate, **arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"config.optimizer ({found.__name__}): {error}") from error


def _keras_optimizer(name: str) -> type:
    base = keras.optimizers.Optimizer
    known = {
        key.lower(): value
        for key, value in vars(keras.optimizers).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    }
    # Keras' own SGD puts the learning rate into the velocity.
    known.pop("sgd", None)
    if name.lower() not in known:
        raise ConfigError(
            "config.optimizer.name must be sgd or a class of keras.optimizers."
            f"{did_you_mean(name.lower(), ['sgd', *known])} Received: {name!r}"
        )
    return known[name.lower()]


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Builds layers in a precision that is not part of their model's config, nor of its preset."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
