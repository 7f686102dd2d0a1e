"""`python tools/benchmark.py train`: what a training step costs.

A step is the forward pass, the backward pass and the update by SGD with momentum and decay. Ours is
`keras_video.training.TrainStep` through `tf.function`; with `--backends=jax` or `torch`, Keras' own
`train_on_batch` on that backend, which is what to take on a GPU that TensorFlow does not see. Half
precisions are mixed: float32 weights, in torch through `torch.autocast`.
"""

from benchmark_contestants import compete, show
from benchmark_models import MODELS
from rich.console import Console


def benchmark_train(
    console: Console,
    model: str,
    dtypes: list[str],
    ways: dict[str, list[str]],
    rounds: int,
    batch: int,
    size: int,
    threads: int,
) -> None:
    """Prints the table of one model.

    Args:
        console: where to.
        model: its name in `benchmark_models.MODELS`.
        dtypes: `"float32"`, `"bfloat16"`, `"float16"`.
        ways: `"backends"` of Keras, and ways of `"torch"`: `"eager"`, `"compile"`.
        rounds: how often each contestant works.
        batch: clips.
        size: height and width of the frames.
        threads: of each contestant.
    """
    results = {}
    for dtype in dtypes:
        task = {"model": model, "dtype": dtype, "batch": batch, "size": size, "threads": threads}
        results[dtype] = compete(
            "benchmark_train_worker.py", ways["backends"], ways["torch"], rounds, **task
        )
    title = (
        f"Training {model}, batch {batch}, {MODELS[model].shape(size)}, "
        f"{threads} threads, medians of {rounds} rounds"
    )
    show(console, title, batch, results)
