"""Image layers that treat all frames of a clip alike."""

import inspect
import threading

import keras
import numpy as np
from keras import ops

_UNFIT = {
    "MixUp": "mixes the pictures of a batch; keras_video.data.transforms.MixUp mixes clips",
    "CutMix": "mixes the pictures of a batch; keras_video.data.transforms.CutMix mixes clips",
    "AugMix": "draws from Python's `random` module, which no seed of the layer's repeats",
}


@keras.saving.register_keras_serializable(package="keras_video")
class ClipConsistent(keras.layers.Layer):
    """Applies an image layer to clips, with one random choice for all frames of a clip.

    Random layers of Keras refuse clips; given all frames as a batch, they draw anew for each. This
    draws once for each clip.

    - As a layer, on a batch of clips: in a model, or in `dataset.map`.
    - As a transform of one clip, `layer(clip, rng)`: random numbers then come from `rng` alone.

    The transforms of this package are many times faster than Keras layers on single clips.

    Args:
        layer: an image layer of Keras, such as `keras.layers.RandomZoom`, or of KerasCV, as a layer
            only. `RandomCrop` crops all clips of a batch at one place.

    Call arguments:
        clips: `(batch, time, height, width, channels)`; or one clip `(time, height, width, 3)`, a
            NumPy array, with `rng`.
        rng: `numpy.random.Generator`.
        training: False leaves out what the image layer does in training only.

    Returns:
        The clips, of the image layer's dtype; or the clip, a NumPy array of its own dtype.

    Raises:
        ValueError: the layer mixes pictures of a batch (`MixUp`, `CutMix`: this package has its
            own), or gives no way to use one random choice twice (`AugMix`; some of KerasCV).

    Example:

    >>> zoom = ClipConsistent(keras.layers.RandomZoom(0.2))
    >>> zoom(clips, training=True).shape
    (2, 8, 224, 224, 3)
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs):
        super().__init__(**kwargs)
        name = type(layer).__name__
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(f"`layer` must be a Keras layer. Received: layer={layer!r}")
        if name in _UNFIT:
            raise ValueError(f"{name} {_UNFIT[name]}. Received: layer={layer!r}")
        self.layer = layer
        self._keras_cv = _is_keras_cv(layer)
        if self._keras_cv and _draws_while_augmenting(layer):
            raise ValueError(
                f"KerasCV's {name} has no step that draws and does nothing else, so no choice can "
                "be used for all frames. Use the layer of that name in `keras.layers`, or "
                f"`keras_video.data.transforms`. Received: layer={layer!r}"
            )
        self._per_image: dict = {}
        self._one_at_a_time = threading.Lock()

    def __call__(self, clips, rng: np.random.Generator | None = None, **kwargs):
        if rng is not None:
            return self._transform(clips, rng)
        return super().__call__(clips, **kwargs)

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build((None, *input_shape[2:]))

    def call(self, clips, training=True):
        shape = ops.shape(clips)
        num_frames = clips.shape[1]
        frames = ops.reshape(clips, (-1, *shape[2:]))
        if self._keras_cv:
            changed = self._augment(clips, frames, training)
        elif not training or not self._seeds():
            changed = self._call_layer(frames, training)
        elif self._draws_beforehand(clips.shape[2:]):
            transformation = self.layer.get_random_transformation(clips[:, 0], training=True)
            transformation = self._repeat(transformation, num_frames, clips.shape[2:])
            changed = self.layer.transform_images(frames, transformation, training=True)
        else:
            return self._replay(clips, num_frames)
        return ops.reshape(changed, (-1, num_frames, *ops.shape(changed)[1:]))

    def compute_output_shape(self, input_shape):
        batch, time = input_shape[:2]
        output = self.layer.compute_output_shape((None, *input_shape[2:]))
        return (batch, time, *output[1:])

    def get_config(self):
        layer = keras.saving.serialize_keras_object(self.layer)
        return {**super().get_config(), "layer": layer}

    @classmethod
    def from_config(cls, config):
        layer = keras.saving.deserialize_keras_object(config.pop("layer"))
        return cls(layer, **config)

    def _transform(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self._keras_cv:
            raise ValueError(
                "KerasCV's layers draw from generators of TensorFlow, not from `rng`. Call this on "
                f"batches, without `rng`. Received: layer={self.layer!r}"
            )
        pixels = clip[None].astype(np.float32)
        # The image layer's seeds are shared by all threads that transform clips.
        with self._one_at_a_time:
            if not self.built:
                self(pixels)
            if self._seeds():
                self._draws_beforehand(pixels.shape[2:])
            for seed in self._seeds():
                seed.assign(rng.integers(0, 2**31, size=seed.shape))
            changed = ops.convert_to_numpy(self(pixels, training=True))[0]
        if clip.dtype == np.uint8:
            changed = np.clip(np.rint(changed), 0, 255)
        return changed.astype(clip.dtype)

    def _seeds(self) -> list:
        return [v for v in self.layer.variables if v.path.endswith("seed_generator_state")]

    def _call_layer(self, frames, training: bool):
        if "training" in inspect.signature(self.layer.call).parameters:
            return self.layer(frames, training=training)
        return self.layer(frames)

    def _draws_beforehand(self, frame_shape: tuple) -> bool:
        """Whether `get_random_transformation` makes all random choices."""
        if frame_shape not in self._per_image:
            self._per_image[frame_shape] = self._find_per_image(frame_shape)
        return self._per_image[frame_shape] is not None

    def _find_per_image(self, frame_shape: tuple) -> list[bool] | None:
        """For each part of a transformation, whether it has one entry for each picture.

        That shows in the shapes for two pictures and for three.
        """
        if not hasattr(self.layer, "transform_images"):
            return None
        two, three = (
            keras.tree.flatten(
                self.layer.get_random_transformation(ops.zeros((n, *frame_shape)), training=True)
            )
            for n in (2, 3)
        )
        draws_later = any(isinstance(part, keras.random.SeedGenerator) for part in two)
        if draws_later or len(two) != len(three) or all(part is None for part in two):
            return None
        lengths = [(_length(a), _length(b)) for a, b in zip(two, three, strict=True)]
        return [pair == (2, 3) for pair in lengths]

    def _repeat(self, transformation, num_frames: int, frame_shape: tuple):
        leaves = [
            ops.repeat(leaf, num_frames, axis=0) if per_image else leaf
            for leaf, per_image in zip(
                keras.tree.flatten(transformation), self._per_image[frame_shape], strict=True
            )
        ]
        return keras.tree.pack_sequence_as(transformation, leaves)

    def _replay(self, clips, num_frames: int):
        """Frame after frame, each time with the seeds of the first."""
        seeds = self._seeds()
        before = [ops.copy(seed.value) for seed in seeds]
        changed = []
        for number in range(num_frames):
            for seed, value in zip(seeds, before, strict=True):
                seed.assign(value)
            changed.append(self._call_layer(clips[:, number], True))
        return ops.stack(changed, axis=1)

    def _augment(self, clips, frames, training):
        if not training:
            return frames
        frames = ops.cast(frames, self.compute_dtype)
        num_frames = clips.shape[1]
        if hasattr(self.layer, "augment_images"):
            batch = ops.shape(clips)[0]
            first = ops.cast(clips[:, 0], self.compute_dtype)
            drawn = self.layer.get_random_transformation_batch(batch, images=first)
            drawn = keras.tree.map_structure(
                lambda leaf: ops.repeat(leaf, num_frames, axis=0), drawn
            )
            return self.layer.augment_images(frames, transformations=drawn, raw_images=frames)
        changed = []
        for number in range(clips.shape[0]):
            clip = frames[number * num_frames : (number + 1) * num_frames]
            drawn = self.layer.get_random_transformation(image=clip[0])
            for frame in range(num_frames):
                changed.append(self.layer.augment_image(clip[frame], transformation=drawn))
        return ops.stack(changed)


def _length(part) -> int | None:
    shape = getattr(part, "shape", ())
    return shape[0] if len(shape) else None


def _is_keras_cv(layer) -> bool:
    return any(base.__module__.partition(".")[0] == "keras_cv" for base in type(layer).__mro__)


def _draws_while_augmenting(layer) -> bool:
    """Whether a KerasCV layer has no step of its own that draws and does nothing else."""
    for base in type(layer).__mro__:
        if base.__name__ in ("BaseImageAugmentationLayer", "VectorizedBaseImageAugmentationLayer"):
            return True
        if {"get_random_transformation", "get_random_transformation_batch"} & set(vars(base)):
            return False
    return True
