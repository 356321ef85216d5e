"""Prompts are files; `render` fills one in and fails on a missing or an unused variable."""

from __future__ import annotations

import re
from pathlib import Path

_HERE = Path(__file__).parent
_VARIABLE = re.compile(r"\$([a-z_]+)")


class TemplateError(ValueError):
    """A template and its values do not match."""


def fill(template: str, **values: str) -> str:
    """Replace each `$name` by its value, in one pass: a `$name` inside a value stays as it is.

    Raises TemplateError when the template names a variable that is not given, or a given one is not named.
    """
    named = set(_VARIABLE.findall(template))
    if missing := named - values.keys():
        raise TemplateError(f"no value for {', '.join(sorted(missing))}")
    if unused := values.keys() - named:
        raise TemplateError(f"the template does not use {', '.join(sorted(unused))}")
    return _VARIABLE.sub(lambda match: values[match[1]], template)


def render(name: str, **values: str) -> str:
    """The prompt `prompts/{name}.md`, filled in. Raises TemplateError."""
    return fill((_HERE / f"{name}.md").read_text(encoding="utf-8"), **values)


def lessons() -> str:
    """The lessons learnt from failures, one a line."""
    return (_HERE / "lessons.md").read_text(encoding="utf-8").strip()
