"""The operations of a Glue endpoint that only read, or touch tags alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.glue_account import ACCOUNT, Account, GlueRefusal

_PAGE = 50


class Reading:
    """Looks into an account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def get_job(self, request: dict[str, Any]) -> dict[str, Any]:
        """Without the tags, which only GetTags gives."""
        return {"Job": self._account.job(request["JobName"])}

    def get_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of definitions by name."""
        return _page("Jobs", [self._account.jobs[name] for name in sorted(self._account.jobs)], request)

    def list_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of the names whose tags include the given ones."""
        wanted = request.get("Tags", {}).items()
        names = sorted(name for name, tags in self._account.tags.items() if wanted <= tags.items())
        return _page("JobNames", names, request)

    def get_job_runs(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of a job's runs, newest first; those of a deleted job are there still."""
        name = request["JobName"]
        runs = self._account.runs.get(name, [])
        if not runs:
            self._account.job(name)
        return _page("JobRuns", [run.described() for run in reversed(runs)], request)

    def get_connection(self, request: dict[str, Any]) -> dict[str, Any]:
        """A JDBC connection, with its password unless that is to be hidden."""
        name = request["Name"]
        if name in self._account.missing_connections or name not in self._account.engine.connections:
            raise GlueRefusal("EntityNotFoundException", f"Connection {name} not found.")
        return {"Connection": self._connection(name, bool(request.get("HidePassword")))}

    def get_connections(self, request: dict[str, Any]) -> dict[str, Any]:
        """A page of all connections."""
        names = sorted(set(self._account.engine.connections) - self._account.missing_connections)
        hidden = bool(request.get("HidePassword"))
        return _page("ConnectionList", [self._connection(name, hidden) for name in names], request)

    def get_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """A job's tags."""
        return {"Tags": self._tags(request["ResourceArn"])}

    def tag_resource(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add tags to a job's."""
        self._tags(request["ResourceArn"]).update(request["TagsToAdd"])
        return {}

    def _tags(self, arn: str) -> dict[str, str]:
        prefix = f"arn:aws:glue:{self._account.region}:{ACCOUNT}:job/"
        name = arn.removeprefix(prefix)
        if not arn.startswith(prefix) or name not in self._account.tags:
            raise GlueRefusal("EntityNotFoundException", f"Resource {arn} not found.")
        return self._account.tags[name]

    def _connection(self, name: str, hidden: bool) -> dict[str, Any]:
        url = urlsplit(self._account.engine.connections[name])
        place = f"{url.hostname or 'localhost'}:{url.port or 5432}{url.path or '/postgres'}"
        properties = {"JDBC_CONNECTION_URL": f"jdbc:postgresql://{place}"}
        if name in self._account.connection_secrets:
            properties["SECRET_ID"] = self._account.connection_secrets[name]
            return {"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": properties}
        properties["USERNAME"] = url.username or "postgres"
        secret = {} if hidden else {"PASSWORD": url.password or ""}
        return {"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": properties | secret}


def _page(member: str, items: Sequence[Any], request: dict[str, Any]) -> dict[str, Any]:
    """So many items from where the token says, and the next token while there are more."""
    token = request.get("NextToken", "from-0")
    if not token.removeprefix("from-").isdecimal():
        raise GlueRefusal("InvalidInputException", f"NextToken {token!r} was not given out here")
    start = int(token.removeprefix("from-"))
    end = start + request.get("MaxResults", _PAGE)
    return {member: list(items[start:end]), **({"NextToken": f"from-{end}"} if end < len(items) else {})}
