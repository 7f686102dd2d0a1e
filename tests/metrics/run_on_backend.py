"""Evaluates with the Keras metrics on the backend of KERAS_BACKEND; prints what it found."""

import json

import keras
import numpy as np

from keras_video import metrics


def make_model(scores: np.ndarray, jit_compile: bool | str = "auto", **compile_as) -> keras.Model:
    """A model whose answer to the number `i` is row `i`, with all metrics."""
    classes = scores.shape[1]
    answers = keras.layers.Embedding(*scores.shape, embeddings_initializer="zeros")
    inputs = keras.Input((), dtype="int32")
    model = keras.Model(inputs, answers(inputs))
    model.set_weights([scores])
    name = compile_as.get("name", "metrics")
    model.compile(
        "sgd",
        "mse",
        jit_compile=jit_compile,
        **{
            name: [
                metrics.HitAtOne(),
                metrics.PrecisionAtEqualRecall(),
                metrics.GlobalAveragePrecision(top_k=5),
                metrics.GlobalAveragePrecision(top_k=20, capacity=100, name="gap20"),
                metrics.MeanAveragePrecision(classes),
                metrics.MeanAveragePrecision(classes, top_k=3, name="map3"),
            ]
        },
    )
    return model


def expected(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """The same by the functions."""
    return {
        "hit_at_one": metrics.hit_at_one(labels, scores),
        "perr": metrics.perr(labels, scores),
        "gap": metrics.global_average_precision(labels, scores, 5),
        "gap20": metrics.global_average_precision(labels, scores),
        "map": float(np.nanmean(metrics.average_precision_per_class(labels, scores))),
        "map3": float(np.nanmean(metrics.average_precision_per_class(labels, scores, 3))),
    }


def evaluate(model, labels, batch_size: int, **options) -> dict[str, float]:
    numbers = np.arange(len(labels), dtype="int32")
    result = model.evaluate(
        numbers, labels, batch_size=batch_size, verbose=0, return_dict=True, **options
    )
    return {name: value for name, value in result.items() if name != "loss"}


if __name__ == "__main__":
    from metrics.tagged import videos

    labels, scores = videos(levels=9)
    model = make_model(scores)
    for batch_size in (40, 7):
        print("RESULT", json.dumps(evaluate(model, labels, batch_size)))
