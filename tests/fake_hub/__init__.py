"""A Hugging Face Hub on this machine, for the real `huggingface_hub` client to talk to."""

from fake_hub.repository import Blob, Repository
from fake_hub.server import FakeHub

__all__ = ["Blob", "FakeHub", "Repository"]
