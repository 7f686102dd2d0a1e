"""The preprocessing that a preset carries, as an object that Keras saves and loads."""

import keras

from keras_video.data.video_pipeline import VideoPipeline


@keras.saving.register_keras_serializable(package="keras_video")
class VideoPreprocessor(VideoPipeline):
    """Decodes, samples, resizes and crops a video for testing and prediction.

    One video gives one or more views, every combination of a clip in time and a crop in space; a
    model's answer is the mean over them. Each frame is decoded and resized once, however many
    views show it. Runs on NumPy and Pillow, whatever the Keras backend. Pixels keep their range of
    0 to 255: the models normalise.

    Videos shorter than a clip are extended as the sampler states: `"segment"` and `"linspace"`
    repeat frames in order, `"slowfast"` and `"timesformer"` repeat the last one,
    `"uniform"`, `"dense"` and `"interval"` start again from the first.

    The test pipelines of PaddleVideo, on Kinetics-400:

    | model | arguments |
    |---|---|
    | TSN | `num_frames=25, crop="ten", interpolation="opencv_linear", rounding="nearest"` |
    | TSM | all defaults |
    | PP-TSM uniform | `sampling="uniform", aspect_ratio=4 / 3` |
    | PP-TSM dense | `sampling="dense", num_clips=10, crop="three", aspect_ratio=4 / 3` |
    | PP-TSN | `num_frames=25, sampling="linspace", crop="ten", interpolation="opencv_linear"` |

    and of TimeSformer: `sampling="timesformer", short_side=224, crop="uniform",
    interpolation="opencv_linear"`.

    Args:
        num_frames: frames per clip.
        sampling: `"segment"`, `"uniform"`, `"linspace"`, `"dense"`, `"interval"`, `"slowfast"` or
            `"timesformer"`, see `keras_video.data.samplers`.
        num_clips: clips per video.
        short_side: length in pixels to which the shorter side of frames is resized; None leaves
            their size alone.
        crop_size: height and width of the views.
        crop: `"center"`; `"three"` (left, right, center); `"uniform"` (three along the longer
            side); `"ten"` (corners and center, and their mirror images).
        aspect_ratio: longer to shorter side after resizing. None keeps the video's own. 4/3
            distorts other shapes, as some published checkpoints were trained and tested.
        interpolation: `"bilinear"` (Pillow's) or `"opencv_linear"`, see `keras_video.data.resize`;
            or `"decoder"`, which lets the decoder scale in the step that makes RGB of what is
            stored. That takes a third of the time of decoding a frame's colours and resizing it
            with Pillow, but is no published checkpoint's interpolation: FFmpeg scales brightness
            and colour apart and rounds coarsely, which differs from Pillow by 1.2 grey levels on
            average, by 10 or more at coloured edges. Sound for training from the start and for
            tests of what was trained so. Sources that no decoder scales (arrays, decord) are
            resized with Pillow.
        rounding: of the resized longer side, `"floor"` or `"nearest"`.
        decoder: see `keras_video.data.open_video`.
        views: clips and crops at once, in place of `num_clips` and `crop`: `"10x3"` is ten clips of
            three crops, `"1x10"` one clip of ten. With 3, `crop="uniform"` stays uniform.

    Call arguments:
        source: a path, `bytes`, a binary file object or an open `VideoReader`; or decoded RGB
            frames, an array `(time, height, width, 3)` of uint8 or of floats from 0 to 255.

    Returns:
        uint8 array `(views, num_frames, crop_size, crop_size, 3)`. Views of one crop are
        neighbours, its clips in order of time.

    Raises:
        VideoDecodeError: the video cannot be read.
        ValueError: the array is not a video.

    Example:

    >>> preprocess = VideoPreprocessor(num_frames=8, num_clips=10, sampling="dense", crop="three")
    >>> preprocess("clip.mp4").shape
    (30, 8, 224, 224, 3)
    """
