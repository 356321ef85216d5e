"""The findings of a reading, which its stages add to."""

from __future__ import annotations

from dataclasses import dataclass

from agent.compiler.notes import Notes
from agent.compiler.problems import Stages


@dataclass(frozen=True)
class Findings:
    """Problems and notes of one reading."""

    stages: Stages
    notes: Notes
