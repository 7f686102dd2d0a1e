"""SlowFast on rendered motions: both models, and multigrid training to a plain preset."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_video.models import SlowFast
from keras_video.training import ConfigError, Multigrid, Trainer, prepare_recipe, run_recipe

FOLDER = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location(
        "slowfast_motion", FOLDER / "slowfast_motion.py", submodule_search_locations=[]
    )
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(FOLDER))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


def tiny(recipe, **fields):
    config = recipe.get_config()
    config.batch_size = 1
    config.data.arguments.update(train_clips=16, test_clips=4)
    config.model.arguments.width = 8
    config.update_from_flattened_dict(fields)
    return config


def multigrid(recipe, **fields):
    fields = {"num_epochs": 4, "evaluate_every": 9, "multigrid.enabled": True, **fields}
    config = tiny(recipe, **fields)
    config.schedule.boundaries = (2, 3)
    config.multigrid.epoch_factor = 1.0
    return config


def test_one_flag_makes_it_multigrid_training(recipe):
    prepared = prepare_recipe(multigrid(recipe), recipe.make_data)
    shapes = prepared.train._order.shapes
    assert isinstance(shapes, Multigrid) and shapes.num_frames == 16 and shapes.size == 48
    assert prepared.model.input_shape == (None, None, None, None, 3)
    assert prepared.model.preprocessor.num_frames == 16
    clips, labels = prepared.train.batch(0, epoch=0)
    assert clips.shape == (8, 8, 24, 24, 3) and labels.shape == (8, 8)
    schedule, base = prepared.model.optimizer._learning_rate, prepared.config.schedule.learning_rate
    last_step = sum(map(prepared.train.batches_in, range(shapes.num_epochs))) - 1
    assert float(schedule(last_step)) == pytest.approx(base * shapes.rates[-1])
    text = prepared.summary()
    assert (
        f"16 clips, {last_step + 1} steps in {shapes.num_epochs} epochs of multigrid: 4 x" in text
    )


def test_multigrid_needs_stages_of_the_learning_rate(recipe):
    with pytest.raises(ConfigError, match="Received: config.schedule.name='warmup_cosine'"):
        prepare_recipe(multigrid(recipe, **{"schedule.name": "warmup_cosine"}), recipe.make_data)
    with pytest.raises(ConfigError, match=r"config\.multigrid: `boundaries`.*\(?\[2, 3\]"):
        prepare_recipe(multigrid(recipe, num_epochs=2), recipe.make_data)


@pytest.mark.slow
def test_multigrid_training_sees_all_shapes_and_ends_in_a_plain_slowfast(
    recipe, tmp_path, monkeypatch
):
    seen, with_signal = set(), Trainer._with_signal

    def noting(trainer, batch):
        seen.add((*batch[0].shape[:3], trainer.data.num_splits(trainer._record.epoch)))
        return with_signal(trainer, batch)

    monkeypatch.setattr(Trainer, "_with_signal", noting)
    config = multigrid(recipe)
    config.multigrid.short_cycle = ()
    result = run_recipe(config, tmp_path, recipe.make_data)
    assert result["finished"] and result["epoch"] == 4
    assert seen == {(4, 8, 34, 4), (1, 16, 48, 1)}
    model = SlowFast.from_preset(tmp_path / "preset")
    assert model.input_shape == (None, 16, None, None, 3) == (None, model.num_frames, None, None, 3)
    plain = SlowFast(**{**model.get_config(), "image_size": 48})
    assert [w.path for w in plain.weights] == [w.path for w in model.weights]
    plain.set_weights(model.get_weights())
    clips = prepare_recipe(tiny(recipe), recipe.make_data).val.batch(0)[0]
    logits = [network(clips, training=False) for network in (plain, model)]
    np.testing.assert_allclose(*logits, atol=1e-5)
