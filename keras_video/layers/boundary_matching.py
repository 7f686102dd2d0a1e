"""`BoundaryMatching`: features of every segment of a sequence."""

import functools
import math

import keras
import numpy as np
from keras import ops

from keras_video._compat_sparse import sparse_entries, sparse_product, takes_sparse_product
from keras_video.layers.boundary_sampling import LAYOUTS, boundary_sampling


@keras.saving.register_keras_serializable(package="keras_video")
class BoundaryMatching(keras.layers.Layer):
    """Features of all segments of a sequence, one for each cell of a map.

    Of each segment, from half its length before it to half its length after it, samples are taken
    evenly, each a mean of interpolated points; a dense layer makes one vector of all samples
    together. It is BMN's "BM layer" and the 3-D convolution after it.

    The published code multiplies with a matrix of all samples of all segments, which has 98 %
    zeros: 122 MiB for 100 steps, 977 MiB for 200. Sampling and dense layer are both linear, so here
    the dense layer comes first, on steps instead of segments: a hundredth of the multiplications.
    On CPUs, with TensorFlow, a sparse product then takes the samples; elsewhere samples are
    gathered, a few at a time.

    Args:
        filters: channels of the output.
        max_duration: rows of the map.
        num_samples: samples of each segment. Defaults to 32.
        points: interpolated points of each sample. Defaults to 3.
        boundary_ratio: how much of the segment's length is sampled before it, and after it.
            Defaults to 0.5.
        layout: `"duration_start"` (default): the cell `[d, s]` is the segment of `d + 1` steps from
            step `s` on. `"start_end"`: the cell `[s, e]` is the segment from step `s` to `e + 1`;
            `max_duration` is the number of steps then. See `BoundarySampling`.
        activation: any name that `keras.activations.get` knows. Defaults to `None`.

    Input shape: `(batch, time, channels)`. Output shape: `(batch, max_duration, time, filters)`;
    cells that are no segment of the sequence hold what the bias alone gives.

    Raises:
        ValueError: an argument is out of range, or the number of steps is not known.

    Example:

    >>> layer = keras_video.layers.BoundaryMatching(512, max_duration=100, activation="relu")
    >>> layer(np.zeros((1, 100, 128))).shape
    (1, 100, 100, 512)

    Reference: Lin et al., "BMN: Boundary-Matching Network for Temporal Action Proposal Generation",
    https://arxiv.org/abs/1907.09702
    """

    def __init__(
        self,
        filters: int,
        max_duration: int,
        num_samples: int = 32,
        points: int = 3,
        boundary_ratio: float = 0.5,
        layout: str = "duration_start",
        activation: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        sizes = {"filters": filters, "max_duration": max_duration}
        for name, value in (sizes | {"num_samples": num_samples, "points": points}).items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        if num_samples * points < 2:
            raise ValueError(
                "A segment needs two points, its ends. "
                f"Received: num_samples={num_samples}, points={points}"
            )
        if not 0 <= boundary_ratio < np.inf:
            raise ValueError(
                "`boundary_ratio` must be a number from 0. "
                f"Received: boundary_ratio={boundary_ratio!r}"
            )
        if layout not in LAYOUTS:
            raise ValueError(f"`layout` must be one of {LAYOUTS}. Received: layout={layout!r}")
        self.filters = filters
        self.max_duration = max_duration
        self.num_samples = num_samples
        self.points = points
        self.boundary_ratio = boundary_ratio
        self.layout = layout
        self.activation = activation
        # XLA has no sparse products.
        self.supports_jit = not takes_sparse_product()
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, input_shape):
        _, time, channels = input_shape
        if time is None or channels is None:
            raise ValueError(
                "`BoundaryMatching` needs inputs with known numbers of steps and channels. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        if self.max_duration > time or (self.layout == "start_end" and self.max_duration != time):
            raise ValueError(
                "`max_duration` must be at most the number of steps, and with layout='start_end' "
                f"just that. Received: max_duration={self.max_duration}, {time} steps"
            )
        fan_in = self.num_samples * channels
        self.kernel = self.add_weight(
            # The shape of the 3-D convolution's.
            (self.num_samples, 1, 1, channels, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=(2 / fan_in) ** 0.5),
            name="kernel",
        )
        self.bias = self.add_weight((self.filters,), initializer="zeros", name="bias")
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={1: time, 2: channels})
        self._sampling = boundary_sampling(
            time,
            self.max_duration,
            self.num_samples,
            self.points,
            self.boundary_ratio,
            self.layout,
        )

    def call(self, inputs):
        kernel = ops.reshape(self.kernel, (self.num_samples, -1, self.filters))
        if takes_sparse_product():
            features = _by_sparse_product(self._sampling, inputs, kernel)
        else:
            features = _by_gathering(self._sampling, inputs, kernel)
        features = features + ops.cast(self.bias, features.dtype)
        return keras.activations.get(self.activation)(features)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.max_duration, input_shape[1], self.filters)

    multiply_adds_note = (
        "counted by definition, the samples and their convolution; the dense layer comes first "
        "here, on steps instead of segments, which is far less"
    )

    def multiply_adds(self, input_shape, output_shape) -> dict[str, int]:
        """As published: the interpolated points of all samples, then the convolution over them.

        Of the matrix of samples, only what isn't zero.
        """
        batch, _, channels = input_shape
        per_cell = self.num_samples * channels * self.filters
        entries = len(self._sampling.entries[1])
        return {
            "conv": batch * math.prod(output_shape[1:3]) * per_cell,
            "matmul": batch * entries * channels,
        }

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "max_duration": self.max_duration,
            "num_samples": self.num_samples,
            "points": self.points,
            "boundary_ratio": self.boundary_ratio,
            "layout": self.layout,
            "activation": self.activation,
        }


def _by_sparse_product(sampling, inputs, kernel):
    """The map `(batch, rows, columns, filters)`, without the bias."""
    num_samples, channels, filters = kernel.shape
    rows, columns = sampling.shape
    time = sampling.num_frames
    steps = ops.reshape(inputs, (1, -1, channels))
    by_sample = ops.reshape(ops.matmul(steps, kernel), (num_samples, -1, time, filters))
    by_place = ops.reshape(ops.transpose(by_sample, (0, 2, 1, 3)), (num_samples * time, -1))
    shape = rows * columns, num_samples * time
    features = sparse_product(_entries(sampling), shape, by_place)
    features = ops.reshape(features, (rows, columns, -1, filters))
    return ops.transpose(features, (2, 0, 1, 3))


@functools.lru_cache(maxsize=8)
def _entries(sampling):
    return sparse_entries(*sampling.entries)


def _by_gathering(sampling, inputs, kernel):
    """The same, of basic operations."""
    num_samples, channels, filters = kernel.shape
    rows, columns = sampling.shape
    number, start, duration = sampling.cells
    steps, rest = sampling.places
    features = 0
    for sample in range(num_samples):
        points = slice(sample * sampling.points, (sample + 1) * sampling.points)
        first, second, before, after = sampling.taken(
            steps[duration, points] + start[:, None], rest[duration, points]
        )
        weights = np.concatenate([before, after], axis=1) / sampling.points
        taken = np.concatenate([first, second], axis=1).astype("int32")
        # (batch, cells, 2 * points, channels)
        points = ops.take(inputs, ops.convert_to_tensor(taken), axis=1)
        weights = ops.convert_to_tensor(weights[..., None].astype("float32"))
        values = ops.sum(points * ops.cast(weights, inputs.dtype), axis=2)
        features = features + ops.matmul(values, kernel[sample])
    # All other cells take a row of zeros.
    padded = ops.pad(features, [[0, 0], [0, 1], [0, 0]])
    places = np.full(rows * columns, len(number), "int32")
    places[number] = np.arange(len(number))
    whole = ops.take(padded, ops.convert_to_tensor(places), axis=1)
    return ops.reshape(whole, (-1, rows, columns, filters))
