"""Prices of Bedrock calls, and how often a failing one is worth repeating."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError, ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError

from tools.models.bedrock import usd
from tools.models.bedrock_errors import tries_worth


@pytest.mark.parametrize(
    ("model_id", "expected"),
    [
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", 18.0),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 19.8),
        ("anthropic.claude-3-haiku-20240307-v1:0", 0.0),
    ],
)
def test_prices_a_million_tokens_each_way(model_id: str, expected: float) -> None:
    """Prices are known for Sonnet 4.5 only; the others cost 0.0."""
    assert usd(model_id, 1_000_000, 1_000_000) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (ReadTimeoutError(endpoint_url="x"), 1),
        (ConnectTimeoutError(endpoint_url="x"), 3),
        (ConnectionClosedError(endpoint_url="x"), 2),
    ],
)
def test_knows_what_may_have_been_billed(error: BotoCoreError, tries: int) -> None:
    """A fault before the request was sent is worth three tries, one after it fewer."""
    assert tries_worth(error) == tries
