"""Everything that depends on a backend's or Keras' particulars, in one place."""

import keras


def add(first, second):
    """`first + second`.

    On TensorFlow as `AddN`: that is what its graph optimiser fuses into the convolution before it
    (oneDNN), together with bias and activation; `AddV2` stays a pass over memory of its own.
    """
    if keras.backend.backend() == "tensorflow" and first.dtype == second.dtype:
        import tensorflow as tf

        return tf.add_n([first, second])
    return first + second
