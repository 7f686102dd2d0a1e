"""TimeSformer of two layers, from nothing, on rendered motions that only time can tell apart.

The eight classes of `tsm_motion.py`: no single frame tells the two of a pair apart.

    python recipes/timesformer_motion.py --workdir=runs/timesformer_motion

Without pretraining a transformer learns slowly. A run was stopped after 16 of its 20 epochs at
86.75 % of 400 unseen clips: of those that do not rotate all but one were right, and nearly all that
do were taken for clockwise; 8 frames hardly show their direction (README.md next to this file).
Needs no data and no GPU.

Reference: Bertasius et al., "Is Space-Time Attention All You Need for Video Understanding?",
https://arxiv.org/abs/2102.05095
"""

from tsm_motion import make_data

from keras_video.training import recipe


def get_config():
    config = recipe.default_config()
    config.num_epochs = 20
    config.batch_size = 16

    config.model.name = "TimeSformer"
    config.model.arguments.update(num_frames=8, image_size=32, patch_size=4, hidden_dim=64)
    config.model.arguments.update(num_layers=2, num_heads=4, mlp_ratio=2.0, drop_path=0.0)

    config.schedule.update(name="warmup_cosine", learning_rate=2e-3, warmup_epochs=1.0)
    config.optimizer.update(name="adamw", weight_decay=0.02, clip_norm=1.0)
    config.optimizer.arguments.beta_2 = 0.98

    config.data.arguments.update(train_clips=4096, test_clips=400)
    config.preprocessor.update(num_frames=8, short_side=32, crop_size=32)
    return config


if __name__ == "__main__":
    recipe.main(get_config, make_data)
