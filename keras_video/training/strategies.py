"""`make_strategy`: where to train, by one word."""

import json
import os
import sys

import tensorflow as tf

NAMES = ("auto", "one_device", "mirrored", "multi_worker", "tpu")


def make_strategy(name: str = "auto", timeout: float | None = None) -> tf.distribute.Strategy:
    """The `tf.distribute` strategy of that name. Make it before anything else of TensorFlow.

    Args:
        name: `"one_device"`; `"mirrored"`, all GPUs of this machine, or all its logical CPUs;
            `"multi_worker"`, the machines that the environment variable `TF_CONFIG` lists; `"tpu"`,
            the TPU of this machine or of `TPU_NAME`; or `"auto"` (default), several workers where
            `TF_CONFIG` names more than one, else a TPU where `TPU_NAME` is set, else
            `"mirrored"` with more than one GPU, else one device.
        timeout: seconds that a worker waits for the others in a step before it gives them up; by
            default as long as they live.

    Raises:
        ValueError: an unknown name, or no `TF_CONFIG` for several workers.

    Example:

    >>> strategy = make_strategy("mirrored")
    >>> with strategy.scope():
    ...     model = keras_video.models.PPTSM(num_classes=10, synchronized=True)
    """
    if name not in NAMES:
        raise ValueError(f"`name` must be one of {NAMES}. Received: name={name!r}")
    workers = worker_addresses()
    if name == "auto":
        if len(workers) > 1:
            name = "multi_worker"
        elif os.environ.get("TPU_NAME"):
            name = "tpu"
        else:
            several = len(tf.config.list_logical_devices("GPU")) > 1
            name = "mirrored" if several else "one_device"
    if name == "multi_worker":
        if not workers:
            raise ValueError(
                "Several workers are listed in the environment variable TF_CONFIG, such as "
                '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
                '"task": {"type": "worker", "index": 0}}. '
                f"Received: TF_CONFIG={os.environ.get('TF_CONFIG')!r}"
            )
        if len(workers) > 1:
            print(f"Waiting for the workers {', '.join(workers)}", file=sys.stderr, flush=True)
        # A worker that dies is noticed at once, instead of after minutes of retries.
        os.environ.setdefault("GRPC_FAIL_FAST", "use_caller")
        has_gpu = bool(tf.config.list_physical_devices("GPU"))
        kinds = tf.distribute.experimental.CommunicationImplementation
        options = tf.distribute.experimental.CommunicationOptions(
            implementation=kinds.AUTO if has_gpu else kinds.RING, timeout_seconds=timeout
        )
        return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    if name == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            os.environ.get("TPU_NAME", "local")
        )
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    if name == "mirrored":
        if tf.config.list_logical_devices("GPU"):
            return tf.distribute.MirroredStrategy()
        devices = [device.name for device in tf.config.list_logical_devices("CPU")]
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()


def worker_addresses() -> list[str]:
    """The workers in `TF_CONFIG`, `host:port`, chief first; none without it."""
    cluster = _tf_config().get("cluster", {})
    return [*cluster.get("chief", []), *cluster.get("worker", [])]


def worker_index() -> int:
    """This worker's place among `worker_addresses`."""
    config = _tf_config()
    task = config.get("task", {})
    chiefs = len(config.get("cluster", {}).get("chief", []))
    return int(task.get("index", 0)) + (chiefs if task.get("type") == "worker" else 0)


def input_shards(strategy: tf.distribute.Strategy | None = None) -> tuple[int, int]:
    """How the workers share a data set: `(num_shards, shard_index)`.

    Each worker reads its own shard, in batches of the global batch size divided by `num_shards`.

    Example:

    >>> num_shards, shard_index = input_shards(strategy)
    >>> data = VideoDataset.from_list(
    ...     "train.list", batch_size=128 // num_shards, num_shards=num_shards,
    ...     shard_index=shard_index, training=True,
    ... )
    """
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return max(1, len(worker_addresses())), worker_index()
    return 1, 0


def _tf_config() -> dict:
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        config = json.loads(text)
    except ValueError as error:
        raise ValueError(f"TF_CONFIG must be JSON: {error}. Received: {text:.200}") from error
    if not isinstance(config, dict):
        raise ValueError(f"TF_CONFIG must be a JSON object. Received: {text:.200}")
    return config
