"""Video files to clips: decode, sample, resize, crop. NumPy and Pillow, no Keras backend.

- `open_video`: a file becomes a `VideoReader`, frame i of the video, exactly
- `LiveReader`: the frames of a camera or a network stream, as they come
- `sample_*`: which frames make a clip, functions of the video's length
- `resize`, `*_crop`: what a frame looks like to the model
- `transforms`: random changes of clips for training, alike for all frames
- `VideoPreprocessor`: all of these in one serialisable object, part of every preset
- `VideoList`, `importers`: what videos there are, and the classes they have
- `VideoDataset`: batches of clips for `model.fit`, `evaluate` and `predict`; `ArrayDataset`: the
  same of arrays in memory
- `FeatureDataset`: batches of stored features, of several labels a video; `read_feature_list`
  finds the records
- `shard_dataset`: clips from extracted frames, for the workers of a tf.data service
"""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    submodules=("importers", "transforms"),
    attributes={
        "ArrayDataset": "array_dataset",
        "EncodedFramesReader": "encoded_frames_reader",
        "FeatureDataset": "feature_dataset",
        "FeatureList": "feature_list",
        "FeatureReadError": "feature_read_error",
        "FeatureRecord": "feature_record",
        "FrameFolderReader": "frame_folder_reader",
        "FrameShard": "frame_shard",
        "IndexCache": "index_cache",
        "LiveReader": "live_reader",
        "MATCH_CLASSES": "match_videos",
        "MOTION_CLASSES": "motion_clips",
        "NoAudioTrackError": "audio_track",
        "StoredFeatures": "feature_file",
        "TooManyFailuresError": "video_failures",
        "VideoDataset": "video_dataset",
        "VideoDecodeError": "video_decode_error",
        "VideoDecodeWarning": "video_decode_error",
        "VideoFailure": "video_failures",
        "VideoList": "video_list",
        "VideoPipeline": "video_pipeline",
        "VideoPreprocessor": "video_preprocessor",
        "VideoReader": "video_reader",
        "VideoRecord": "video_record",
        "browse_dataset": "dataset_browsing",
        "center_crop": "crops",
        "check_dataset": "dataset_check",
        "check_youtube8m": "youtube8m_check",
        "dequantize": "dequantize",
        "log_mel": "log_mel",
        "log_mel_examples": "log_mel",
        "open_video": "decoders",
        "prepare_dataset": "dataset_preparation",
        "read_audio": "audio_track",
        "read_feature_list": "feature_listing",
        "reencode_video": "reencoding",
        "register_decoder": "decoders",
        "register_sampler": "samplers",
        "render_motion_clip": "motion_clips",
        "render_tagged_clip": "tagged_clips",
        "resize": "resizing",
        "resize_short_side": "resizing",
        "sample_dense": "samplers",
        "sample_interval": "samplers",
        "sample_linspace": "samplers",
        "sample_segment": "samplers",
        "sample_slowfast": "samplers",
        "sample_uniform": "samplers",
        "shard_dataset": "shard_dataset",
        "ten_crop": "crops",
        "three_crop": "crops",
        "uniform_crop": "crops",
        "write_contact_sheet": "contact_sheet",
        "write_feature_shards": "feature_shards",
        "write_frame_shards": "frame_shards",
        "write_match_videos": "match_videos",
        "write_motion_videos": "motion_videos",
        "write_tagged_videos": "tagged_clips",
        "write_video": "video_writer",
    },
)
