import io
import json
import os
import subprocess
import sys

import pytest

from keras_video.cli import main
from keras_video.data import MOTION_CLASSES, render_motion_clip, write_video

PRESET = "tsm_tiny_motion"


def run_python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=300, **options
    )


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Two good videos, in folders, and two bad ones."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "good").mkdir()
    for name, label in (("a.mp4", "moving left"), ("b.mkv", "zooming in")):
        write_video(folder / "good" / name, render_motion_clip(label, 10**6, 30, 128))
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a video\n" * 100)
    return folder


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


# === The command itself ===


def test_help_and_version_import_nothing_heavy():
    code = (
        "import sys\n"
        "from keras_video.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'tensorflow', 'keras', 'jax', 'torch', 'numpy', 'av', 'PIL', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    shown = run_python("-c", code, "--help")
    assert shown.returncode == 0, shown.stderr
    for command in ("demo", "predict", "presets", "convert"):
        assert command in shown.stdout
    assert run_python("-c", code, "--version").stdout.startswith("keras-video 0.")
    assert "--top-k" in run_python("-c", code, "predict", "--help").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["predict"],
        ["predict", "x.mp4", "--top-k", "0"],
        ["demo", "--clips", "many"],
        ["demo", "--seed", "-1"],
        ["convert", "x.pdparams"],
    ],
)
def test_wrong_arguments_exit_with_2_and_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "usage: keras-video" in capsys.readouterr().err


def test_unexpected_errors_are_one_line_unless_debugging(monkeypatch, capsys):
    def fail(options):
        raise RuntimeError("first\n  second")

    monkeypatch.setattr("keras_video.cli._presets", fail)
    assert main(["presets"]) == 2
    assert capsys.readouterr().err == (
        "keras-video: error: RuntimeError: first second (--debug shows the traceback)\n"
    )
    with pytest.raises(RuntimeError):
        main(["presets", "--debug"])
    with pytest.raises(RuntimeError):
        main(["--debug", "presets"])


def test_ctrl_c_ends_without_a_traceback(monkeypatch, capsys):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_video.cli._presets", interrupt)
    assert main(["presets"]) == 130
    assert capsys.readouterr().err == "\nkeras-video: interrupted\n"


def test_a_reader_that_goes_away_is_not_an_error():
    for arguments in (["presets"], ["presets", "--json"]):
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "keras_video.cli", *arguments]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60)
        os.close(writer)
        assert done.stderr == b""
        assert done.returncode == 141


def test_closed_streams_are_no_error():
    for closed in (">&-", "2>&-"):
        command = f'"{sys.executable}" -m keras_video.cli presets --json {closed}'
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done
        assert "error" not in done.stdout + done.stderr


# === presets ===


def test_presets_are_listed_with_what_they_reach(capsys):
    assert main(["presets"]) == 0
    table = capsys.readouterr().out
    assert PRESET in table
    assert "pp_tsm_k400" in table
    assert "Top-1" in table


def test_a_pattern_selects_presets(capsys):
    assert main(["presets", "tsm_tiny*", "--json"]) == 0
    (preset,) = json_lines(capsys.readouterr().out)
    assert preset["name"] == PRESET
    assert preset["parameters"] > 100_000
    assert main(["presets", "nothing_like_it*"]) == 1
    assert "no preset matches 'nothing_like_it*'" in capsys.readouterr().err


# === predict ===


def test_json_gives_one_object_a_video(videos, capsys):
    code = main(["predict", str(videos / "good"), "--preset", PRESET, "--top-k", "2", "--json"])
    assert code == 0
    first, second = json_lines(capsys.readouterr().out)
    assert first["path"] == str(videos / "good" / "a.mp4")
    assert [len(result["predictions"]) for result in (first, second)] == [2, 2]
    best = first["predictions"][0]
    assert best["label"] == "moving left"
    assert best["class_id"] == MOTION_CLASSES.index("moving left")
    assert 0.5 < best["score"] <= 1
    assert second["predictions"][0]["label"] == "zooming in"


def test_people_get_a_table(videos, capsys):
    assert main(["predict", f"{videos}/good/*.mp4", "--preset", PRESET]) == 0
    captured = capsys.readouterr()
    assert "a.mp4" in captured.out
    assert "moving left" in captured.out
    assert captured.out.count("%") == 5
    assert "error" not in captured.err


def test_bad_videos_are_named_and_the_others_still_done(videos, tmp_path, capsys):
    output = tmp_path / "results.jsonl"
    code = main(
        ["predict", str(videos / "missing.mp4"), str(videos), str(videos / "empty.mp4")]
        + ["--preset", PRESET, "--json", "--output", str(output)]
    )
    assert code == 1
    captured = capsys.readouterr()
    results = {os.path.basename(result["path"]): result for result in json_lines(captured.out)}
    assert sorted(results) == ["a.mp4", "b.mkv", "empty.mp4", "missing.mp4", "text.mp4"]
    assert results["a.mp4"]["predictions"][0]["label"] == "moving left"
    assert results["missing.mp4"]["error"] == "no such file or folder"
    assert "empty" in results["empty.mp4"]["error"]
    assert results["text.mp4"]["error"]
    for name in ("missing.mp4", "empty.mp4", "text.mp4"):
        assert f"keras-video: error: {videos / name}: " in captured.err
    assert "3 of 5 videos failed" in captured.err
    assert "Traceback" not in captured.err
    assert output.read_text(encoding="utf-8") == captured.out


def test_bad_videos_are_in_the_table_too(videos, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["predict", str(videos / "empty.mp4"), "--preset", PRESET]) == 1
    table = capsys.readouterr().out
    assert "empty.mp4" in table
    assert "the file is empty" in table


def test_nothing_found_fails_without_loading_a_model(tmp_path, capsys):
    assert main(["predict", str(tmp_path), "--preset", "no such preset"]) == 1
    error = capsys.readouterr().err
    assert "no video in this folder" in error
    assert "1 of 1 videos failed" in error


def test_names_that_are_no_text_and_names_that_are_too_long(videos, tmp_path, monkeypatch):
    odd = os.fsencode(tmp_path) + b"/\xff\xe9.mp4"
    with open(videos / "good" / "a.mp4", "rb") as source, open(odd, "wb") as target:
        target.write(source.read())
    arguments = ["predict", "a" * 300 + ".mp4", odd, "--preset", PRESET]
    output = tmp_path / "results.jsonl"

    def in_a_process(encoding, *flags):
        environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": encoding}
        done = run_python("-m", "keras_video.cli", *arguments, *flags, env=environment)
        assert done.returncode == 1, done.stderr
        return done.stdout

    def here(encoding, *flags):
        encoding, errors = encoding.split(":")
        stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            assert main([*map(os.fsdecode, arguments), *flags]) == 1
        stdout.seek(0)
        return stdout.read()

    # A process of its own takes long; the other three have their output in this one.
    for encoding, run in (("utf-8:strict", here), ("ascii:strict", in_a_process)):
        too_long, result = json_lines(run(encoding, "--json", "--output", str(output)))
        assert too_long["error"] == "no such file or folder"
        assert os.fsencode(result["path"]) == odd
        assert result["predictions"][0]["label"] == "moving left"
        assert len(json_lines(output.read_text(encoding="utf-8"))) == 2
        assert "moving left" in here(encoding)


def test_an_unknown_preset_is_a_one_line_error(videos, capsys):
    assert main(["predict", str(videos / "good"), "--preset", "tsm_tiny_motoin"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("keras-video: error: ")
    assert captured.err.count("\n") == 1
    assert PRESET in captured.err, "it names the nearest"


def test_an_unknown_decoder_is_a_one_line_error(videos, capsys):
    code = main(["predict", str(videos / "good"), "--preset", PRESET, "--decoder", "abacus"])
    assert code == 2
    error = capsys.readouterr().err
    assert "abacus" in error
    assert error.count("\n") == 1


def test_a_directory_is_a_preset(videos, tmp_path, capsys):
    from keras_video.models import TSM

    TSM.from_preset(PRESET).save_to_preset(tmp_path / "mine")
    path = str(videos / "good" / "a.mp4")
    assert main(["predict", path, "--preset", str(tmp_path / "mine"), "--json"]) == 0
    (result,) = json_lines(capsys.readouterr().out)
    assert result["predictions"][0]["label"] == "moving left"


# === convert ===


def test_a_checkpoint_becomes_a_preset(videos, tmp_path, capsys):
    import numpy as np
    from safetensors.numpy import save_file

    from keras_video.models import TSM

    model = TSM(num_classes=3, depth=18)
    rng = np.random.default_rng(0)
    shapes = {variable.path: variable.shape for variable in model.weights}
    tensors = {}
    for path, (name, layout) in TSM.checkpoint_maps["paddlevideo"](model).items():
        shape = shapes[path]
        if layout.startswith("conv"):
            shape = (shape[3], shape[2], *shape[:2])
        tensors[name] = rng.normal(0, 0.01, shape).astype("float32")
    checkpoint = tmp_path / "tsm.safetensors"
    save_file(tensors, checkpoint)

    target = tmp_path / "converted"
    arguments = ["convert", str(checkpoint), "--model", "tsm", "--to", str(target)]
    assert main([*arguments, "--depth", "18"]) == 0
    captured = capsys.readouterr()
    assert "TSM" in captured.out
    assert str(target) in captured.out
    assert TSM.from_preset(target).num_classes == 3

    assert "no preprocessing is known" in captured.err
    predict = ["predict", str(videos / "good" / "a.mp4"), "--preset", str(target)]
    assert main([*predict, "--decoder", "pyav"]) == 2
    assert "has no preprocessor" in capsys.readouterr().err

    assert main([*arguments, "--depth", "34"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "model", "message"),
    [("missing.pdparams", "tsm", "missing.pdparams"), ("junk.pdparams", "tsm", "Not a checkpoint")],
)
def test_what_cannot_be_converted_is_a_one_line_error(tmp_path, capsys, name, model, message):
    (tmp_path / "junk.pdparams").write_bytes(b"junk")
    arguments = ["convert", str(tmp_path / name), "--model", model, "--to", str(tmp_path / "to")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("keras-video: error: ")
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "to").exists()


# === demo ===


@pytest.mark.slow
def test_the_demo_works_offline_and_leaves_the_terminal_clean(tmp_path):
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("TF_CPP_MIN_LOG_LEVEL", "CUDA_VISIBLE_DEVICES")
    }
    environment |= {"HF_HUB_OFFLINE": "1", "COLUMNS": "100"}
    done = run_python("-m", "keras_video.cli", "demo", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "8 of 8 right" in done.stdout or "7 of 8 right" in done.stdout
    for label in MOTION_CLASSES:
        assert label in done.stdout
    folder = tmp_path / "keras_video_demo"
    assert len(list(folder.glob("*.mp4"))) == 9
    assert (folder / "annotated.mp4").stat().st_size > 10_000


def test_a_demo_that_goes_wrong_says_so_by_its_exit_code(tmp_path, monkeypatch, capsys):
    import dataclasses

    from keras_video import demo

    def guess(model, clips, top_k):
        predictions = ({"label": "moving left", "class_id": 0, "score": 1.0},)
        return [dataclasses.replace(clip, predictions=predictions) for clip in clips]

    monkeypatch.setattr(demo, "recognize_clips", guess)
    assert main(["demo", "--clips", "2", "--directory", str(tmp_path / "here")]) == 1
    assert "1 of 2 right" in capsys.readouterr().out
