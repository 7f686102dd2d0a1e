"""`summarize`: what a recipe would train, in a few lines."""

import math

from keras_video.data.array_tree import arrays_of
from keras_video.data.preset_preprocessing import load_preprocessing
from keras_video.training.recipe_model import make_schedule
from keras_video.training.recipe_multigrid import make_multigrid, num_epochs

_SHOWN = "momentum nesterov rho centered epsilon l2 weight_decay global_clipnorm rules".split()


def summarize(recipe) -> str:
    """Describes a prepared recipe; loads one batch of it.

    Args:
        recipe: a `Recipe`.

    Returns:
        Lines of `what: how much`.

    Example:

    >>> print(summarize(prepare_recipe(config)))
    model: TSM, 24,327,632 of 24,380,752 weights are trained, float32
    ...
    """
    config, model, train, val = recipe.config, recipe.model, recipe.train, recipe.val
    preprocessor, epochs = getattr(model, "preprocessor", None), num_epochs(config)
    clips, *targets = train.batch(0)
    rows = {
        "model": f"{type(model).__name__}, {_count(model.trainable_weights)} of "
        f"{_count(model.weights)} weights are trained, {model.dtype_policy.name}",
        "starts from": _origin(config, model),
        "classes": _classes(train),
        "training": _training(config, train, epochs),
        "first batch": f"clips {_shape(clips)}, labels {_shape(tuple(targets[:1]))}",
        "validation": "none"
        if val is None
        else f"{val.num_records} clips, {val.batches_in_epoch} "
        f"steps, every {config.evaluate_every} epochs",
        "devices": f"{recipe.strategy.num_replicas_in_sync}, each with {config.accumulate} "
        "micro-batches a step",
        "optimizer": _optimizer(model.optimizer),
        "learning rate": _rates(config, train, epochs),
        "transforms": ", ".join(map(repr, config.data.transforms or ())) or "default",
        "batch transform": str(config.data.batch_transform or "none"),
        "loss": _loss(model.loss),
        "preset": "no preprocessor" if preprocessor is None else preprocessor.describe(),
    }
    width = max(map(len, rows)) + 1
    return "\n".join(f"{name + ':':{width}} {value}" for name, value in rows.items())


def _origin(config, model) -> str:
    if config.model.preset is None:
        return config.model.backbone or "random weights"
    labels = getattr(model, "labels", None)
    if labels is None:
        return config.model.preset
    same = load_preprocessing(config.model.preset)[1] == labels
    return f"{config.model.preset}, {'with its' if same else 'a new'} classifier"


def _count(weights) -> str:
    return f"{sum(math.prod(weight.shape) for weight in weights):,}"


def _shape(arrays) -> str:
    return " and ".join(f"{array.shape} {array.dtype}" for array in arrays_of(arrays))


def _classes(train) -> str:
    names = train.labels or ()
    shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    return f"{train.num_classes}" + (f" ({shown})" if shown else "")


def _optimizer(optimizer) -> str:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    shown = {
        name: value
        for name, value in inner.get_config().items()
        if name in _SHOWN and value not in (None, False)
    }
    arguments = ", ".join(f"{name}={value}" for name, value in shown.items())
    return f"{type(inner).__name__}({arguments})"


def _loss(loss) -> str:
    if isinstance(loss, dict):
        return ", ".join(f"{name}: {type(part).__name__}" for name, part in loss.items())
    return type(loss).__name__


def _training(config, train, epochs: int) -> str:
    if not config.multigrid.enabled:
        return (
            f"{train.num_records} clips, {train.batches_in_epoch} steps of {config.batch_size} an "
            f"epoch, {epochs} epochs"
        )
    phases = ", ".join(
        f"{phase.batch_factor * config.batch_size} x {phase.num_frames} x {phase.size} to epoch "
        f"{phase.end}"
        for phase in make_multigrid(config).phases
    )
    steps = sum(map(train.batches_in, range(epochs)))
    return f"{train.num_records} clips, {steps} steps in {epochs} epochs of multigrid: {phases}"


def _rates(config, train, epochs: int) -> str:
    def step_of(epoch: float) -> int:
        done = sum(map(train.batches_in, range(int(epoch))))
        return done + round(epoch % 1 * train.batches_in(int(epoch)))

    by_epoch = config.multigrid.enabled
    schedule = make_schedule(config, train.batches_in if by_epoch else train.batches_in_epoch)
    last = sum(map(train.batches_in, range(epochs))) - 1
    steps = {epoch: step_of(epoch) for epoch in (0, config.schedule.warmup_epochs, epochs / 2)}
    steps[epochs - 1 / train.batches_in(epochs - 1)] = last
    rates = [(epoch, float(schedule(step))) for epoch, step in sorted(steps.items())]
    return ", ".join(f"{rate:.3g} at epoch {epoch:.4g}" for epoch, rate in rates)
