"""Runs every contract's model on the backend of KERAS_BACKEND: python run_on_backend.py OUT.npz"""

import sys

import keras
import numpy as np
from models.test_contract import CONTRACTS, with_peepholes

from keras_video.models import VideoClassifier


def main(path: str) -> None:
    outputs = {"backend": keras.backend.backend()}
    for contract in CONTRACTS:
        contract.setup_class()
        name = contract.model_class.__name__
        for index, output in enumerate(keras.tree.flatten(contract.outputs)):
            outputs[f"{name}:{index}"] = output
        if isinstance(contract.model, VideoClassifier):
            features = contract.model.feature_model()(contract.inputs(2), training=False)
            outputs[f"{name}:features"] = keras.ops.convert_to_numpy(features)
        # One graph, and quickly compiled, costs JAX a tenth of its single operations.
        eagerly = keras.backend.backend() != "jax"
        contract.model.compile("sgd", contract.loss(), run_eagerly=eagerly)
        history = contract.model.fit(contract.inputs(2), contract.targets(2), verbose=0)
        outputs[f"{name}:loss"] = history.history["loss"][0]
    outputs["peepholes"] = with_peepholes()
    np.savez(path, **outputs)


if __name__ == "__main__":
    main(sys.argv[1])
