"""The compiler behind the port Model: a transform from a fully structured specification.

Its code follows from request and snapshot alone, so a second call gives the same code. A repair therefore raises
UnavailableError, which names the alternative.
"""

from __future__ import annotations

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan
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

        Raises InvalidRequestError when the compiler cannot express the specification, UnavailableError for a repair.
        """
        if call.purpose == "repair":
            raise UnavailableError(
                "model",
                "the compiler cannot repair: it would write the same transform again; choose a model with --model, "
                "as --model bedrock, or change the specification",
            )
        code = compile_transform(build_plan(call.request, call.snapshot))
        return Completion(f"```python\n{code.rstrip()}\n```\n", "end_turn")
