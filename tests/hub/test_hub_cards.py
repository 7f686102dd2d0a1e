"""hub/ has a manifest and a model card of every preset, made from the registry, and up to date."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from keras_video.applications.application_preset import application_presets
from keras_video.presets import Preset, get_preset, list_presets
from keras_video.presets.preset_card import preset_card

ROOT = Path(__file__).parents[2]
HUB = ROOT / "hub"
TOOL = ROOT / "tools" / "hub_cards.py"
NAMES = sorted(path.parent.name for path in HUB.glob("*/manifest.json"))
HOMEPAGE = "https://github.com/keras-video/keras-video/"

# A warning of the Hub client about a library that it uses.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def run_tool(*arguments):
    return subprocess.run(
        [sys.executable, str(TOOL), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


def card(name):
    return (HUB / name / "README.md").read_text(encoding="utf-8")


def test_every_preset_has_a_folder():
    builtin = [name for name in list_presets() if get_preset(name).model.startswith("keras_video.")]
    assert sorted([*builtin, *application_presets()]) == NAMES


def test_hub_is_up_to_date():
    done = run_tool("--check")
    assert done.returncode == 0, done.stderr


def test_what_is_old_is_told_and_replaced(tmp_path):
    assert run_tool("--hub", tmp_path).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == set(NAMES)
    current = (tmp_path / "tsm_k400" / "README.md").read_bytes()
    (tmp_path / "tsm_k400" / "README.md").write_bytes(current.replace(b"71.06", b"91.06"))
    (tmp_path / "tsn_k400" / "manifest.json").unlink()
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "manifest.json").write_text("{}")
    (tmp_path / "notes").mkdir()

    done = run_tool("--check", "--hub", tmp_path)
    assert done.returncode == 1
    assert "run `python tools/hub_cards.py`. Received: gone, tsm_k400, tsn_k400" in done.stderr
    assert run_tool("--hub", tmp_path).returncode == 0
    assert (tmp_path / "tsm_k400" / "README.md").read_bytes() == current
    assert {path.name for path in tmp_path.iterdir()} == {*NAMES, "notes"}
    assert run_tool("--check", "--hub", tmp_path).returncode == 0


@pytest.mark.parametrize("name", [name for name in NAMES if name not in application_presets()])
def test_a_manifest_makes_the_preset_again(name):
    fields = json.loads((HUB / name / "manifest.json").read_text(encoding="utf-8"))
    made, preset = Preset(**fields), get_preset(name)
    plain = [json.dumps(vars(each), sort_keys=True, default=dict) for each in (made, preset)]
    repository = f'"repository": "{preset.hub_repository}"'
    assert plain[0] == plain[1].replace('"repository": null', repository)


@pytest.mark.parametrize("name", NAMES)
def test_the_hub_understands_a_card(name):
    header = ModelCard(card(name)).data
    assert header.library_name == "keras-video"
    assert header.license and {"keras", "keras-video"} < set(header.tags)
    fields = json.loads((HUB / name / "manifest.json").read_text(encoding="utf-8"))
    tasks = ("video-classification", "image-feature-extraction")
    task = fields.get("task", tasks[0])
    assert header.pipeline_tag == (task if task in tasks else None)
    results = {result.metric_name: result.metric_value for result in header.eval_results or ()}
    assert sorted(results.values()) == sorted(fields.get("metrics", {}).values())
    for result in header.eval_results or ():
        assert result.dataset_name == fields["dataset"] and result.source_url.startswith("https:")


@pytest.mark.parametrize("name", NAMES)
def test_a_card_s_examples_compile_and_its_links_into_the_repository_lead_somewhere(name):
    text = card(name)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert re.search(r'\.from_preset\(\s*"hf://', code) and compile(code, name, "exec").co_code
    for path in re.findall(rf"{HOMEPAGE}(?:blob|tree)/main/([\w/.-]*\w)", text):
        assert (ROOT / path).exists(), path
    for script in re.findall(r"^    python (\S+)", text, re.MULTILINE):
        assert (ROOT / script).is_file(), script


@pytest.mark.parametrize("name", list_presets())
def test_a_card_says_who_measured(name):
    preset, text = get_preset(name), card(name)
    ours = name == "tsm_tiny_motion"
    assert preset.metrics_provenance == ("retrained" if ours else "published")
    if preset.metrics and not ours:
        assert "published upstream" in text and "has not measured them again" in text
    assert ("No published result" in text) == (not preset.metrics)
    assert ("Converted from" in text) != ours
    if not ours:
        assert "tested with random weights" in text


def test_a_recipe_belongs_to_the_result_that_it_states():
    trained = {name: get_preset(name).recipe for name in list_presets() if get_preset(name).recipe}
    scripts = {path.stem for path in (ROOT / "recipes").glob("*.py")}
    assert scripts - set(trained.values()) == {"finetune", "slowfast_motion", "timesformer_motion"}
    for name, recipe in trained.items():
        text = (ROOT / "recipes" / f"{recipe}.py").read_text(encoding="utf-8")
        main = next(iter(get_preset(name).metrics.values()))
        if name != "tsm_tiny_motion":
            assert f"{main:.2f} %" in text, name


def test_what_is_unknown_is_said_or_left_out():
    bare = Preset(name="mine", model="my_package.my_model:MyModel", repository="me/mine")
    text = preset_card(bare).text()
    assert 'license: "unknown"' in text and "unknown. Ask the authors." in text
    assert "model-index" not in text and "## Results" not in text
    assert 'keras_video.presets.load_preset("hf://me/mine")' in text
    elsewhere = preset_card(get_preset("tsm_k400"), "you/copy").text()
    assert elsewhere == card("tsm_k400").replace("hf://keras-video/tsm_k400", "hf://you/copy")
