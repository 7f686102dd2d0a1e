"""What the server answers, as the documentation of its API has it."""

from pydantic import BaseModel, Field


class Prediction(BaseModel):
    """A class and its probability."""

    label: str
    class_id: int
    score: float


class WindowPredictions(BaseModel):
    """What happens in a part of a video."""

    start: float = Field(description="seconds")
    end: float = Field(description="seconds")
    predictions: list[Prediction]


class VideoFacts(BaseModel):
    """What the video is."""

    duration: float = Field(description="seconds")
    fps: float
    frames: int
    width: int
    height: int


class Timings(BaseModel):
    """Seconds that the request took."""

    decode: float
    queue: float = Field(description="waiting")
    network: float = Field(description="batches that the video's views were part of")
    total: float = Field(description="with the upload")


class Classification(BaseModel):
    """What happens in a video."""

    id: str
    model: str
    video: VideoFacts
    predictions: list[Prediction]
    windows: list[WindowPredictions] = Field(description="empty unless asked for")
    timings: Timings


class FoundAction(BaseModel):
    """When something happens, and what."""

    start: float = Field(description="seconds")
    end: float = Field(description="seconds")
    label: str
    class_id: int
    score: float


class Localization(BaseModel):
    """The actions of a video."""

    id: str
    model: str
    video: VideoFacts
    actions: list[FoundAction]
    timings: Timings


class Limits(BaseModel):
    """What a video may have."""

    max_bytes: int
    max_seconds: float
    max_pixels: int = Field(description="width times height")
    max_frames: int
    max_windows: int


class ModelFacts(BaseModel):
    """What the server serves."""

    name: str
    task: str = Field(description="classify or localize")
    labels: list[str]
    runtime: str
    limits: Limits
    window_seconds: float | None


class Health(BaseModel):
    """Whether requests are answered."""

    status: str = Field(description="ready; all else is an error")


class ErrorFacts(BaseModel):
    """Why there is no answer."""

    code: str
    message: str


class ErrorResponse(BaseModel):
    """Any answer with a status from 400."""

    error: ErrorFacts


ERRORS = {
    status: {"model": ErrorResponse, "description": text}
    for status, text in {
        400: "The request is malformed, or the file is empty.",
        403: "The URL is none that the server may load.",
        404: "The model does not do this.",
        408: "The upload takes too long.",
        413: "The file is too large.",
        415: "The file is no video.",
        422: "The video cannot be decoded, or is too long, too large or too slow to decode.",
        503: "Too many requests, or the server starts or ends: see Retry-After.",
        504: "The answer takes too long.",
    }.items()
}

UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["url"],
                    "properties": {"url": {"type": "string"}},
                }
            },
        },
    }
}
