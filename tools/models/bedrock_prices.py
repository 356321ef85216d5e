"""What a Bedrock call costs: USD per million tokens, as https://aws.amazon.com/bedrock/pricing/ lists them.

Of Claude Sonnet 4.5 the prices are those of global inference; a geographic profile (`us.…`, `eu.…`) or a single region
costs a tenth more (https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html).
"""

from __future__ import annotations

_INPUT_AND_OUTPUT = {"anthropic.claude-sonnet-4-5": (3.0, 15.0)}
_NOT_GLOBAL = 1.1


def usd(model_id: str, input_tokens: int, output_tokens: int) -> float:
    """The price of one call; 0.0 for a model whose price is not known here."""
    for part, (per_input, per_output) in _INPUT_AND_OUTPUT.items():
        if part in model_id:
            factor = 1.0 if "global." in model_id else _NOT_GLOBAL
            return factor * (input_tokens * per_input + output_tokens * per_output) / 1_000_000
    return 0.0
