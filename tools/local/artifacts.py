"""Artifacts in a folder of this machine, which takes the bucket's place."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.errors import ArtifactError, UnavailableError


class LocalArtifacts:
    """An ArtifactStore under one folder; keys are relative paths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def put(self, key: str, text: str) -> str:
        """Store under an immutable key. Raises ArtifactError when it holds another text, UnavailableError."""
        path = self._folder / key
        with _writing(key):
            if path.exists() and path.read_bytes() != text.encode():
                raise ArtifactError(key, "is already stored with another content")
            _write(path, text)
        return f"{path.as_uri()}#{hashlib.sha256(text.encode()).hexdigest()}"

    def put_latest(self, key: str, text: str) -> str:
        """Store under a key that always holds the newest text. Raises UnavailableError."""
        path = self._folder / key
        with _writing(key):
            _write(path, text)
        return path.as_uri()

    def get(self, ref: str) -> str:
        """The text of a reference. Raises ArtifactError when it is missing or not what was stored."""
        uri, _, sha = ref.partition("#")
        path = Path(unquote(urlsplit(uri).path))
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ArtifactError(ref, "is missing; was the folder moved or cleaned?") from None
        except OSError as error:
            raise ArtifactError(ref, f"cannot be read: {error.strerror}") from error
        if sha and hashlib.sha256(data).hexdigest() != sha:
            raise ArtifactError(ref, "was changed after it was stored")
        return data.decode()


@contextmanager
def _writing(key: str) -> Iterator[None]:
    """Turn errors of a full disk or an unwritable folder into UnavailableError."""
    try:
        yield
    except OSError as error:
        message = f"{key} cannot be written: {error.strerror}; make room, or make the folder writable"
        raise UnavailableError("artifacts", message) from error


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)  # atomic: a reader sees the old text or the whole new one
