"""The model card of a preset: the README.md that the Hub shows."""

import json
from collections.abc import Mapping


def model_card(repository: str, config: Mapping, metadata: Mapping) -> str:
    """Writes a model card from what a preset's files say.

    Args:
        repository: `"org/name"`.
        config: the preset's `config.json`.
        metadata: the preset's `metadata.json`.

    Returns:
        Markdown with a YAML header.
    """
    return f"{_header(config, metadata)}\n{_body(repository, config, metadata)}"


def _header(config: Mapping, metadata: Mapping) -> str:
    classifies = "num_classes" in config["config"]
    # JSON strings are YAML strings.
    lines = ["library_name: keras-video"]
    if classifies:
        lines.append("pipeline_tag: video-classification")
    if metadata.get("license"):
        lines.append(f"license: {json.dumps(metadata['license'])}")
    lines += ["tags:", "- keras", "- keras-video"]
    if classifies:
        lines.append("- video-classification")
    return "\n".join(["---", *lines, "---", ""])


def _body(repository: str, config: Mapping, metadata: Mapping) -> str:
    class_name = config["class_name"]
    parts = [f"# {repository.partition('/')[2]}"]
    if metadata.get("description"):
        parts.append(metadata["description"])
    parts.append(
        f"A `{class_name}` for [Keras 3](https://keras.io) and keras_video"
        f"{_facts(metadata)}.\n\n"
        "```python\n"
        "import keras_video\n\n"
        f'model = {_loader(config)}("hf://{repository}")\n'
        "```"
    )
    if metadata.get("metrics"):
        rows = "\n".join(f"| {name} | {value} |" for name, value in metadata["metrics"].items())
        parts.append(f"| metric | value |\n|---|---|\n{rows}")
    if metadata.get("metrics_source"):
        parts.append(f"Results published in {metadata['metrics_source']}")
    if metadata.get("source_url"):
        parts.append(f"Converted from {metadata['source_url']}")
    return "\n\n".join(parts) + "\n"


def _loader(config: Mapping) -> str:
    if config["registered_name"].startswith("keras_video>"):
        return f"keras_video.models.{config['class_name']}.from_preset"
    return "keras_video.presets.load_preset"


def _facts(metadata: Mapping) -> str:
    facts = []
    if metadata.get("trainable_parameters"):
        facts.append(f"{metadata['trainable_parameters']:,} trainable parameters")
    if metadata.get("dataset"):
        facts.append(f"trained on {metadata['dataset']}")
    return f": {', '.join(facts)}" if facts else ""
