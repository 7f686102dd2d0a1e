"""One contestant of tools/benchmark.py, in a process of its own.

Reads its task as JSON from the command line, prints a line when it is warm, then for every line on
its standard input runs once and prints the wall and processor seconds as JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np
from benchmark_models import MODELS

from keras_video.inference.runtime_contestant import peak_memory


def keras_contestant(task):
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(task["threads"])
    import keras_video

    dtype = {"float32": None, "bfloat16": "mixed_bfloat16"}[task["dtype"]]
    benchmarked = MODELS[task["model"]]
    model = benchmarked.build(task["size"], dtype)
    # At their initial zeros, offsets vanish from the compiled graph.
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith(("beta", "moving_mean")):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    clips = benchmarked.clips(task["batch"], task["size"])
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    if task["how"] == "function":
        infer = keras_video.export.make_inference_function(model)
        return lambda: tf.nest.map_structure(lambda part: part.numpy(), infer(clips)), parameters
    if task["how"] == "predict_on_batch":
        return lambda: model.predict_on_batch(clips), parameters
    return lambda: model.predict(clips, batch_size=task["batch"], verbose=0), parameters


def torch_contestant(task):
    import torch
    import torch_models

    torch.set_num_threads(task["threads"])
    dtype = getattr(torch, task["dtype"])
    network = torch_models.build(task["model"], task["size"]).to(dtype)
    parameters = torch_models.num_parameters(network)
    if task["how"] == "compile":
        network = torch.compile(network)
    clips = torch_models.clips(task["model"], task["batch"], task["size"]).to(dtype)

    def run():
        with torch.inference_mode():
            return network(clips)

    return run, parameters


def take_turns(run: Callable, parameters: int, device_memory: Callable = lambda: None) -> None:
    """Warms up, says so, and runs once for every line on standard input.

    Args:
        run: the work.
        parameters: of the network.
        device_memory: gives the peak memory on a GPU in bytes, or `None` on a CPU.
    """
    for _ in range(3):
        run()
    print(json.dumps({"parameters": parameters}), flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        done = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps({**done, "memory": device_memory() or peak_memory()}), flush=True)


def main():
    task = json.loads(sys.argv[1])
    contestant = {"keras": keras_contestant, "torch": torch_contestant}[task["library"]]
    take_turns(*contestant(task))


if __name__ == "__main__":
    main()
