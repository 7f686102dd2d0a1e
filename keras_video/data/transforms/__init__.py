"""Changes of clips for training and testing, alike for all frames of a clip. NumPy and Pillow.

- a `Transform` is called as `transform(clip, rng)` on one clip `(time, height, width, 3)`
- `MixUp` is called as `mix(clips, labels, rng)` on a batch
"""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "Compose": "compose",
        "MixUp": "mix_up",
        "MultiScaleCrop": "multi_scale_crop",
        "RandomCrop": "random_crop",
        "RandomFlip": "random_flip",
        "RandomResizedCrop": "random_resized_crop",
        "Transform": "transform",
        "mirrored_labels": "random_flip",
    },
)
