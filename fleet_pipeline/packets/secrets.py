"""The tripwire for secrets: detect-secrets' patterns, our own, and values of the environment.

detect-secrets misses most keys of model providers, and what is written in a sentence; its detectors
that guess by entropy alone take ordinary code for keys and are left out. Patterns run over the
whole text at once, because line by line takes far longer.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

_LEFT_OUT: Final = {
    "Public IP (ipv4)",  # no secret
    # Ours are below: the first checks one line at a time, the second takes long for some texts.
    "JSON Web Token",
    "Basic Auth Credentials",
}

_OWN: Final = {
    "a key of Anthropic": ("sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{16,}"),
    "a key of OpenRouter": ("sk-or-", r"\bsk-or-(?:v\d-)?[A-Za-z0-9]{16,}"),
    "a key of OpenAI": (
        "sk-",
        r"\bsk-(?:(?:proj|svcacct|admin)-)?(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20}",
    ),
    "a key of Groq": ("gsk_", r"\bgsk_[A-Za-z0-9]{20,}"),
    "a key of Google": ("AIza", r"\bAIza[A-Za-z0-9_-]{30,}"),
    "a key of Hugging Face": ("hf_", r"\bhf_[A-Za-z0-9]{20,}"),
    "a key of NVIDIA": ("nvapi-", r"\bnvapi-[A-Za-z0-9_-]{20,}"),
    "a key of Cerebras": ("csk-", r"\bcsk-[a-z0-9]{20,}"),
    "a key of xAI": ("xai-", r"\bxai-[A-Za-z0-9]{20,}"),
    "a key of Perplexity": ("pplx-", r"\bpplx-[A-Za-z0-9]{20,}"),
    "a key of Replicate": ("r8_", r"\br8_[A-Za-z0-9]{20,}"),
    "a key of npm": ("npm_", r"\bnpm_[A-Za-z0-9]{30,}"),
    "a key of PyPI": ("pypi-", r"\bpypi-AgE[A-Za-z0-9_-]{20,}"),
    "a key of GitHub": ("", r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{20,})"),
    "a key of GitLab": ("gl", r"\bgl(?:pat|dt|ptt|rt)-[A-Za-z0-9_-]{16,}"),
    "a key of AWS": ("A", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    "a key of Slack": ("xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "a webhook of Slack": (
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{16,}",
    ),
    "a key of Stripe": ("k_", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    "a key of SendGrid": ("SG.", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    "a key of Twilio": ("", r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    "a key of Mailgun": ("key-", r"\bkey-[0-9a-f]{32}\b"),
    "a key of DigitalOcean": ("_v1_", r"\bdo[opr]_v1_[0-9a-f]{32,}"),
    "a key of a Telegram bot": (":", r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b"),
    "a key of Azure": ("AccountKey=", r"\bAccountKey=[A-Za-z0-9+/=]{40,}"),
    "a private key": ("PRIVATE KEY", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "a JSON Web Token": (
        "eyJ",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    ),
    "a password in an address": (
        "://",
        r"\b[a-z][a-z0-9+.-]{1,12}://[^\s:/@'\"{}<>]{1,80}:[^\s:/@'\"{}<>$%]{3,80}@[\w.-]+",
    ),
}
"""Each with a word that it cannot do without, which is found sooner than the pattern."""

_PATTERNS: Final = {kind: (word, re.compile(pattern)) for kind, (word, pattern) in _OWN.items()}

_WORD: Final = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|auth[_-]?key"
    r"|credentials?)"
)
_LABELLED: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        # token = "..."   "api_key": "..."
        rf"{_WORD}[\w-]{{0,20}}[\"']?\s{{0,4}}[:=]{{1,2}}>?\s{{0,4}}[\"'](?P<value>[^\s\"']{{8,}})[\"']",
        # DB_PASSWORD=...
        r"(?-i:(?<![A-Za-z0-9_.])[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|SECRET|TOKEN|KEY|PWD)[A-Z0-9_]{0,20})"
        r"=(?P<value>[^\s\"'$<{(]{8,})",
        # the password is ...
        rf"\b{_WORD}s?(?: \w{{1,20}}){{0,3}}? (?:is|was|are)[: ]{{1,2}}[\"'`]?"
        r"(?P<value>[^\s\"'`]{6,})",
        rf"\b{_WORD}: {{1,2}}(?P<value>[^\s\"'`,()\[\]{{}}]{{8,}})",
        r"\b(?:bearer|basic)\s+(?P<value>[a-z0-9+/=._~-]{16,})",
    )
)
_SECRET_NAME: Final = re.compile(
    r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|COOKIE|SESSION", re.IGNORECASE
)
_WORD_OF: Final = {"IBM Cloud IAM Key": "key", "IBM COS HMAC Credentials": "secret"}
"""What the slowest of detect-secrets' patterns cannot do without."""

_SHORTEST_VALUE: Final = 8
_PIECE: Final = 4096
_OVERLAP: Final = 400


def found(text: str, secret_values: Collection[str] = ()) -> list[str]:
    """Return the kinds of secrets that a text seems to hold, each once."""
    return list(dict.fromkeys(_kinds(text, secret_values)))


def secret_values(environment: Mapping[str, str], names: Collection[str] = ()) -> frozenset[str]:
    """Return the values of the environment that must not leave.

    Those of ``names``, of variables that are called like a secret, and those that look like one. A
    path that is there is none; a key may begin with a slash, too.
    """
    return frozenset(
        value
        for name, value in environment.items()
        if len(value) >= _SHORTEST_VALUE
        and (name in names or _SECRET_NAME.search(name) or any(_kinds(value, ())))
        and not (value.startswith("/") and os.path.exists(value))  # noqa: PTH110 (never raises)
    )


def _kinds(text: str, values: Collection[str]) -> Iterator[str]:
    if any(value in text for value in values):
        yield "a value of this machine's environment"
    for piece in pieces(text):
        for kind, (word, pattern) in _PATTERNS.items():
            if word in piece and pattern.search(piece):
                yield kind
        folded = piece.casefold()
        for kind, pattern in _listed():
            if _WORD_OF.get(kind, "") in folded and pattern.search(piece):
                yield f"a secret ({kind})"
        for pattern in _LABELLED:
            if any(_looks_random(match["value"]) for match in pattern.finditer(piece)):
                yield "a password or token"


def pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces that overlap by more than what has to be seen of a key at once.

    The time that a pattern takes can grow with the square of what it is given.
    """
    for start in range(0, max(len(text) - _OVERLAP, 1), _PIECE - _OVERLAP):
        yield text[start : start + _PIECE]


@cache
def _listed() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the patterns of detect-secrets by kind."""
    # Loaded for a text to look at, not for every page that tells what is left of a quota.
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    detectors: dict[str, type] = get_mapping_from_secret_type_to_class()
    return tuple(
        (kind, pattern)
        for kind, detector in sorted(detectors.items())
        if issubclass(detector, RegexBasedDetector) and kind not in _LEFT_OUT
        for pattern in _denylist(detector)
    )


def _denylist(detector: "type[RegexBasedDetector]") -> Iterable[re.Pattern[str]]:
    return detector().denylist


def _looks_random(value: str) -> bool:
    """Tell a made-up value from a word, a name or a piece of code."""
    has_digit = any(sign.isdigit() for sign in value)
    has_letter = any(sign.isalpha() for sign in value)
    if not (has_digit and has_letter) or re.search(r"[()\[\]{}<>\\]|\.\w+\(|%[sd]|^\$", value):
        return False
    signs = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in signs.values())
    return entropy >= 2.5
