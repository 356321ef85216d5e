"""The error family: every error carries its data, and its message says what to do next."""

from __future__ import annotations

from dataclasses import dataclass

INSTALL_LOCAL = "pip install 'datamorph-glue-executor[local]'"
"""The command that adds Spark, Java, PostgreSQL, the terminal view and the example data."""


COMPUTE_APART = "compute an inner part as a column of its own first, and name that column here"
"""The way out for an expression that is too long or too deep."""


@dataclass(frozen=True)
class Problem:
    """One problem of an input: its path, and what to do about it."""

    path: str
    """The path, as `specs.join_conditions[0].on_columns`."""
    message: str
    """The fault, and the right form."""
    beyond: bool = False
    """True where only the compiler cannot say it: a model can be asked."""


class DatamorphError(Exception):
    """Base of all errors that the product raises."""


class InvalidRequestError(DatamorphError):
    """The request cannot be carried out as it stands; nothing was started or changed."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems


class ConflictError(DatamorphError):
    """Another payload has the `run_id`, or another process is working on the run."""

    def __init__(self, run_id: str, message: str) -> None:
        super().__init__(message)
        self.run_id = run_id


class UnavailableError(DatamorphError):
    """A service refused, or cannot be reached. The message says what to grant, start or raise."""

    def __init__(self, service: str, message: str) -> None:
        super().__init__(message)
        self.service = service
        """The service: `database`, `model`, `engine`, `glue`, `s3`, `ledger`, `checkpoints`, `secrets`, `java`, ..."""


class OutOfTimeError(DatamorphError):
    """Too little time is left of the invocation for a step. The run stays as it is for the next one."""


class UnknownRunError(DatamorphError):
    """No run of that `run_id` was accepted here."""

    def __init__(self, run_id: str) -> None:
        super().__init__(f"no run {run_id!r} is known here; `datamorph status` lists the runs that are")
        self.run_id = run_id


class UnsupportedTypeError(DatamorphError):
    """A column's type is not supported: it could not be read and written without loss."""

    def __init__(self, type_name: str, column: str | None = None) -> None:
        where = f"column {column!r}: " if column else ""
        self.told = f"{where}type {type_name!r} is not supported"
        """The message without the hint for a source."""
        super().__init__(f"{self.told}; cast it to a supported type in a view")
        self.type_name = type_name
        self.column = column


class ReplyError(DatamorphError):
    """The model's reply holds no usable `transform`; `rule` names what is missing."""

    def __init__(self, rule: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.line = line


class ArtifactError(DatamorphError):
    """A stored artifact is missing, or its content has changed."""

    def __init__(self, ref: str, message: str) -> None:
        super().__init__(f"artifact {ref}: {message}")
        self.ref = ref


class EngineError(DatamorphError):
    """The engine refused a call; `code` is Glue's exception name, as `ConcurrentRunsExceededException`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class PublishError(DatamorphError):
    """Staging was not published; the target is as it was.

    `kind` is one of `transient` (connection, lock, disk), `constraint` (PostgreSQL refused the rows),
    `row_count` (staging differs from the job's report), `empty_result`, `target_changed`,
    `columns` (staging lacks columns of the job's report), `staging_not_plain` (staging is no plain table of the jobs'
    role, and was not read), `run_id_taken` (another installation published under it), `cancelled`, `superseded`
    and `overdue` (the run was ended or restarted before).
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
