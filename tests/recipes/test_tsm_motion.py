import pathlib
import subprocess
import sys

import pytest

RECIPE = pathlib.Path(__file__).parents[2] / "recipes" / "tsm_motion.py"


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(RECIPE), *arguments], capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tsm", "tsn"])
def test_the_recipe_trains_and_saves_a_preset_that_loads(tmp_path, name):
    from keras_video.models import VideoClassifier

    done = run(
        f"--workdir={tmp_path}",
        f"--model={name}",
        "--train_clips=32",
        "--test_clips=8",
        "--epochs=1",
        "--batch_size=16",
    )
    assert done.returncode == 0, done.stderr
    assert f"{name}: top-1" in done.stdout
    assert "of 8 unseen clips" in done.stdout
    model = VideoClassifier.from_preset(tmp_path / "preset")
    assert type(model).__name__ == name.upper()
    assert model.labels[:2] == ["moving left", "moving right"]
    assert model.preprocessor.num_frames == 8
    size = sum(file.stat().st_size for file in (tmp_path / "preset").iterdir())
    assert size < 3_000_000
