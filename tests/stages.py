"""`with_stages`: a model that also gives what its layers compute on the way."""

from collections.abc import Iterable

import keras


def with_stages(model, layers: Iterable[str]) -> keras.Model:
    """The model with the outputs of layers, of its backbone where it has one, after its own."""
    backbone = getattr(model, "backbone", None)
    if backbone is None:
        stages = [model.get_layer(name).output for name in layers]
        return keras.Model(model.input, [model.output, *stages])
    stages = [backbone.get_layer(name).output for name in layers]
    features = keras.Model(backbone.input, [*backbone.outputs, *stages])
    clips = keras.Input(model.input_shape[1:])
    results = features(clips)
    count = len(backbone.outputs)
    return keras.Model(clips, [head_of(model)(results[:count]), *results[count:]])


def head_of(model) -> keras.Model:
    """What comes after the backbone, from the list of the backbone's outputs on."""
    found = {}
    for operation in model.operations:
        if not isinstance(operation, keras.layers.InputLayer):
            for tensor in keras.tree.flatten(operation.input):
                history = tensor._keras_history
                if history.operation is model.backbone:
                    found[history.tensor_index] = tensor
    return keras.Model([found[index] for index in sorted(found)], model.output)
