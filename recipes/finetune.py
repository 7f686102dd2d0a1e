r"""Any preset on any folder of videos, one folder for each class.

    python recipes/finetune.py --workdir=runs/mine --config.data.root=videos/
    python recipes/finetune.py --workdir=runs/mine --config.data.root=videos/ \
        --config.model.preset=tsm_k400 --config.batch_size=8 --config.num_epochs=20

A fifth of each class is put aside for validation, unless data.root has a train.list and a val.list,
as `keras-video dataset prepare` writes them. Clips are sampled, resized and cropped as the preset
wants them. With little data, keep the first stages and the batch statistics of the preset:
`--config.freeze.until=stage3 --config.freeze.batch_norm=all`. What does not fit into memory does
with `--config.accumulate=4`.

Expected: README.md next to this file shows a run on rendered videos. Published, TSM from
Kinetics-400 on UCF101: 94.42 % (tsm_ucf101.py).
"""

from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 10
    config.batch_size = 16
    config.patience = 5

    config.model.preset = "pp_tsm_k400"

    config.schedule.name = "warmup_cosine"
    config.schedule.update(learning_rate=0.001, warmup_epochs=0.5)
    config.optimizer.update(name="sgd", momentum=0.9, nesterov=True, weight_decay=1e-4)
    config.optimizer.clip_norm = 20.0
    config.loss.label_smoothing = 0.1
    return config


if __name__ == "__main__":
    recipe.main(get_config)
