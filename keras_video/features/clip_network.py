"""`ClipNetwork`: a feature model as one fast function over full batches."""

import time
import zlib
from collections.abc import Hashable, Iterator, Sequence

import keras
import numpy as np

from keras_video._compat import computes_on_cpu
from keras_video.features.step_plan import ClipShape

# Frames of a batch, unless one clip has more. On a CPU larger ones are no faster, and what the last
# one lacks is filled up.
_BATCH_FRAMES, _BATCH_FRAMES_ON_CPU = 32, 16


class ClipNetwork:
    """Runs a `VideoClassifier`'s features over clips, whoever's they are, in full batches.

    On TensorFlow the network is compiled with constant weights (`make_inference_function`), so
    later changes of the model do not reach it. There is one batch size, hence one trace: what is
    missing at the end is filled with zeros. A batch's answer is fetched when the next one runs.

    Args:
        model: a `VideoClassifier`.
        shape: of its clips.
        image_size: height and width of its frames.
        batch_size: clips in a batch, by default so many that they have 32 frames, on a CPU 16.
        layers: see `VideoClassifier.feature_model`.

    Attributes:
        seconds: spent in the network.
        frames: number of frames that it saw.
    """

    def __init__(
        self,
        model,
        shape: ClipShape,
        image_size: int,
        batch_size: int | None = None,
        layers: Sequence[str] = (),
    ):
        self.shape = shape
        frames = _BATCH_FRAMES_ON_CPU if computes_on_cpu() else _BATCH_FRAMES
        self.batch_size = batch_size or max(frames // shape.num_frames, 1)
        self._features = model.feature_model(layers) if layers else model.feature_model()
        self.channels = int(self._features.output_shape[-1])
        self._batch_shape = (self.batch_size, shape.num_frames, image_size, image_size, 3)
        self._function = None
        self._units: list[tuple[Hashable, np.ndarray]] = []
        self._running: tuple[list, object] | None = None
        self.seconds, self.frames = 0.0, 0

    @property
    def units_of_batch(self) -> int:
        """Units that fill a batch."""
        return self.batch_size * self.shape.num_frames // self.shape.unit

    def weights_checksum(self) -> str:
        """A number that other weights would not have."""
        checksum = 0
        for weight in self._features.weights:
            array = keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32"))
            checksum = zlib.crc32(np.ascontiguousarray(array), checksum)
        return f"{checksum:08x}"

    def add(self, key: Hashable, frames: np.ndarray) -> Iterator[tuple[Hashable, np.ndarray]]:
        """Takes one unit; yields what is done by now: keys and float32 `(steps, channels)`."""
        self._units.append((key, frames))
        if len(self._units) == self.units_of_batch:
            yield from self._run()

    def finish(self) -> Iterator[tuple[Hashable, np.ndarray]]:
        """Runs what waits for a full batch; yields all that is left."""
        if self._units:
            yield from self._run()
        yield from self._fetch()

    def clear(self) -> None:
        """Forgets what was added."""
        self._units, self._running = [], None

    def _run(self) -> Iterator[tuple[Hashable, np.ndarray]]:
        units, self._units = self._units, []
        batch = np.zeros(self._batch_shape, np.uint8)
        flat = batch.reshape(-1, self.shape.unit, *self._batch_shape[2:])
        for place, (_, frames) in enumerate(units):
            flat[place] = frames
        started = time.perf_counter()
        if self._function is None:
            self._function = self._compile()
        outputs = self._function(batch)
        self.seconds += time.perf_counter() - started
        self.frames += len(units) * self.shape.unit
        yield from self._fetch()
        self._running = ([key for key, _ in units], outputs)

    def _fetch(self) -> Iterator[tuple[Hashable, np.ndarray]]:
        if self._running is None:
            return
        (keys, outputs), self._running = self._running, None
        started = time.perf_counter()
        outputs = keras.ops.convert_to_numpy(outputs)
        self.seconds += time.perf_counter() - started
        yield from zip(keys, outputs.reshape(-1, self.shape.steps, self.channels), strict=False)

    def _compile(self):
        if keras.backend.backend() == "tensorflow":
            from keras_video.export import make_inference_function

            return make_inference_function(self._features)
        return self._features.predict_on_batch
