"""`two_replicas`: a strategy of two devices, on any machine."""

import functools


def two_logical_cpus() -> None:
    """Makes two logical CPUs of this machine's; TensorFlow takes them only before its start.

    Raises:
        RuntimeError: TensorFlow runs already.
    """
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    if tf.config.get_logical_device_configuration(cpu):
        return
    try:
        devices = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, devices)
    except RuntimeError as error:
        raise RuntimeError(
            "Tests of two replicas need two logical CPUs, which TensorFlow takes only at its "
            "start: call `keras_video.testing.two_replicas()` in conftest.py."
        ) from error


@functools.cache
def two_replicas():
    """Returns a `tf.distribute.MirroredStrategy` of two logical CPUs, always the same one.

    A second strategy would reuse the names of the first one's collective operations, with which
    TensorFlow aborts the process.

    Raises:
        RuntimeError: TensorFlow runs already, with one CPU.

    Example:

    >>> with two_replicas().scope():
    ...     model = keras_video.models.TSM(num_classes=4)
    """
    import tensorflow as tf

    two_logical_cpus()
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
