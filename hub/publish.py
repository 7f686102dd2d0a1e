"""Publishes a preset on the Hugging Face Hub: convert, compare, describe, upload.

python hub/publish.py --preset tsm_k400 --repo my-org/tsm_k400 --dry-run
python hub/publish.py --preset tsm_k400 --repo my-org/tsm_k400

A run that was stopped goes on where it was. Exit codes: 0, published (or it would be); 1, something
is wrong, nothing was published; 130, interrupted.
"""

import argparse
import os
import sys

from keras_video.data import VideoDecodeError
from keras_video.presets import PresetError
from keras_video.publishing import Publication


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--preset", required=True, help="name of a model or an application, or a saved directory"
    )
    parser.add_argument("--repo", required=True, metavar="ORG/NAME", help="where to")
    parser.add_argument("--dry-run", action="store_true", help="do everything but the upload")
    parser.add_argument("--workdir", help="default: runs/publish/PRESET")
    parser.add_argument("--clip", help="video to compare by (default: a rendered one)")
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--revision", help="branch to commit to (default: main)")
    parser.add_argument("--endpoint", metavar="URL", help="another Hub")
    parser.add_argument(
        "--keras-core",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a second file of weights, for keras.saving.load_model (default: yes)",
    )
    options = vars(parser.parse_args())
    preset, repository = options.pop("preset"), options.pop("repo")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from keras_video.publishing import publish_preset

    try:
        publication = publish_preset(preset, repository, **options)
    except (PresetError, VideoDecodeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the same command goes on.", file=sys.stderr)
        return 130
    print_publication(publication)
    return 0


def print_publication(publication: Publication) -> None:
    print(
        f"The copy answers as its original: {publication.answer}, "
        f"largest difference {publication.difference:g}"
    )
    print(f"Repository: {publication.repository}")
    print(f"Tags: {', '.join(publication.tags)}")
    width = max(len(file.path) for file in publication.files)
    for file in publication.files:
        note = "  there already" if file.path in publication.present else ""
        print(f"  {file.path:{width}}  {file.size:>13,} bytes  sha256 {file.sha256}{note}")
    if publication.commit is None:
        print(f"Nothing was uploaded; the files are in {publication.folder}")
    else:
        print(f'Published: {publication.commit_url}\nTo pin: revision="{publication.commit}"')


if __name__ == "__main__":
    sys.exit(main())
