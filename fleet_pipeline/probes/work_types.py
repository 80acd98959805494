"""The eight kinds of packets that models are probed with, and the fleet's routes they speak for.

The reference page's last table has seven routes; its row "Classify / JSON extract" is two kinds of
work with different failures, so it is probed as two. Frontier orchestration is never handed to a
cheap model: what is probed is the draft of a plan that Claude decides on.
"""

from typing import Final, Literal, get_args

WorkType = Literal[
    "source_triage",
    "first_pass_code",
    "code_review",
    "test_generation",
    "transcript_cleanup",
    "classification",
    "json_extraction",
    "orchestration_draft",
]

WORK_TYPES: Final[tuple[WorkType, ...]] = get_args(WorkType)

NAMES: Final[dict[WorkType, str]] = {
    "source_triage": "Public source triage",
    "first_pass_code": "First-pass code",
    "code_review": "Code review pre-pass",
    "test_generation": "Test generation",
    "transcript_cleanup": "Transcript cleanup",
    "classification": "Classification",
    "json_extraction": "JSON extraction",
    "orchestration_draft": "Orchestration draft",
}
"""What each is called in front of people."""

KINDS: Final[dict[WorkType, tuple[str, ...]]] = {
    "source_triage": ("research",),
    "first_pass_code": ("implementation",),
    "code_review": ("review",),
    "test_generation": ("test_writing",),
    "transcript_cleanup": ("text_cleanup",),
    "classification": ("packet",),
    "json_extraction": ("packet",),
    "orchestration_draft": ("orchestration", "conversation"),
}
"""The measured kinds of turns (docs/work-types.md) that a kind of packet stands for: an execution
route of the organisation is about those kinds that it names."""
