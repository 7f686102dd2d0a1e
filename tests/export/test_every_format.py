"""Every model in every format: written, run by every runtime, compared, as README's table says."""

import json
import math
import pathlib
import sys

import pytest
from export_cells import rows_of, small_source
from models.test_contract import CONTRACTS

from keras_video.export.export_model import write_export
from keras_video.inference import ExportedModel, Predictor
from keras_video.models import VideoClassifier

ROOT = pathlib.Path(__file__).parents[2]
COLUMNS = {
    "onnx": "ONNX",
    "openvino": "OpenVINO",
    "litert": "LiteRT",
    "saved_model": "SavedModel",
}
RUNTIMES = {
    "onnx": {"onnxruntime", "openvino"},
    "openvino": {"openvino"},
    "litert": {"litert"},
    "saved_model": {"saved_model"},
}


@pytest.fixture(scope="module")
def table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    begin, end = "<!-- exports: written by tools/export_matrix.py -->", "<!-- end of exports -->"
    return rows_of(text.split(begin)[1].split(end)[0])


@pytest.mark.slow
@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_model_goes_to_every_format(contract, table, tmp_path):
    source = small_source(contract)
    name = type(source.model).__name__
    for format, runtimes in RUNTIMES.items():
        report = write_export(source, tmp_path / format, format)
        assert set(report.differences) == runtimes
        # A power of ten more than on the machine that wrote the table.
        said = table[name][COLUMNS[format]]
        assert max(report.differences.values()) <= max(10 * float(said), 1e-6)
        described = ExportedModel.read(tmp_path / format)
        assert described == report.described
        assert [spec.shape[0] for spec in described.inputs.values()] == [None] * len(source.inputs)
        if isinstance(source.model, VideoClassifier):
            predictor = Predictor(tmp_path / format)
            assert predictor.labels == source.labels
            assert predictor.preprocessor.get_config() == source.preprocessor.get_config()
    assert {file.name for file in tmp_path.iterdir()} == set(RUNTIMES)


def test_the_table_has_every_model_and_no_cell_without_a_number(table):
    assert set(table) == {contract.model_class.__name__ for contract in CONTRACTS}
    for row in table.values():
        assert all(math.isfinite(float(cell)) for cell in row.values())


def test_the_table_has_every_precision_of_every_format(table):
    sys.path.insert(0, str(ROOT / "tools"))
    from export_matrix import COLUMNS as columns

    from keras_video.export.formats import FORMATS

    every = {(name, each) for name, format in FORMATS.items() for each in format.precisions}
    assert set(columns.values()) == every
    assert all(set(row) == set(columns) for row in table.values())


def test_lone_files_say_what_they_are(tmp_path):
    import zipfile

    import onnx
    import openvino

    source = small_source(CONTRACTS[1])
    for format in ("onnx", "openvino", "litert", "saved_model"):
        write_export(source, tmp_path / format, format)
    texts = source.companions()
    assert set(texts) == {"labels.txt", "preprocessor.json"}
    model = onnx.load(tmp_path / "onnx" / "model.onnx")
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert texts.items() <= found.items()
    assert json.loads(found["export.json"])["model"] == "TSM"
    model = openvino.Core().read_model(tmp_path / "openvino" / "model.xml")
    assert {name: model.get_rt_info(["keras_video", name]).value for name in texts} == texts
    with zipfile.ZipFile(tmp_path / "litert" / "model.tflite") as archive:
        assert {name: archive.read(name).decode() for name in texts} == texts
    extra = tmp_path / "saved_model" / "1" / "assets.extra"
    assert {name: (extra / name).read_text("utf-8") for name in texts} == texts
