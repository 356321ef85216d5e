"""Keys of runs and launches, and the names made of them: deterministic, so that a second try finds the first one's."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

_JOB_PREFIX = "datamorph-job-"
_RUN_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
_JOB_NAME = re.compile(
    rf"{_JOB_PREFIX}(?P<run_id>{_RUN_ID})-g(?P<generation>[0-9]{{1,9}})-a[0-9]+-l[0-9]+-[0-9a-f]{{8}}"
)


class RunKey(NamedTuple):
    """One generation of a run."""

    run_id: str
    generation: int


@dataclass(frozen=True)
class LaunchKey:
    """One launch of a run: everything durable is keyed by it."""

    run_id: str
    generation: int
    attempt: int
    launch: int

    @property
    def run(self) -> RunKey:
        """The generation that the launch belongs to."""
        return RunKey(self.run_id, self.generation)


def _hex12(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_run_id(text: str) -> bool:
    """True for a valid run_id: 1 to 100 letters, digits, `_` or `-`, beginning with a letter or digit."""
    return re.fullmatch(_RUN_ID, text) is not None


def thread_id(key: RunKey) -> str:
    """The checkpoint thread of a generation."""
    return f"{key.run_id}:g{key.generation}"


def job_name(key: LaunchKey, script_sha: str, accepted_at: str) -> str:
    """The engine's job name, at most 255 characters: `datamorph-job-{run_id}-g1-a1-l1-{8 hex of script and moment}`.

    `accepted_at` keeps apart two installations in one account that were given the same run_id.
    """
    digest = hashlib.sha256(f"{script_sha}/{accepted_at}".encode()).hexdigest()
    return f"{_JOB_PREFIX}{key.run_id}-g{key.generation}-a{key.attempt}-l{key.launch}-{digest[:8]}"


def temp_prefix(job: str) -> str:
    """The TempDir of one job's run within the bucket: `glue/temp/{12 hex of the job's name}/`; no other run's."""
    return f"glue/temp/{_hex12(job)}/"


def run_of_job(name: str) -> RunKey | None:
    """The generation that a job's name belongs to; None for a name that `job_name` did not make."""
    match = _JOB_NAME.fullmatch(name)
    return RunKey(match["run_id"], int(match["generation"])) if match else None


def staging_prefix(key: LaunchKey, accepted_at: str) -> str:
    """`s_{YYYYMMDD}_{12 hex of the keys}_`: every staging table of a launch begins so.

    The date is that of `accepted_at`, when the generation was accepted, UTC, ISO 8601: an old table shows its age. The
    moment itself keeps apart two installations that were given the same run_id and share a database.
    """
    keys = f"{key.run_id}/{key.generation}/{key.attempt}/{key.launch}/{accepted_at}"
    return f"s_{compact_date(accepted_at)}_{_hex12(keys)}_"


def compact_date(moment: str) -> str:
    """The date of a moment in ISO 8601, as it stands in a staging table's name: `20250113`."""
    return moment[:10].replace("-", "")


def date_of_table(table: str) -> str:
    """The date in a staging table's name; dates compare as texts."""
    return table[2:10]


def prefix_of_table(table: str) -> str:
    """The prefix that `staging_table` made a name of."""
    return table[: table.rindex("_") + 1]


def staging_table(prefix: str, job_run_id: str) -> str:
    """The staging table of one job run; a duplicate run could not write into it."""
    return f"{prefix}{_hex12(job_run_id)}"
