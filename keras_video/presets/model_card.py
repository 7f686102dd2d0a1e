"""`ModelCard`: the README.md of a preset, on the Hub and in `hub/`."""

import dataclasses
from collections.abc import Mapping

from keras_video.presets.card_header import HOMEPAGE, card_header, card_tags, metric_name

TASKS = {
    "video-classification": "Video classification",
    "image-feature-extraction": "Features of images and frames",
    "temporal-action-localization": "Temporal action localisation: segments in which something "
    "happens",
}
_PROVENANCES = {
    "published": "published upstream",
    "converted": "measured here, with the converted weights",
    "retrained": "trained and measured here",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model card says; what isn't known is left out.

    Args:
        repository: Hub repository, `"org/name"`.
        title: what the model is called; by default as the repository.
        class_name: the model's class.
        loader: the function that loads it, as it is written in Python.
        variable: what the loaded object is called in the example.
        call: the line of the example after loading; empty for none.
        description: one sentence.
        task: a key of `TASKS`, or another name.
        dataset: what it was trained on.
        classes: number of classes.
        preprocessing: what it takes, and how a video becomes that.
        parameters: number of trainable parameters.
        metrics: results in percent.
        metrics_source: their address.
        metrics_provenance: as in `Preset`; `None` where it is unknown.
        weights: sentences on where the weights come from.
        license: identifier; `None` leaves it out of the header.
        license_note: a sentence on it.
        paper: its address.
        reproduce: pairs of what a command does and the command.
        limits: sentences.

    Example:

    >>> print(ModelCard(repository="me/my_tsm", class_name="TSM", loader="TSM.from_preset").text())
    """

    repository: str
    class_name: str
    loader: str
    title: str = ""
    variable: str = "model"
    call: str = ""
    description: str = ""
    task: str = ""
    dataset: str | None = None
    classes: int | None = None
    preprocessing: str = ""
    parameters: int | None = None
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    metrics_source: str | None = None
    metrics_provenance: str | None = None
    weights: tuple[str, ...] = ()
    license: str | None = None
    license_note: str = ""
    paper: str | None = None
    reproduce: tuple[tuple[str, str], ...] = ()
    limits: tuple[str, ...] = ()

    def text(self) -> str:
        """The card, Markdown with a YAML header for the Hub."""
        sections = (
            self._introduction(),
            self._facts(),
            _section("Results", self._results()),
            _section("Weights", " ".join(self.weights)),
            _section("Reproduce", self._commands()),
            _section("Limits", "\n".join(f"- {limit}" for limit in self.limits)),
        )
        header = card_header(
            name=self._title,
            task=self.task,
            class_name=self.class_name,
            license=self.license,
            dataset=self.dataset,
            metrics=self.metrics,
            metrics_source=self._results_address(),
            source_name=_PROVENANCES.get(self.metrics_provenance, "results"),
        )
        return header + "\n" + "\n\n".join(filter(None, sections)) + "\n"

    @property
    def tags(self) -> tuple[str, ...]:
        """The Hub's tags."""
        return card_tags(self.task, self.class_name)

    @property
    def _title(self) -> str:
        return self.title or self.repository.rpartition("/")[2]

    def _introduction(self) -> str:
        call = f"\n{self.call}" if self.call else ""
        return (
            f"# {self._title}\n\n"
            + (f"{self.description}\n\n" if self.description else "")
            + f"The class `{self.class_name}` of [keras_video]({HOMEPAGE}), for "
            "[Keras 3](https://keras.io).\n\n"
            "```python\nimport keras_video\n\n"
            f"{self._load()}{call}\n```"
        )

    def _load(self) -> str:
        """The line that loads the model, or three as formatters break it."""
        opening, address = f"{self.variable} = {self.loader}(", f'"hf://{self.repository}"'
        line = f"{opening}{address})"
        return line if len(line) <= 100 else f"{opening}\n    {address}\n)"

    def _facts(self) -> str:
        facts = {
            "Task": TASKS.get(self.task, self.task),
            "Classes": f"{self.classes:,}" if self.classes else "",
            "Training data": self.dataset,
            "Input": self.preprocessing,
            "Trainable parameters": f"{self.parameters:,}" if self.parameters else "",
            "Licence": " ".join(filter(None, (f"{self.license}." if self.license else "",
                                              self.license_note))),
            "Paper": self.paper,
        }  # fmt: skip
        rows = [f"| {name} | {_cell(value)} |" for name, value in facts.items() if value]
        return "\n".join(["| | |", "| --- | --- |", *rows]) if rows else ""

    def _results(self) -> str:
        if not self.metrics:
            return ""
        provenance = _PROVENANCES.get(self.metrics_provenance, "")
        rows = [
            f"| {metric_name(name)} | {value} | {provenance} |"
            for name, value in self.metrics.items()
        ]
        table = "\n".join(["| Metric | Value | Provenance |", "| --- | ---: | --- |", *rows])
        return f"{table}\n\n{self._explanation()}".rstrip()

    def _explanation(self) -> str:
        address = self._results_address()
        source = f"Source: {address}." if address else ""
        if self.metrics_provenance == "published":
            return f"{source} keras_video has not measured them again.".lstrip()
        return source

    def _results_address(self) -> str | None:
        """The source as an address that holds anywhere."""
        source = self.metrics_source
        if not source or source.startswith(("http:", "https:")):
            return source
        return f"{HOMEPAGE}/blob/main/{source}"

    def _commands(self) -> str:
        return "\n\n".join(f"{what}:\n\n    {command}" for what, command in self.reproduce)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
