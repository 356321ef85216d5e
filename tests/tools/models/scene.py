"""BedrockModel over a fake Bedrock, and a clock that counts its sleeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.fakes.bedrock import FakeBedrock
from tools.models.bedrock import BedrockModel


@dataclass
class FakeClock:
    """A clock that only sleeping moves on."""

    time: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.time += seconds


@dataclass
class Scene:
    """A model, the server that it talks to, and its clock."""

    model: BedrockModel
    server: FakeBedrock
    clock: FakeClock
