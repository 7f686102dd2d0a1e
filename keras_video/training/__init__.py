"""Training: the step, the loop, optimisation, and what a run leaves behind."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "Checkpoint": "checkpoint",
        "CheckpointError": "checkpoint",
        "CheckpointStore": "checkpoint_store",
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
        "freeze_batch_norm": "freezing",
        "freeze_layers": "freezing",
        "recompute_batch_norm": "precise_batch_norm",
        "save_nan_batch": "non_finite_loss",
        "weight_rules": "optimizer_rules",
    },
)
