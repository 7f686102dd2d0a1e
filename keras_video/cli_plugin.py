"""The command `keras-video plugin`."""

import argparse
import shlex


def add_plugin(command) -> None:
    """Adds `keras-video plugin new`; `command` belongs to the parser of `plugin`."""
    new = command(
        "new",
        _new,
        "write a package for models of your own",
        description="Writes a package with a model, a preset and tests: an example to replace. "
        "Once installed, keras_video finds its models and presets by name. Nothing is overwritten.",
        epilog="example: keras-video plugin new my_models",
    )
    new.add_argument(
        "name", metavar="NAME", help="of the package: lower-case letters, digits and _"
    )
    new.add_argument("--directory", metavar="DIR", help="where to write (default: ./NAME)")


def _new(options: argparse.Namespace) -> int:
    from keras_video.presets import create_plugin

    folder = create_plugin(options.name, options.directory)
    print(f"The package {options.name}: {folder}")
    print("What next:")
    for line in (
        f"cd {shlex.quote(str(folder))}",
        'python -m pip install -e ".[test]"',
        f'keras-video presets "{options.name}*"',
        "python -m pytest",
    ):
        print(f"    {line}")
    return 0
