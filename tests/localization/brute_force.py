"""The definitions, written out slowly, and random videos to try them on."""

import numpy as np

from keras_video.localization import Action, Detection

LABELS = ("run", "jump", "swim")


def overlap(a, b):
    shared = max(0.0, min(a.end, b.end) - max(a.start, b.start))
    return shared / ((a.end - a.start) + (b.end - b.start) - shared)


def average_precision(detections, truth, label, threshold):
    """One class: all detections in one list, all actions in one list, looked at one by one."""
    ranked = [(d, v) for v, found in detections.items() for d in found if d.label == label]
    ranked.sort(key=lambda pair: -pair[0].score)
    actions = [(a, v) for v, found in truth.items() for a in found if a.label == label]
    free = [True] * len(actions)
    points, right = [], 0
    for count, (detection, video) in enumerate(ranked, 1):
        best, best_overlap = None, 0.0
        for number, (action, where) in enumerate(actions):
            if where == video and free[number] and overlap(detection, action) >= threshold:
                if overlap(detection, action) > best_overlap:
                    best, best_overlap = number, overlap(detection, action)
        if best is not None:
            free[best] = False
            right += 1
        points.append((right / len(actions), right / count))
    total = 0.0
    for step in range(1, len(actions) + 1):
        recall = step / len(actions)
        total += max((p for r, p in points if r >= recall - 1e-12), default=0.0)
    return total / len(actions), right, len(ranked), len(actions)


def random_videos(seed, videos=8):
    """`(truth, detections)` with doubles, misses, empty videos, and strangers."""
    rng = np.random.default_rng(seed)
    truth, detections = {}, {}
    for number in range(videos):
        name = f"video{number}"
        truth[name], detections[name] = [], []
        for _ in range(rng.integers(0, 5)):
            start, length = rng.uniform(0, 80), rng.uniform(2, 20)
            action = Action(float(start), float(start + length), str(rng.choice(LABELS)))
            truth[name].append(action)
            for _ in range(rng.integers(0, 4)):
                around = sorted(np.array([start, start + length]) + rng.normal(0, 0.1 * length, 2))
                label = action.label if rng.random() < 0.8 else str(rng.choice(LABELS))
                detections[name].append(Detection(*map(float, around), float(rng.random()), label))
        for _ in range(rng.integers(0, 3)):
            start = float(rng.uniform(0, 80))
            label = str(rng.choice(LABELS))
            detections[name].append(Detection(start, start + 10, float(rng.random()), label))
    detections["stranger"] = [Detection(0.0, 9.0, 0.95, "run")]
    return truth, detections
