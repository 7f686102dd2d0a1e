"""What a frame costs online TSM, beside what a clip costs the same model.

    python tools/benchmark_online.py
    python tools/benchmark_online.py --depth 18 --size 112 --rounds 50

Prints the fastest of all rounds in milliseconds, with random weights, through
`keras_video.inference.Predictor`: a clip of eight frames, which a window needs for each answer,
and a frame with its states, which online TSM needs.
"""

import argparse
import time

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--depth", type=int, default=50, help="of the ResNet (default: 50)")
    parser.add_argument("--size", type=int, default=224, help="of the frames (default: 224)")
    parser.add_argument("--rounds", type=int, default=20, help="(default: 20)")
    options = parser.parse_args()

    from keras_video.data import VideoPreprocessor
    from keras_video.inference import Predictor
    from keras_video.models import TSM

    model = TSM(depth=options.depth, image_size=options.size, shift_direction="past")
    model.preprocessor = VideoPreprocessor(short_side=options.size, crop_size=options.size)
    predictor = Predictor(model)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (8, options.size, options.size, 3), "uint8")
    answers = predictor.classify_online(stream(frames))
    clips, steps = [], []
    for _ in range(options.rounds + 2):
        clips.append(milliseconds(lambda: predictor.logits(frames[None])))
        steps.append(milliseconds(lambda: next(answers)))
    print(f"TSM, ResNet-{options.depth}, {options.size} x {options.size}, float32")
    print(f"a clip of 8 frames: {min(clips[2:]):8.1f} ms")
    print(f"a frame, online:    {min(steps[2:]):8.1f} ms")


def stream(frames):
    """The frames again and again."""
    while True:
        yield from frames


def milliseconds(function) -> float:
    start = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
