"""Changes of clips for training and testing, alike for all frames of a clip. NumPy and Pillow.

- a `Transform` is called as `transform(clip, rng)` on one clip `(time, height, width, 3)`
- `MixUp` and `CutMix` are called as `mix(clips, labels, rng)` on a batch
- `ClipConsistent` makes a transform of an image layer of Keras or KerasCV
"""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "CenterCrop": "center_crop",
        "ColorJitter": "color_jitter",
        "ClipConsistent": "clip_consistent",
        "Compose": "compose",
        "CutMix": "cut_mix",
        "JitterScale": "jitter_scale",
        "MixUp": "mix_up",
        "MultiScaleCrop": "multi_scale_crop",
        "Normalize": "normalize",
        "RandAugment": "rand_augment",
        "RandomCrop": "random_crop",
        "RandomErasing": "random_erasing",
        "RandomFlip": "random_flip",
        "RandomResizedCrop": "random_resized_crop",
        "ShortSideScale": "short_side_scale",
        "TenCrop": "ten_crop",
        "ThreeCrop": "three_crop",
        "Transform": "transform",
        "mirrored_labels": "random_flip",
    },
)
