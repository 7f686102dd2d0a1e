"""Features of videos: what a network saw, for models over long time. Videos in, arrays out.

- `FeatureExtractor`: one video of any length to features `(steps, channels)`, in little memory
- `extract_features`: folders of videos to a folder of `.npy` files, in parallel, resumable
- `FeatureIndex`: that folder, read; needs neither Keras nor the videos
"""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "ExtractionReport": "extraction_report",
        "FeatureEntry": "feature_index",
        "FeatureExtractor": "feature_extractor",
        "FeatureIndex": "feature_index",
        "VideoFeatures": "video_features",
        "extract_features": "extract_features",
    },
)
