"""One contestant of `tools/benchmark.py train`, in a process of its own."""

import json
import os
import sys

import numpy as np
from benchmark_models import MODELS
from benchmark_worker import take_turns

from keras_video.data.array_tree import map_arrays


def keras_contestant(task):
    os.environ["KERAS_BACKEND"] = task["how"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if task["how"] == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(task["threads"])
    import keras_video

    dtype = None if task["dtype"] == "float32" else f"mixed_{task['dtype']}"
    benchmarked = MODELS[task["model"]]
    model = benchmarked.build(task["size"], dtype)
    optimizer = keras_video.training.SGD(1e-4, momentum=0.9, l2=1e-4)
    model.compile(optimizer, benchmarked.loss())
    clips = benchmarked.clips(task["batch"], task["size"])
    labels = benchmarked.labels(task["batch"])
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    if task["how"] != "tensorflow":
        return lambda: model.train_on_batch(clips, labels), parameters, accelerator_memory

    model.optimizer.build(model.trainable_variables)
    step = tf.function(keras_video.training.TrainStep(model), autograph=False)
    batch = tf.nest.map_structure(tf.convert_to_tensor, (clips, labels))
    return lambda: step(batch)[0].numpy(), parameters, accelerator_memory


def accelerator_memory() -> int | None:
    """Peak memory on the device in bytes; `None` on a CPU."""
    import keras

    if keras.backend.backend() == "torch":
        return cuda_memory()
    if keras.backend.backend() == "jax":
        import jax

        return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    import tensorflow as tf

    if tf.config.list_logical_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return None


def torch_contestant(task):
    import torch
    import torch_models

    torch.set_num_threads(task["threads"])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = torch_models.build(task["model"], task["size"]).train().to(device)
    parameters = torch_models.num_parameters(network)
    optimizer = torch.optim.SGD(
        network.parameters(), 1e-4, momentum=0.9, weight_decay=1e-4, fused=True
    )
    scaler = torch.amp.GradScaler(device, enabled=task["dtype"] == "float16")
    dtype = getattr(torch, task["dtype"])
    forward = torch.compile(network) if task["how"] == "compile" else network
    clips = torch_models.clips(task["model"], task["batch"], task["size"]).to(device)
    labels = map_arrays(
        lambda array: torch.from_numpy(array).to(device),
        MODELS[task["model"]].labels(task["batch"]),
    )

    def run():
        optimizer.zero_grad()
        with torch.autocast(device, dtype, enabled=dtype != torch.float32):
            outputs = forward(clips)
        loss = torch_models.loss(task["model"], outputs, labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    return run, parameters, cuda_memory


def cuda_memory() -> int | None:
    """Peak memory that torch held on the GPU in bytes; `None` without one."""
    import torch

    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def main():
    task = json.loads(sys.argv[1])
    contestant = {"keras": keras_contestant, "torch": torch_contestant}[task["library"]]
    take_turns(*contestant(task))


if __name__ == "__main__":
    main()
