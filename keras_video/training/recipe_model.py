"""The model of a recipe with its optimizer, learning rate and loss."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence

import keras
from ml_collections import ConfigDict

from keras_video.presets.errors import did_you_mean
from keras_video.training.recipe_config import ConfigError

OWN_OPTIMIZERS = ("sgd", "rmsprop", "adam")


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
    parameters = inspect.signature(model_class(config)).parameters
    if "num_frames" not in parameters:
        raise ConfigError(
            "Training on videos, and multigrid training, need a model of clips, with `num_frames`. "
            f"Received: config.model.name={config.model.name!r}"
        )
    return parameters["num_frames"].default


def make_preprocessor(config: ConfigDict):
    """How the finished preset prepares a video: the preset's own way, or `config.preprocessor`."""
    from keras_video.data import VideoPreprocessor

    found = VideoPreprocessor if config.model.preset is None else type(_preset_way(config))
    known = inspect.signature(found).parameters
    for name in config.preprocessor:
        if name not in known:
            raise ConfigError(
                f"{found.__name__} has no such argument.{did_you_mean(name, known)} "
                f"Received: config.preprocessor.{name}"
            )
    return found(**{"num_frames": clip_frames(config), **_preprocessor_config(config)})


def _preprocessor_config(config: ConfigDict) -> dict:
    values = {} if config.model.preset is None else _preset_way(config).get_config()
    if values and "num_frames" in config.model.arguments:
        values["num_frames"] = config.model.arguments.num_frames
    return {**values, **config.preprocessor.to_dict()}


def _preset_way(config: ConfigDict):
    from keras_video.data.preset_preprocessing import load_preprocessing

    return load_preprocessing(config.model.preset)[0]


def make_model(config: ConfigDict, num_classes: int | None, labels: Sequence[str] | None):
    """Builds the model with its first weights, and freezes what the recipe freezes.

    A preset's classifier is kept where the classes are the same, or as many and without names; else
    it starts anew.

    Args:
        config: of the recipe.
        num_classes: size of its output, or `None` for a model without classes.
        labels: the classes' names.

    Raises:
        ConfigError, PresetError: the config doesn't fit the model.
    """
    from keras_video.training.backbone_weights import load_backbone
    from keras_video.training.freezing import freeze_batch_norm, freeze_layers

    if "num_classes" in config.model.arguments:
        raise ConfigError(
            "The number of classes follows from the data. Received: config.model.arguments."
            f"num_classes={config.model.arguments.num_classes!r}"
        )
    make = _new_model if config.model.preset is None else _continued_model
    model = make(config, num_classes, None if labels is None else list(labels))
    if config.model.backbone is not None:
        load_backbone(model, config.model.backbone)
    if config.model.head_std is not None:
        _new_head(model, keras.initializers.RandomNormal(stddev=config.model.head_std))
    if config.freeze.until is not None:
        freeze_layers(model, until=config.freeze.until)
    if config.freeze.batch_norm != "none":
        freeze_batch_norm(model, keep_first=config.freeze.batch_norm == "all_but_first")
    return model


def _new_model(config: ConfigDict, num_classes: int | None, labels: list[str] | None):
    from keras_video.presets.arguments import argument_names, check_arguments

    found = model_class(config)
    known = argument_names(found)
    arguments = _arguments(config, num_classes if "num_classes" in known else None)
    check_arguments(found, arguments)
    model = found(**arguments)
    if "num_frames" in known and _takes_clips(model):
        model.preprocessor = make_preprocessor(config)
    if labels is not None and hasattr(model, "labels"):
        model.labels = labels
    return model


def _takes_clips(model) -> bool:
    return isinstance(model.input_shape, tuple) and len(model.input_shape) == 5


def _continued_model(config: ConfigDict, num_classes: int | None, labels: list[str] | None):
    from keras_video.presets.loading import load_preset

    model = load_preset(config.model.preset, **_arguments(config, num_classes))
    known = getattr(model, "labels", None)
    if known is not None and labels is not None and labels != numbered(num_classes):
        if labels != known:
            _new_head(model)
        known = labels
    if hasattr(model, "labels"):
        model.labels = known or labels
    if len(config.preprocessor):
        model.preprocessor = make_preprocessor(config)
    return model


def _arguments(config: ConfigDict, num_classes: int | None) -> dict:
    arguments = config.model.arguments.to_dict()
    if num_classes is not None:
        arguments["num_classes"] = num_classes
    if config.sync_batch_norm:
        arguments["synchronized"] = True
    if config.multigrid.enabled:
        arguments.update(num_frames=None, image_size=None)
    return arguments


def numbered(num_classes: int | None) -> list[str]:
    """The names of classes that have none: their numbers."""
    return [str(number) for number in range(num_classes or 0)]


def _new_head(model, initializer=None) -> None:
    for name in model.head_layers:
        layer = model.get_layer(name)
        layer.kernel.assign((initializer or layer.kernel_initializer)(layer.kernel.shape))
        layer.bias.assign(layer.bias_initializer(layer.bias.shape))


def compile_model(
    model,
    config: ConfigDict,
    steps_per_epoch: int | Callable[[int], int],
    make_loss: Callable | None = None,
) -> None:
    """Gives a model the recipe's optimizer, learning rate and loss.

    Args:
        model: with its first weights, frozen where it is to be.
        config: of the recipe.
        steps_per_epoch: steps of the training data; in multigrid training, a function of the epoch.
        make_loss: called as `make_loss(config, model)`, returns the arguments `loss` and perhaps
            `metrics` of `model.compile`; by default the cross entropy of one-hot labels.
    """
    optimizer = make_optimizer(config, make_schedule(config, steps_per_epoch), model)
    model.compile(optimizer, **(make_loss or _cross_entropy)(config, model))


def _cross_entropy(config: ConfigDict, model) -> dict:
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=config.loss.label_smoothing
    )
    return {"loss": loss, "metrics": [keras.metrics.CategoricalAccuracy(name="top1")]}


def make_schedule(config: ConfigDict, steps_per_epoch: int | Callable[[int], int]):
    """The learning rate of each step, as `config.schedule` describes it."""
    from keras_video.training.piecewise import Piecewise
    from keras_video.training.recipe_multigrid import multigrid_schedule
    from keras_video.training.warmup_cosine import WarmupCosine

    if config.multigrid.enabled:
        return multigrid_schedule(config, steps_per_epoch)
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
    from keras_video.training.adam import Adam
    from keras_video.training.optimizer_rules import weight_rules
    from keras_video.training.rmsprop import RMSProp
    from keras_video.training.sgd import SGD

    values = config.optimizer
    arguments = {"global_clipnorm": values.clip_norm, "name": "optimizer"}
    if values.ema is not None:
        arguments.update(use_ema=True, ema_momentum=values.ema)
    if values.name in OWN_OPTIMIZERS:
        rules = weight_rules(model) if values.rules is None else values.rules
        arguments.update(l2=values.weight_decay, rules=rules)
        found = Adam if values.name == "adam" else RMSProp
        if values.name == "sgd":
            found = SGD
            arguments.update(momentum=values.momentum, nesterov=values.nesterov)
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
    # Ours are other ones: Keras' puts the learning rate into the velocity of SGD, and the decay
    # beside the gradient.
    for ours in OWN_OPTIMIZERS:
        known.pop(ours, None)
    if name.lower() not in known:
        words = [*OWN_OPTIMIZERS, *known]
        raise ConfigError(
            f"config.optimizer.name must be {', '.join(OWN_OPTIMIZERS)} or a class of "
            f"keras.optimizers.{did_you_mean(name.lower(), words)} Received: {name!r}"
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
