"""The compiler as a model: a transform from a fully structured specification, without any model.

It cannot repair. What it writes follows from the request and the snapshot alone, so that asking again gives the same
code: a repair ends with UnavailableError, which says what to choose instead.
"""

from __future__ import annotations

from agent.compiler.code.writer import compile_transform
from agent.compiler.plan.plan import build_plan
from agent.errors import UnavailableError
from tools.records import Completion, ModelCall


class CompilerModel:
    """A Model that compiles the specification."""

    @property
    def name(self) -> str:
        """`compiler`."""
        return "compiler"

    def complete(self, call: ModelCall) -> Completion:
        """The compiled transform in a fence; the prompts are not read.

        Raises InvalidRequestError for what the compiler cannot express, UnavailableError for a repair.
        """
        if call.purpose == "repair":
            raise UnavailableError(
                "model",
                "the compiler cannot repair: it would write the same transform again; choose a model with --model, "
                "as --model bedrock, or change the specification",
            )
        code = compile_transform(build_plan(call.request, call.snapshot))
        return Completion(f"```python\n{code.rstrip()}\n```\n", "end_turn")
