"""`quantize_openvino`: an OpenVINO model with int8 arithmetic."""

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from keras_video.inference.runtime import needs

# Set while NNCF is imported, it reports to nobody what it is used for.
_SILENCE = "NNCF_CI"


def quantize_openvino(
    source: Path, target: Path, samples: Iterable[Mapping[str, np.ndarray]]
) -> None:
    """Writes a float model of OpenVINO anew, computing in int8, with Intel's NNCF.

    Weights are int8 with a scale for every channel, activations 8 bits with one that the samples
    decide: their lowest and highest values. Tensors that meet in a concatenation, such as the parts
    of a temporal shift, share it. Inputs and outputs keep their names, shapes and types.

    Args:
        source: path of an `.xml` file in float32.
        target: where to write; the weights go beside it, as `.bin`.
        samples: inputs by name, such as the network will meet; all are in memory at once.

    Raises:
        ImportError: NNCF or OpenVINO is not installed.
        ValueError: there are no samples.

    Example:

    >>> samples = keras_video.export.calibration_samples(model, sorted(Path("videos").glob("*")))
    >>> quantize_openvino(Path("float/model.xml"), Path("int8/model.xml"), samples)
    """
    samples = [dict(sample) for sample in samples]
    if not samples:
        raise ValueError(
            "int8 needs samples of what the network will meet, to know how large its values "
            "become. Received: no samples"
        )
    nncf = _import_nncf()
    import openvino
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    model = openvino.Core().read_model(str(source))
    kinds = {operation.get_type_name() for operation in model.get_ops()}
    attends = bool(kinds & {"ScaledDotProductAttention", "Softmax"})
    parameters = nncf.AdvancedQuantizationParameters(
        # Its own default is the mean of the samples' extremes, which cuts off the brightest pixels.
        activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        # It makes the logits of networks with temporal shifts worse.
        disable_bias_correction=True,
    )
    with _quiet(nncf):
        quantized = nncf.quantize(
            model,
            nncf.Dataset(samples),
            subset_size=len(samples),
            preset=nncf.QuantizationPreset.MIXED,
            model_type=nncf.ModelType.TRANSFORMER if attends else None,
            advanced_parameters=parameters,
        )
    openvino.save_model(quantized, str(target), compress_to_fp16=False)


def _import_nncf():
    before = os.environ.get(_SILENCE)
    os.environ[_SILENCE] = "1"
    try:
        import nncf
    except ImportError as error:
        raise needs("NNCF and OpenVINO", "export") from error
    finally:
        if before is None:
            del os.environ[_SILENCE]
        else:
            os.environ[_SILENCE] = before
    return nncf


@contextlib.contextmanager
def _quiet(nncf) -> Iterator[None]:
    """Without the bars and lines that NNCF writes."""
    import rich

    logger, console = logging.getLogger("nncf"), rich.get_console()
    before = logger.level, console.quiet
    logger.setLevel(logging.ERROR)
    console.quiet = True
    try:
        yield
    finally:
        logger.setLevel(before[0])
        console.quiet = before[1]
