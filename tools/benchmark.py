"""Measures keras_video against what a user would take instead, on this machine.

    python tools/benchmark.py pp_tsm --batch=1

prints clips a second of PP-TSM's forward pass in float32 and bfloat16, as a compiled function
(`keras_video.export.make_inference_function`), through `predict_on_batch` and through `predict`;
and where torch is installed the ratio to the same network in torch, channels last, the better of
eager and torch.compile. Ours takes raw uint8 frames and normalises them; torch gets frames that are
floats already.

Every contestant runs in its own process with the same number of threads; they take turns, one call
each a round, so that a slow moment of the machine hits all of them. Medians over the rounds.
Processor time is the sum over all threads; below 1 in the last two columns, keras_video is faster.

    python tools/benchmark.py train
    python tools/benchmark.py train tsm --batch=2 --dtypes=bfloat16

does the same with training steps (of PP-TSM, if no model is named), see `benchmark_train.py`.

    python tools/benchmark.py multigrid

measures SlowFast's training in every shape of a multigrid schedule, see `benchmark_multigrid.py`.

    python tools/benchmark.py data

measures decoding, see `benchmark_data.py`.

    python tools/benchmark.py extraction

measures how fast videos become features, see `benchmark_extraction.py`.

    python tools/benchmark.py features

measures how fast stored features become batches, see `benchmark_features.py`.

    python tools/benchmark.py boundary_matching

measures BMN's layer against its published form, see `benchmark_matching.py`.

    python tools/benchmark.py runtimes pp_tsm

measures a model in every runtime, from file to answer, see `benchmark_runtimes.py`.

With `--save=docs/benchmarks/NAME.json --title=TITLE` the tables go into the documentation's page.
"""

import importlib.util
import os

from absl import app, flags
from benchmark_contestants import compete, show
from benchmark_data import benchmark_data
from benchmark_extraction import benchmark_extraction
from benchmark_features import benchmark_features
from benchmark_matching import benchmark_matching
from benchmark_models import MODELS
from benchmark_multigrid import benchmark_multigrid
from benchmark_runtimes import benchmark_runtimes
from benchmark_train import benchmark_train
from recording_console import RecordingConsole
from rich.console import Console

FLAGS = flags.FLAGS
flags.DEFINE_integer("batch", 1, "Clips in a call.", lower_bound=1)
flags.DEFINE_integer("size", 224, "Height and width of the frames.", lower_bound=32)
flags.DEFINE_integer("threads", os.cpu_count(), "Threads of each contestant.", lower_bound=1)
flags.DEFINE_integer("rounds", 15, "Calls of each contestant.", lower_bound=1)
flags.DEFINE_list(
    "dtypes", ["float32", "bfloat16"], "Precisions; float16, in training, is for GPUs."
)
flags.DEFINE_list("torch", ["eager", "compile"], "Ways of torch; compiling takes minutes.")
flags.DEFINE_string("save", None, "A file of docs/benchmarks to keep the tables in, NAME.json.")
flags.DEFINE_string("title", None, "What the saved tables are called in the documentation.")
flags.DEFINE_list("backends", ["tensorflow"], "Backends of Keras to train on.")


def benchmark_inference(console: Console, model: str) -> None:
    """Prints the table of a model's forward pass."""
    ours = ["function", "predict_on_batch", "predict"]
    results = {}
    for dtype in FLAGS.dtypes:
        task = dict(model=model, dtype=dtype, **settings())
        results[dtype] = compete("benchmark_worker.py", ours, FLAGS.torch, FLAGS.rounds, **task)
    title = (
        f"{model}, batch {FLAGS.batch}, "
        f"{MODELS[model].shape(FLAGS.size)}, "
        f"{FLAGS.threads} threads, medians of {FLAGS.rounds} rounds"
    )
    show(console, title, FLAGS.batch, results)


def settings() -> dict:
    return {"batch": FLAGS.batch, "size": FLAGS.size, "threads": FLAGS.threads}


def main(arguments):
    chosen = arguments[1:]
    others = {
        "boundary_matching",
        "data",
        "extraction",
        "features",
        "multigrid",
        "runtimes",
        "train",
    }
    if set(chosen) - {*MODELS, *others} or not chosen:
        raise app.UsageError(
            f"Name models of {tuple(MODELS)}, data, features, multigrid, boundary_matching, or "
            f"extraction, train or runtimes and models. Received: {chosen}"
        )
    console = RecordingConsole(width=100)
    measure(console, chosen)
    if FLAGS.save:
        console.save(FLAGS.save, FLAGS.title or " ".join(chosen))


def measure(console: Console, chosen: list[str]) -> None:
    """Prints the tables of what was named."""
    models = [name for name in chosen if name in MODELS]
    if "data" in chosen:
        benchmark_data(console, FLAGS.rounds)
    if "extraction" in chosen:
        benchmark_extraction(console, models, FLAGS.dtypes, FLAGS.rounds, FLAGS.threads)
        return
    if "features" in chosen:
        benchmark_features(console, FLAGS.rounds)
    if "boundary_matching" in chosen:
        benchmark_matching(console, FLAGS.rounds, FLAGS.batch, FLAGS.threads)
    if "multigrid" in chosen:
        for dtype in FLAGS.dtypes:
            benchmark_multigrid(console, dtype=dtype, rounds=FLAGS.rounds, **settings())
    if "runtimes" in chosen:
        ways = FLAGS.torch if importlib.util.find_spec("torch") else []
        for model in models or ["pp_tsm"]:
            benchmark_runtimes(console, model, ways, FLAGS.rounds, FLAGS.size, FLAGS.threads)
    elif "train" in chosen:
        for model in models or ["pp_tsm"]:
            ways = {"backends": FLAGS.backends, "torch": FLAGS.torch}
            benchmark_train(console, model, FLAGS.dtypes, ways, FLAGS.rounds, **settings())
    else:
        for model in models:
            benchmark_inference(console, model)


if __name__ == "__main__":
    app.run(main)
