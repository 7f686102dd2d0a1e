"""`ExportReport`: what was written, and how near it comes to the original."""

from dataclasses import dataclass
from pathlib import Path

from keras_video.inference.exported_model import ExportedModel


@dataclass(frozen=True)
class ExportReport:
    """What `export_model` returns.

    Attributes:
        directory: where the exported model lies.
        described: what `export.json` says of it.
        num_bytes: size of the model's files.
        differences: by runtime, the largest difference from what Keras computes in float32, as a
            share of the largest output.
        bound: what the differences may be; `None` for int8.
        agreement: of int8, the share of samples whose best class is the original's; `None` else.
    """

    directory: Path
    described: ExportedModel
    num_bytes: int
    differences: dict[str, float]
    bound: float | None
    agreement: float | None = None

    def __str__(self) -> str:
        size = self.num_bytes / 1e6
        lines = [
            f"{self.directory}: {self.described.model} as {self.described.format}, "
            f"{self.described.precision}, {size:.{1 if size < 100 else 0}f} MB"
        ]
        for runtime, value in self.differences.items():
            allowed = "" if self.bound is None else f" (allowed: {self.bound:.0e})"
            lines.append(
                f"{runtime}: differs from Keras by at most {value:.0e} of the largest output"
                f"{allowed}"
            )
        if self.agreement is not None:
            lines.append(f"The best class is the original's on {self.agreement:.1%} of the samples")
        return "\n".join(lines)
