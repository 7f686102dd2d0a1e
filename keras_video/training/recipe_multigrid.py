"""The multigrid training of a recipe."""

from collections.abc import Callable

from ml_collections import ConfigDict

from keras_video.training.recipe_config import ConfigError


def make_multigrid(config: ConfigDict):
    """The `Multigrid` that `config.multigrid` describes, or `None` where it is off.

    Raises:
        ConfigError: the plain schedule is not one that multigrid training can stretch.
    """
    from keras_video.training.multigrid import Multigrid
    from keras_video.training.recipe_model import clip_frames

    values = config.multigrid
    if not values.enabled:
        return None
    if config.schedule.name != "piecewise":
        raise ConfigError(
            "Multigrid training goes through its shapes once in each stage of the learning rate: "
            "it needs config.schedule.name=piecewise and config.schedule.boundaries. "
            f"Received: config.schedule.name={config.schedule.name!r}"
        )
    try:
        return Multigrid(
            num_frames=clip_frames(config),
            size=values.size,
            num_epochs=config.num_epochs,
            boundaries=config.schedule.boundaries,
            decay=config.schedule.decay,
            epoch_factor=values.epoch_factor,
            long_cycle=values.long_cycle,
            short_cycle=values.short_cycle,
            reference=values.reference,
        )
    except ValueError as error:
        raise ConfigError(f"config.multigrid: {error}") from error


def num_epochs(config: ConfigDict) -> int:
    """Epochs of the training: `config.num_epochs`, more in multigrid training."""
    multigrid = make_multigrid(config)
    return config.num_epochs if multigrid is None else multigrid.num_epochs


def multigrid_schedule(config: ConfigDict, batches_in: Callable[[int], int]):
    """The learning rate of multigrid training, whose epochs have `batches_in(epoch)` steps."""
    from keras_video.training.piecewise import Piecewise

    multigrid, values = make_multigrid(config), config.schedule
    return Piecewise.over_epochs(
        multigrid.boundaries,
        [values.learning_rate * rate for rate in multigrid.rates],
        batches_in,
        warmup_epochs=values.warmup_epochs,
        warmup_start=values.warmup_start,
    )
