"""Writes hub/<preset>/: the manifest and the model card of every preset.

python tools/hub_cards.py            # brings hub/ up to date
python tools/hub_cards.py --check    # changes nothing; exit code 1 if it is out of date
"""

import argparse
import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from presets_table import builtin_presets

from keras_video.applications.action_localizer_presets import APPLICATIONS as LOCALIZERS
from keras_video.applications.application_card import application_card
from keras_video.applications.video_tag_presets import APPLICATIONS as TAGGERS
from keras_video.presets.preset_card import preset_card
from keras_video.presets.preset_files import CARD

HUB = Path(__file__).parents[1] / "hub"
MANIFEST = "manifest.json"


def hub_files() -> Iterator[tuple[str, str]]:
    """Yields the path below `hub/` and the text of every file, in order of the manifests."""
    for preset in builtin_presets():
        yield f"{preset.name}/{MANIFEST}", manifest_text(preset)
        yield f"{preset.name}/{CARD}", preset_card(preset).text()
    for preset in (*TAGGERS, *LOCALIZERS):
        yield f"{preset.name}/{MANIFEST}", manifest_text(preset)
        yield f"{preset.name}/{CARD}", application_card(preset).text()


def manifest_text(preset) -> str:
    """A manifest as JSON: its fields, but for those with their default, and its repository."""
    fields = {}
    for field in dataclasses.fields(preset):
        value = getattr(preset, field.name)
        made = field.default_factory
        default = field.default if made is dataclasses.MISSING else made()
        if default is dataclasses.MISSING or value != default:
            fields[field.name] = value
    fields["repository"] = preset.hub_repository
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only tell, by the exit code")
    parser.add_argument("--hub", type=Path, default=HUB, help="default: %(default)s")
    options = parser.parse_args()
    # The repositories are those of the project, whoever runs this.
    os.environ.pop("KERAS_VIDEO_HUB_ORG", None)

    wanted = {options.hub / path: text for path, text in hub_files()}
    changed = [path for path, text in wanted.items() if _read(path) != text]
    folders = {path.parent for path in options.hub.glob(f"*/{MANIFEST}")}
    gone = sorted(folders - {path.parent for path in wanted})
    if options.check and (changed or gone):
        names = ", ".join(sorted({path.parent.name for path in changed} | {f.name for f in gone}))
        print(
            f"{options.hub} is out of date; run `python tools/hub_cards.py`. Received: {names}",
            file=sys.stderr,
        )
        return 1
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for folder in gone:
        shutil.rmtree(folder)
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
