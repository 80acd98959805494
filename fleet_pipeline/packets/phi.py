"""The tripwire for patient data: labels and numbers that only stand in such texts.

Patient data cannot be recognised reliably (names and diagnoses look like any words): it is kept in
by the policy. This only catches what should never have been declared public.
"""

import re
from typing import Final

from fleet_pipeline.packets.secrets import pieces

_KINDS: Final = {
    "a medical record number": (
        r"\b(?:mrn|medical[ -]record(?:[ -](?:number|no\.?))?)\b\W{0,3}\d{5,}"
    ),
    "a social security number": (
        r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"
    ),
    "a date of birth": (
        r"\b(?:dob|d\.o\.b\.|date of birth|born on|birth ?date)\b\W{0,3}"
        r"(?:\d{1,4}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{1,2} [a-z]{3,9} \d{4}|[a-z]{3,9} \d{1,2},? \d{4})"
    ),
    "a patient's name": (
        r"(?-i:\b[Pp](?:atient|ATIENT|t)\b)(?: name)?(?-i::? +(?:(?:Mr|Mrs|Ms|Dr)\.? )?"
        r"[A-Z][a-z]+(?: [A-Z]\.)? [A-Z][a-z]+)"
    ),
    "a diagnosis code": (
        r"\b(?:diagnos[ei]s|dx|icd(?:-?10)?)\b\W{0,3}(?-i:[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?)\b"
    ),
    "a member of an insurance": (
        r"\b(?:member|policy|insurance|medicare|medicaid|nhs)(?: id| number| no\.?)\W{1,3}"
        r"(?=[a-z\d-]{0,20}\d{4})[a-z\d-]{6,20}\b"
    ),
    "a prescription": r"\bpatient\b[^\n]{0,80}?\b\d+(?:\.\d+)? ?m?c?g\b",
}
_WORDS: Final = {
    "a medical record number": ("mrn", "record"),
    "a social security number": ("-",),
    "a date of birth": ("dob", "d.o.b", "birth", "born"),
    "a patient's name": ("patient", "pt"),
    "a diagnosis code": ("diagnos", "dx", "icd"),
    "a member of an insurance": ("member", "policy", "insurance", "medica", "nhs"),
    "a prescription": ("patient",),
}
"""One of which a text must hold, found sooner than the pattern; in lower case."""

_PATTERNS: Final = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _KINDS.items()}


def found(text: str) -> list[str]:
    """Return the kinds of patient data that a text seems to hold."""
    return [
        kind
        for kind, pattern in _PATTERNS.items()
        if any(
            any(word in piece.casefold() for word in _WORDS[kind]) and pattern.search(piece)
            for piece in pieces(text)
        )
    ]
