"""From a config to a trained preset: what the fields do, and what is refused."""

import json

import keras
import numpy as np
import pytest

from keras_video.data import ArrayDataset, VideoPreprocessor
from keras_video.data.transforms import MixUp, RandomFlip
from keras_video.models import TSM, TSN, VideoClassifier
from keras_video.models.functional_model import FunctionalModel
from keras_video.training import (
    SGD,
    RMSProp,
    default_config,
    prepare_recipe,
    recipe_model,
    run_recipe,
)
from keras_video.training.recipe import make_trainer
from keras_video.training.recipe_config import ConfigError
from keras_video.training.recipe_model import make_optimizer, make_schedule

TINY = {"num_frames": 2, "depth": 18, "width": 2, "image_size": 32}


def tiny_config(**fields):
    config = default_config()
    config.update(num_epochs=2, batch_size=4)
    config.model.arguments.update(TINY)
    config.preprocessor.update(num_frames=2, short_side=32, crop_size=32)
    config.schedule.learning_rate = 0.01
    config.update_from_flattened_dict(fields)
    return config


def make_data(config, train_options, val_options):
    frames = config.model.arguments.get("num_frames", 8)
    size = config.model.arguments.get("image_size", 64)
    classes = np.arange(8) % 2
    shades = (200 * classes).astype("uint8")[:, None, None, None, None]
    clips = np.broadcast_to(shades, (8, frames, size, size, 3))
    names = {"label_names": ("dark", "bright")}
    train = ArrayDataset(
        clips, classes, batch_transform=config.data.batch_transform, **names, **train_options
    )
    return train, ArrayDataset(clips[:5], classes[:5], **names, **val_options)


def prepare(**fields):
    return prepare_recipe(tiny_config(**fields), make_data)


def test_a_recipe_trains_and_writes_a_preset(tmp_path):
    result = run_recipe(tiny_config(), tmp_path, make_data)
    assert result["finished"] and result["epoch"] == 2 and result["step"] == 4
    assert 0 <= result["top1"] <= 1
    model = VideoClassifier.from_preset(tmp_path / "preset")
    assert type(model) is TSM and model.labels == ["dark", "bright"]
    assert model.preprocessor == VideoPreprocessor(num_frames=2, short_side=32, crop_size=32)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model"]["arguments"] == TINY and config["num_epochs"] == 2
    assert run_recipe(tiny_config(), tmp_path, make_data) == result
    with pytest.raises(ValueError, match=r"num_epochs.*2.*3"):
        run_recipe(tiny_config(num_epochs=3), tmp_path, make_data)


def test_the_preset_takes_the_frames_of_its_preprocessor_and_no_strategy(tmp_path):
    config = tiny_config(**{"model.name": "TSN", "num_epochs": 1, "sync_batch_norm": True})
    config.preprocessor.num_frames = 5
    result = run_recipe(config, tmp_path, make_data)
    model = TSN.from_preset(tmp_path / "preset")
    assert model.num_frames == model.preprocessor.num_frames == 5 and not model.synchronized
    metadata = json.loads((tmp_path / "preset" / "metadata.json").read_text())
    assert metadata["metrics"]["top1"] == pytest.approx(100 * result["top1"])


def test_labels_are_one_hot_and_validation_is_padded():
    recipe = prepare(**{"data.batch_transform": MixUp(0.2), "val_batch_size": 2})
    clips, labels = recipe.train.batch(0)
    assert clips.shape == (4, 2, 32, 32, 3) and labels.shape == (4, 2)
    assert [batch[2].tolist() for batch in recipe.val] == [[1, 1], [1, 1], [1, 0]]


def test_the_precision_is_not_part_of_the_model():
    recipe = prepare(precision="mixed_float16")
    assert recipe.model.backbone.get_layer("stem_conv").compute_dtype == "float16"
    assert isinstance(recipe.model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert recipe.model.get_config()["dtype"] is None
    assert keras.config.dtype_policy().name == "float32"


def test_the_seed_decides_the_first_weights():
    first, second, other = (prepare(seed=seed).model.get_weights() for seed in (1, 1, 2))
    assert all(map(np.array_equal, first, second)) and not all(map(np.array_equal, first, other))


def test_the_classifier_starts_as_large_as_asked():
    assert prepare().model.get_layer("classifier").kernel.numpy().std() < 0.002
    large = prepare(**{"model.head_std": 0.5}).model.get_layer("classifier")
    assert large.kernel.numpy().std() == pytest.approx(0.5, rel=0.4)
    assert not large.bias.numpy().any()


def test_a_preset_is_continued_with_a_new_classifier_for_other_classes():
    fields = {"model.preset": "tsm_tiny_motion", "freeze.until": "stage3"}
    config = tiny_config(**fields)
    config.model.arguments = {"dropout": 0.7}
    config.preprocessor = {}
    recipe = prepare_recipe(config, make_data)
    model, source = recipe.model, TSM.from_preset("tsm_tiny_motion")
    assert model.num_classes == 2 and model.dropout == 0.7 and model.num_frames == 8
    np.testing.assert_array_equal(model.backbone.get_weights()[0], source.backbone.get_weights()[0])
    assert model.preprocessor == source.preprocessor
    assert "tsm_tiny_motion, a new classifier" in recipe.summary()
    names = {weight.path for weight in model.trainable_weights}
    assert not any("stage2" in name for name in names) and any("stage3" in name for name in names)


def test_the_classifier_of_a_preset_stays_where_the_classes_are_the_same():
    source = TSM.from_preset("tsm_tiny_motion")

    def data_of(names):
        def make(config, train_options, val_options):
            clips = np.zeros((8, 8, 64, 64, 3), "uint8")
            return ArrayDataset(clips, np.arange(8), label_names=names, **train_options), None

        return make

    config = tiny_config(**{"model.preset": "tsm_tiny_motion"})
    config.model.arguments, config.preprocessor = {}, {}
    kernel = source.get_layer("classifier").kernel.numpy()
    same = prepare_recipe(config, data_of(source.labels)).model
    np.testing.assert_array_equal(same.get_layer("classifier").kernel.numpy(), kernel)
    other = prepare_recipe(config, data_of(source.labels[::-1])).model
    assert not np.allclose(other.get_layer("classifier").kernel.numpy(), kernel)
    assert other.labels == source.labels[::-1]
    recipe = prepare_recipe(config, data_of([str(number) for number in range(8)]))
    np.testing.assert_array_equal(recipe.model.get_layer("classifier").kernel.numpy(), kernel)
    assert recipe.model.labels == source.labels
    assert "tsm_tiny_motion, with its classifier" in recipe.summary()


def test_batch_norm_can_be_frozen():
    recipe = prepare(**{"freeze.batch_norm": "all_but_first"})
    gammas = [w.path for w in recipe.model.trainable_weights if w.path.endswith("gamma")]
    assert gammas == ["stem_conv/norm/gamma"]


def test_a_teacher_is_asked(tmp_path):
    fields = {"distillation.teacher": "tsm_tiny_motion", "distillation.weight": 0.5}
    config = tiny_config(num_epochs=1, **fields)
    config.model.arguments.update(num_frames=8, image_size=64)

    def make(config, train_options, val_options):
        clips = np.zeros((4, 8, 64, 64, 3), "uint8")
        return ArrayDataset(clips, np.arange(4), num_classes=8, **train_options), None

    assert run_recipe(config, tmp_path, make)["finished"]


@keras.saving.register_keras_serializable(package="test_recipe")
class Tagger(FunctionalModel):
    """A model of another task: features in, several tags out."""

    def __init__(self, num_classes=3, dtype=None, name=None):
        features = keras.Input((4,))
        dense = keras.layers.Dense(num_classes, dtype=dtype, name="classifier")
        super().__init__(features, dense(features), dtype=dtype, name=name)
        self.num_classes = num_classes

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


class Hits:
    """The share of clips whose first tag is right."""

    def __init__(self, recipe):
        self.model, self.data = recipe.model, recipe.val

    def evaluate(self):
        ((features, targets, _),) = self.data
        best = self.model.predict(features, verbose=0).argmax(-1)
        return {"hits": float(targets[np.arange(len(best)), best].mean())}


def test_other_tasks_bring_their_own_data_loss_and_validation(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_model, "model_class", lambda config: Tagger)
    features = np.eye(4, dtype="float32")[np.arange(8) % 4]
    tags = features[:, :2]

    def make_tags(config, train_options, val_options):
        train = ArrayDataset(features, tags, **train_options)
        return train, ArrayDataset(features[:4], tags[:4] + 1, **val_options)

    def make_loss(config, model):
        return {"loss": keras.losses.BinaryCrossentropy(from_logits=True)}

    config = default_config()
    config.update(batch_size=4, num_epochs=1, monitor="hits")
    result = run_recipe(config, tmp_path, make_tags, make_loss, Hits)
    assert result["hits"] >= 1 and result["finished"]
    assert Tagger.from_preset(tmp_path / "preset").num_classes == 2
    text = prepare_recipe(config, make_tags, make_loss).summary()
    assert "BinaryCrossentropy" in text and "no preprocessor" in text
    assert "clips (4, 4) float32, labels (4, 2) float32" in text


@pytest.mark.parametrize(
    ("fields", "rates"),
    [
        ({"schedule.name": "constant"}, [0.01, 0.01, 0.01]),
        ({"schedule.name": "piecewise", "schedule.boundaries": (1,)}, [0.01, 0.001, 0.001]),
        ({"schedule.name": "warmup_cosine"}, [0.01, 0.005, 0]),
        (
            {"schedule.name": "constant", "schedule.warmup_epochs": 1.0},
            [0.0, 0.01, 0.01],
        ),
    ],
)
def test_learning_rates(fields, rates):
    schedule = make_schedule(tiny_config(**fields), steps_per_epoch=10)
    np.testing.assert_allclose([schedule(step) for step in (0, 10, 20)], rates, atol=1e-9)


def test_optimizers():
    model = TSM(num_classes=2, **TINY)

    def make(**fields):
        config = tiny_config(**{f"optimizer.{name}": value for name, value in fields.items()})
        return make_optimizer(config, 0.1, model)

    sgd = make(nesterov=True, clip_norm=20.0, ema=0.99)
    assert type(sgd) is SGD and sgd.nesterov and sgd.l2 == 1e-4 and sgd.momentum == 0.9
    assert sgd.global_clipnorm == 20 and sgd.use_ema and sgd.ema_momentum == 0.99
    assert sgd.rules == TSM.weight_rules
    assert make(rules=(("kernel", 2.0, 1.0),)).rules == (("kernel", 2.0, 1.0),)
    adam = make(name="adamw", weight_decay=0.02, arguments={"beta_2": 0.95})
    assert type(adam) is keras.optimizers.AdamW
    assert adam.weight_decay == 0.02 and adam.beta_2 == 0.95
    rmsprop = make(name="rmsprop", arguments={"centered": True, "rho": 0.9})
    assert type(rmsprop) is RMSProp and rmsprop.centered and rmsprop.rho == 0.9
    assert rmsprop.l2 == 1e-4 and rmsprop.momentum == 0 and rmsprop.rules == TSM.weight_rules
    with pytest.raises(ConfigError, match="Did you mean 'adamw'"):
        make(name="adamww")
    with pytest.raises(ConfigError, match="Did you mean 'rmsprop'"):
        make(name="rms_prop")
    with pytest.raises(ConfigError, match="config.optimizer .SGD.: .*beta_2"):
        make(arguments={"beta_2": 0.95})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model.name": "PTSM"}, "Did you mean 'PPTSM'"),
        ({"model.name": "nowhere:Model"}, "config.model.name: .*nowhere"),
        ({"batch_size": 6, "accumulate": 4}, "config.batch_size .* multiple of 4.*batch_size=6"),
        ({"model.preset": "tsm_tiny_moton"}, "tsm_tiny_motion"),
        ({"monitor": "top_1"}, "config.monitor .* Did you mean 'top1'"),
    ],
)
def test_what_cannot_be_is_refused_before_training(fields, message):
    with pytest.raises(ValueError, match=message):
        make_trainer(prepare(**fields), "never")


@pytest.mark.parametrize(
    ("group", "values", "message"),
    [
        ("model", {"dropuot": 0.1}, "no such argument. Did you mean 'dropout'"),
        ("model", {"num_classes": 3}, "follows from the data"),
        ("preprocessor", {"cropsize": 3}, "no such argument. Did you mean 'crop_size'"),
    ],
)
def test_arguments_that_a_class_does_not_take(group, values, message):
    config = tiny_config()
    (config.model.arguments if group == "model" else config.preprocessor).update(values)
    with pytest.raises(ValueError, match=message):
        prepare_recipe(config, make_data)


def test_the_summary_says_what_would_be_trained():
    text = prepare(**{"optimizer.clip_norm": 20.0, "data.transforms": (RandomFlip(0.3),)}).summary()
    for part in (
        "TSM, 11,",
        "random weights",
        "2 (dark, bright)",
        "8 clips, 2 steps of 4 an epoch, 2 epochs",
        "clips (4, 2, 32, 32, 3) uint8, labels (4, 2) float32",
        "5 clips, 2 steps, every 1 epochs",
        "SGD(",
        "global_clipnorm=20.0",
        "0.01 at epoch 0, 0.005 at epoch 1",
        "RandomFlip(probability=0.3",
        "center crop 32",
    ):
        assert part in text, text
