"""Patterns for credentials, by their own form or by the label before them."""

from __future__ import annotations

import re
from itertools import pairwise

from agent.redaction.pattern import MASK, Pattern, pattern

# Atomic, so that no shorter label is tried once a longer one has matched. `pass` counts only as a whole word before
# `=`, a quoted key or `_pass:`: bypass, compass, surpass and trespass are no labels.
_LABEL = (
    r"(?>password|passwd|passphrase|passcode|pwd|secret_?access_?key|secret|(?<!by)(?<!com)(?<!sur)(?<!tres)pass"
    r"(?=\\{0,32}+[\"']?\s?=|\\{0,32}+[\"']\s?:|(?<=_pass)\s?:)|(?:api|private|account|encryption)[_-]?key"
    r"|(?:access|auth|id|refresh|security|session|csrf)[_-]?token"
    r"|(?<![A-Za-z])token(?==)|x-amz-(?:signature|credential|security-token))"
)
_PRIVATE_KEY = r"(?:(?!PRIVATE KEY)[A-Z ]){0,40}+PRIVATE KEY(?: BLOCK)?-----"
_LABELLED = rf"(?i)({_LABEL}\\{{0,32}}+[\"']?\s{{0,20}}+(?>[=:]{{1,2}}>?\s{{0,20}}+))"
"""Label and separator before a secret: `password=`, `"pwd": `, in JSON within JSON `\\"pwd\\": `."""
_INNER_QUOTE = r"[\"'](?![\s,;)\]}]|\Z)"
"""A quote within a value: more of the word follows it."""
_INNER_MARK = r"[,;&)\]}](?![\s\"')\]}]|\Z|[A-Za-z_][\w.-]{0,64}+\s{0,8}+[=:])"
"""A punctuation mark within a value: neither an end nor another `name=` follows it."""
_ENDING_QUOTE = re.compile(r"[\"'](?=[,;)\]}]|\Z)")
"""A quote that closes a URL; one amid the password is followed by something else."""
_POSTGRES = re.compile(r"(?<!\w)postgres(?:ql)?\Z")
_PORT = re.compile(r"\d+(?:[/?\"',]|\Z)")
_MIN_CHANGES = 15
"""Least changes between capitals, small letters, digits and marks in 40 random characters; words have fewer."""


def _userinfo(match: re.Match[str]) -> str:
    """Mask the password of `user:password@` up to the last @ before a closing quote.

    A password may hold @ and quotes. In a PostgreSQL URL without such an @, the last @ at all ends it, unless a port
    stands where the password would.
    """
    head, rest = match.groups()
    ending = _ENDING_QUOTE.search(rest)
    end = rest.rfind("@", 0, ending.start() if ending else len(rest))
    scheme = match.string[max(match.start() - 10, 0) : match.start() + 1]
    if end < 0 and _POSTGRES.search(scheme) and not head.endswith("//:") and not _PORT.match(rest):
        end = rest.rfind("@")
    return match[0] if end < 0 else f"{head}{MASK}{rest[end:]}"


def _authorization(match: re.Match[str]) -> str:
    """Mask the token of `Bearer …` and `Basic …`; a word without digits, dots and `=` stays."""
    token = match[2].rstrip(".")
    return f"{match[1]} {MASK}" if re.search(r"[\d.=]", token) else match[0]


def _aws_secret(match: re.Match[str]) -> str:
    """Mask 40 characters that look random; hex digests, words and paths stay."""
    changes = sum(_kind(one) != _kind(other) for one, other in pairwise(match[0]))
    kinds = {_kind(character) for character in match[0]}
    return MASK if changes >= _MIN_CHANGES and {"upper", "lower", "digit"} <= kinds else match[0]


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    return "upper" if character.isupper() else "lower" if character.islower() else "mark"


SECRETS: tuple[Pattern, ...] = (
    # -----BEGIN RSA PRIVATE KEY----- …, also one that is cut off
    pattern(
        "private key",
        rf"-----BEGIN {_PRIVATE_KEY}(?:(?!-----END ).)*+(?:-----END {_PRIVATE_KEY})?",
    ),
    # postgresql://etl:Hunter2@db/x; the user stays
    pattern("url password", r"(\w://[^\s:/@\"']{0,300}+:)((?:(?!\w://)\S)*+)", _userinfo),
    # AKIAIOSFODNN7EXAMPLE: not secret by itself, but half of a credential
    pattern("aws key id", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    # wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY: nothing but 40 characters of base64
    pattern("aws secret key", r"(?<![\w/+.-])[A-Za-z0-9/+]{40}(?![\w/+=-])", _aws_secret),
    # ghp_…, gho_…, ghu_…, ghs_…, ghr_… and github_pat_…
    pattern("github token", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9_]{30,}+|github_pat_\w{22,}+)"),
    # glpat-… of GitLab
    pattern("gitlab token", r"(?<![A-Za-z0-9])gl(?:pat|ptt|dt|rt|cbt|agent)-[\w.-]{20,}+"),
    # xoxb-…, xoxp-…, xapp-1-… of Slack
    pattern("slack token", r"(?<![A-Za-z0-9])(?:xox[a-z]|xapp|xwfp)-[A-Za-z0-9-]{10,}+"),
    # https://hooks.slack.com/services/T…/B…/…
    pattern("slack webhook", r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/+-]++", rf"\1{MASK}"),
    # sk-ant-… of Anthropic, sk-proj-… and sk-… of OpenAI
    pattern("model api key", r"(?<![A-Za-z0-9])sk-(?:(?:ant|proj|svcacct|admin|or)-[\w-]{16,}+|[A-Za-z0-9]{32,}+)"),
    # sk_live_…, rk_test_…, whsec_… of Stripe
    pattern("stripe key", r"(?<![A-Za-z0-9])(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{10,}+"),
    # AIza… (API key), ya29.… (access token), GOCSPX-… (client secret)
    pattern("google key", r"(?<![\w-])(?:AIza[\w-]{35}|ya29\.[\w.-]{20,}+|GOCSPX-[\w-]{20,}+)"),
    # npm_…, pypi-…, hf_…, dapi… of package indexes, Hugging Face and Databricks
    pattern(
        "registry token",
        r"(?<![A-Za-z0-9])(?:npm_[A-Za-z0-9]{36}|hf_[A-Za-z]{34}|dapi[0-9a-f]{32}|pypi-AgE[\w-]{50,}+)",
    ),
    # eyJhbGciOi….eyJzdWIiOi….c2lnbmF0dXJl
    pattern("jwt", r"(?<![\w-])eyJ[\w-]{8,600}+\.[\w.-]{8,}+"),
    # Authorization: Bearer …; "the basic education" stays
    pattern("authorization", r"(?i)(?<!\w)(bearer|basic)\s{1,20}+([\w.~+/=-]{8,}+)", _authorization),
    # password=\"…\" in JSON within JSON
    pattern(
        "labelled, escaped quotes",
        rf"{_LABELLED}(\\{{1,32}}+[\"'])(?:(?!(?<!\\)\2)[^\n])*+(?:\2)?",
        rf"\1\2{MASK}\2",
    ),
    # "password": "…", with \" and "" inside
    pattern("labelled, double quotes", rf"{_LABELLED}\"(?:[^\"\\\n]|\\(?:.|\Z)|\"\")*+\"?", rf'\1"{MASK}"'),
    # password='…', with \' and '' inside
    pattern("labelled, single quotes", rf"{_LABELLED}'(?:[^'\\\n]|\\(?:.|\Z)|'')*+'?", rf"\1'{MASK}'"),
    # password=…, pass=…, up to a mark that ends the value
    pattern(
        "labelled, bare",
        rf"{_LABELLED}(?!\\{{0,32}}+[\"'])(?:[^\s,;&\"'}})\]]|{_INNER_QUOTE}|{_INNER_MARK})++",
        rf"\1{MASK}",
    ),
)
"""All patterns in the order of their application; a later one sees the masks of earlier ones."""
