"""`ExtractionReport`: what `extract_features` did."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class ExtractionReport:
    """What `extract_features` did, and where the time went.

    Attributes:
        videos: number of videos, those that failed included.
        extracted: number of videos whose features were written now.
        reused: number of videos whose features were there.
        failures: path and reason of each video that could not be read.
        steps: number of steps written.
        frames: number of frames that the network saw.
        seconds: of the whole, from the first video to the last.
        network_seconds: that the network took, its compilation included.
        waited_seconds: that the network waited for frames.
        decode_seconds: that the decoding threads took, all together.
    """

    videos: int
    extracted: int
    reused: int
    failures: list[dict]
    steps: int
    frames: int
    seconds: float
    network_seconds: float
    waited_seconds: float
    decode_seconds: float

    @property
    def frames_per_second(self) -> float:
        """Frames that the network saw in a second of the whole."""
        return self.frames / self.seconds if self.seconds else 0.0

    @property
    def bound(self) -> str:
        """What more of would make it faster: `"decoding"` or `"network"`."""
        return "decoding" if self.waited_seconds > self.network_seconds else "network"

    def to_dict(self) -> dict:
        """The report as plain lists and dictionaries, for JSON."""
        return {**asdict(self), "frames_per_second": self.frames_per_second, "bound": self.bound}
