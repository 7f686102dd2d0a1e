"""One contestant of `benchmark_extraction.py`, in a process of its own; see `benchmark_worker`."""

import json
import os
import sys

import numpy as np
from benchmark_models import MODELS
from benchmark_worker import take_turns

SHORT_SIDE, CROP, BATCH = 256, 224, 32


def keras_contestant(task):
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(task["threads"])
    from keras_video.data import VideoPreprocessor, open_video
    from keras_video.features import FeatureExtractor

    dtype = {"float32": None, "bfloat16": "mixed_bfloat16"}[task["dtype"]]
    model = MODELS[task["model"]].build(CROP, dtype)
    model.preprocessor = VideoPreprocessor(short_side=SHORT_SIDE, crop_size=CROP)
    parameters = sum(int(np.prod(w.shape)) for w in model.feature_model().trainable_variables)
    extract = FeatureExtractor(model, stride=task["stride"], workers=task["threads"])
    frames: list[np.ndarray] = []

    def decode() -> None:
        frames.clear()
        with open_video(task["video"]) as video:
            indices = range(0, len(video), task["stride"])
            visit = model.preprocessor.visit_frames
            visit(video, indices, lambda _, frame: frames.append(np.array(frame)))

    if task["how"] == "decoding alone":
        return decode, parameters
    if task["how"] == "network alone":
        decode()
        every = FeatureExtractor(model, stride=1, workers=1)
        clip = np.stack(frames)
        return lambda: every(clip), parameters
    return lambda: extract(task["video"]), parameters


def torch_contestant(task):
    import torch
    import torch_models

    torch.set_num_threads(task["threads"])
    dtype = getattr(torch, task["dtype"])
    network = torch_models.build(task["model"], CROP).to(dtype)
    read = {"decord": decord_batches, "OpenCV": opencv_batches}[task["how"]]
    next(read(task["video"], task["stride"]))
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 255
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1) * 255

    def run():
        features = []
        with torch.inference_mode():
            for batch in read(task["video"], task["stride"]):
                frames = torch.from_numpy(batch).permute(0, 3, 1, 2).float()
                frames = ((frames - mean) / std).to(dtype)
                frames = frames.contiguous(memory_format=torch.channels_last)
                pooled = torch.nn.functional.adaptive_avg_pool2d(network.backbone(frames), 1)
                features.append(pooled.flatten(1).float().numpy())
        return np.concatenate(features)

    return run, sum(parameter.numel() for parameter in network.backbone.parameters())


def decord_batches(path: str, stride: int):
    """Yields uint8 batches `(32, 224, 224, 3)`, the last one smaller."""
    import decord

    video = decord.VideoReader(path, num_threads=1)
    indices = list(range(0, len(video), stride))
    for start in range(0, len(indices), BATCH):
        frames = video.get_batch(indices[start : start + BATCH]).asnumpy()
        yield np.stack([cropped(frame) for frame in frames])


def opencv_batches(path: str, stride: int):
    """As `decord_batches`, reading all frames in order."""
    import cv2

    capture, batch, number = cv2.VideoCapture(path), [], 0
    while capture.grab():
        if number % stride == 0:
            frame = capture.retrieve()[1]
            batch.append(cropped(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)))
        number += 1
        if len(batch) == BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def cropped(frame: np.ndarray) -> np.ndarray:
    import cv2

    height, width = frame.shape[:2]
    scale = SHORT_SIDE / min(height, width)
    if scale != 1:
        frame = cv2.resize(frame, (round(width * scale), round(height * scale)))
    top, left = (frame.shape[0] - CROP) // 2, (frame.shape[1] - CROP) // 2
    return frame[top : top + CROP, left : left + CROP]


def main():
    task = json.loads(sys.argv[1])
    contestant = {"keras": keras_contestant, "torch": torch_contestant}[task["library"]]
    take_turns(*contestant(task))


if __name__ == "__main__":
    main()
