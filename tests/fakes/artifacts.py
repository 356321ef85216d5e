"""An ArtifactStore in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from agent.errors import ArtifactError


@dataclass
class MemoryArtifacts:
    """An ArtifactStore in memory."""

    texts: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, text: str) -> str:
        """Store under an immutable key."""
        if self.texts.setdefault(key, text) != text:
            raise ArtifactError(key, "is already stored with another content")
        return f"memory:{key}#{hashlib.sha256(text.encode()).hexdigest()}"

    def put_latest(self, key: str, text: str) -> str:
        """Store under a key that always holds the newest text."""
        self.texts[key] = text
        return f"memory:{key}"

    def get(self, ref: str) -> str:
        """The text of a reference."""
        key = ref.partition("#")[0].removeprefix("memory:")
        if key not in self.texts:
            raise ArtifactError(ref, "is missing")
        return self.texts[key]
