"""An exported model in a few lines: what colour a video has. Needs neither Keras nor TensorFlow."""

import json

import onnx
from onnx import TensorProto, helper

from keras_video.inference import ExportedModel, TensorSpec
from keras_video.presets import preset_files

LABELS = ["red", "green", "blue"]
SHAPE = (None, 2, 8, 8, 3)


def write_colour_model(folder):
    """Writes a directory as `keras_video.export.export_model` does; logits are mean colours."""
    folder.mkdir()
    clips = helper.make_tensor_value_info("clips", TensorProto.UINT8, SHAPE)
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, (None, 3))
    nodes = [
        helper.make_node("Cast", ["clips"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["logits"], axes=[1, 2, 3], keepdims=0),
    ]
    graph = helper.make_graph(nodes, "colours", [clips], [logits])
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), folder / "model.onnx")
    ExportedModel(
        format="onnx",
        precision="float32",
        file="model.onnx",
        model="Colours",
        inputs={"clips": TensorSpec(SHAPE, "uint8")},
        outputs={"logits": TensorSpec((None, 3), "float32")},
        view_average="logits",
    ).write(folder)
    preprocessor = {
        "registered_name": "keras_video>VideoPreprocessor",
        "config": {"num_frames": 2, "short_side": 8, "crop_size": 8},
    }
    (folder / preset_files.PREPROCESSOR).write_text(json.dumps(preprocessor))
    (folder / preset_files.LABELS).write_text("".join(f"{label}\n" for label in LABELS))
    return folder
