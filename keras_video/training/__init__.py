"""Training: the step, the loop, optimisation, and what a run leaves behind."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    submodules=("plots", "recipe"),
    attributes={
        "Checkpoint": "checkpoint",
        "CheckpointError": "checkpoint",
        "CheckpointStore": "checkpoint_store",
        "ConfigError": "recipe_config",
        "CsvLog": "csv_log",
        "NonFiniteLossError": "non_finite_loss",
        "Piecewise": "piecewise",
        "RunDirectory": "run_directory",
        "SGD": "sgd",
        "TensorBoardLog": "tensorboard_log",
        "Termination": "termination",
        "ThroughputMeter": "throughput_meter",
        "TrainingProgress": "training_progress",
        "WarmupCosine": "warmup_cosine",
        "default_config": "recipe_config",
        "describe_config": "recipe_config",
        "freeze_batch_norm": "freezing",
        "freeze_layers": "freezing",
        "load_backbone": "backbone_weights",
        "prepare_recipe": "recipe",
        "recompute_batch_norm": "precise_batch_norm",
        "run_recipe": "recipe",
        "save_nan_batch": "non_finite_loss",
        "weight_rules": "optimizer_rules",
    },
)
