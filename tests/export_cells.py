"""Small models of every family, and exports of them as cells of README's table."""

import math

from keras_video.data import VideoPreprocessor
from keras_video.export.export_source import ExportSource
from keras_video.models import VideoClassifier


def small_source(contract) -> ExportSource:
    """The model of a contract, with labels and preprocessing if it is a classifier."""
    contract.model = model = contract.build()
    if isinstance(model, VideoClassifier):
        side = model.input_shape[2] or 48
        model.preprocessor = VideoPreprocessor(
            model.input_shape[1], short_side=side + 8, crop_size=side
        )
        model.labels = [f"class {number}" for number in range(model.num_classes)]
    return ExportSource(model)


def cell(difference: float) -> str:
    """How far outputs may be from Keras' own: the next power of ten."""
    return "0" if difference == 0 else f"1e{math.ceil(math.log10(difference)):+03d}"


def rows_of(table: str) -> dict[str, dict[str, str]]:
    """The cells of a Markdown table, by row and column."""
    lines = [line.strip("|").split("|") for line in table.strip().splitlines()]
    header, _, *rows = [[text.strip() for text in line] for line in lines]
    return {row[0].strip("`"): dict(zip(header[1:], row[1:], strict=True)) for row in rows}
