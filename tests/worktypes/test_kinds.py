"""Which rule decides about a turn, held against labels that a person gave."""

from collections import Counter, defaultdict
from typing import get_args

import polars as pl
import pytest

from fleet_pipeline.org import BOUNDED, UNKNOWN, Kind, Org, When
from fleet_pipeline.transcripts.tools import COMMON_COMMANDS, command_head
from fleet_pipeline.worktypes import rules, turns, version
from fleet_pipeline.worktypes.rules import holds

from .conftest import ROOT, frame, labelled_turns, request

KINDS = (*get_args(Kind), UNKNOWN)
DOC = (ROOT / "docs" / "work-types.md").read_text("utf-8")


@pytest.fixture(scope="module")
def confusion(org: Org) -> Counter[tuple[str, str]]:
    """How many turns of each label were taken for each kind."""
    labelled = labelled_turns()
    found = turns(frame(row for turn in labelled for row in turn.requests), org)
    kinds = dict(found.select("session_id", "kind").iter_rows())
    assert found.height == len(kinds) == len(labelled)
    return Counter((turn.label, kinds[f"session {number}"]) for number, turn in enumerate(labelled))


def test_two_hundred_turns_are_labelled_over_all_kinds(
    confusion: Counter[tuple[str, str]],
) -> None:
    by_label = Counter(label for label, found in confusion.elements())
    assert by_label.total() >= 200
    assert set(by_label) == set(KINDS)
    assert min(by_label.values()) >= 13


def test_nine_in_ten_turns_of_nearly_every_kind_are_told_right(
    confusion: Counter[tuple[str, str]],
) -> None:
    right = {kind: confusion[kind, kind] for kind in KINDS}
    labelled = {
        kind: sum(n for (label, _), n in confusion.items() if label == kind) for kind in KINDS
    }
    agreement = {kind: right[kind] / labelled[kind] for kind in KINDS}
    assert sum(right.values()) / sum(labelled.values()) >= 0.95
    assert {kind for kind, share in agreement.items() if share < 0.9} <= {"test_writing", "packet"}
    assert min(agreement.values()) >= 0.8


def test_no_work_that_a_person_would_keep_is_called_movable(
    confusion: Counter[tuple[str, str]],
) -> None:
    """The mistake that costs most: judgment taken for a packet that anybody can carry."""
    kept = {"orchestration", "conversation", "external_action", "overhead"}
    wrong = {pair: n for pair, n in confusion.items() if pair[0] in kept and pair[1] in BOUNDED}
    assert wrong == {}


def test_the_table_of_agreement_in_the_documentation_is_this_one(
    confusion: Counter[tuple[str, str]],
) -> None:
    assert agreement_table(confusion) in DOC


def test_the_rules_in_the_documentation_are_these() -> None:
    assert rules_table() in DOC
    assert f"Version {rules().version}" in DOC


def test_the_acts_in_the_documentation_are_these() -> None:
    assert acts_table() in DOC


def test_each_rule_decides_about_a_labelled_turn_so_that_none_is_dead(org: Org) -> None:
    found = turns(frame(row for turn in labelled_turns() for row in turn.requests), org)
    assert {rule.id for rule in rules().rules} - set(found["rule"]) == set()


def test_rules_have_names_of_their_own_and_a_reason() -> None:
    names = [rule.id for rule in rules().rules]
    assert len(names) == len(set(names)) and "none" not in names
    assert all(rule.why.endswith(".") for rule in rules().rules)


def test_no_tool_and_no_command_has_two_acts() -> None:
    for signs in ("tools", "commands"):
        listed = [name for acts in rules().acts.values() for name in getattr(acts, signs)]
        assert [name for name, count in Counter(listed).items() if count > 1] == []


def test_every_command_that_is_listed_is_one_that_reading_keeps() -> None:
    listed = {name for signs in rules().acts.values() for name in signs.commands}
    assert listed <= COMMON_COMMANDS
    assert {command_head(f"{name} x") for name in listed} == listed


def test_the_version_names_the_very_text_of_the_rules() -> None:
    number, digest = version().split("-")
    assert int(number) == rules().version and len(digest) == 8


def test_a_rule_of_the_agent_is_asked_before_the_products_own(org: Org) -> None:
    rows = [
        request(agent=agent, session_id=agent, prompt_source="typed", tools='{"Write":1}')
        for agent in ("scribe", "forge")
    ]
    found = {row["agent"]: row for row in turns(frame(rows), org).iter_rows(named=True)}
    assert (found["scribe"]["kind"], found["scribe"]["rule"]) == (
        "conversation",
        "scribe/final-voice",
    )
    assert (found["forge"]["kind"], found["forge"]["rule"]) == ("editing", "writes")


def test_a_turn_that_no_rule_knows_is_unknown_and_stays(org: Org) -> None:
    [row] = turns(frame([request(tools=None, stop_reason="tool_use")]), org).to_dicts()
    assert (row["kind"], row["rule"], row["is_movable"]) == ("unknown", "none", False)


@pytest.mark.parametrize(
    ("stop_reason", "known"),
    [("end_turn", True), ("max_tokens", True), (None, True), ("tool_use", False)],
)
def test_a_request_without_tools_on_record_called_none_unless_it_stopped_for_one(
    org: Org, stop_reason: str | None, known: bool
) -> None:
    """A stream that was cut has no reason; the tools that it had begun to call are on record."""
    [row] = turns(frame([request(tools=None, stop_reason=stop_reason)]), org).to_dicts()
    assert row["acts_known"] is known


def test_codex_never_says_why_a_request_stopped_so_its_other_requests_must_tell(org: Org) -> None:
    codex = {"client": "codex", "stop_reason": None}
    rows = [
        request(**codex, session_id="named", tools='{"shell":1}', command_heads='{"rg":1}'),
        request(**codex, session_id="named", tools=None),
        request(**codex, session_id="silent", tools=None),
    ]
    found = dict(turns(frame(rows), org).select("session_id", "kind").iter_rows())
    assert found == {"named": "extraction", "silent": "unknown"}


def test_a_shell_whose_commands_are_not_on_record_is_no_reason_for_anything(org: Org) -> None:
    [row] = turns(frame([request(tools='{"Bash":3}')]), org).to_dicts()
    assert (row["kind"], row["acts"], row["acts_known"]) == ("unknown", [], False)


@pytest.mark.parametrize("pattern", ["*.(weird)+[x]*", "a^b$", "\\"])
def test_a_pattern_means_its_own_letters_and_stars_alone(pattern: str) -> None:
    held = holds(When(agent_type=(pattern,)))
    values = [pattern.replace("*", "anything"), "something else", None]
    assert pl.DataFrame({"agent_type": values}).select(held).to_series().to_list() == [
        True,
        False,
        False,
    ]


def test_work_of_an_agent_near_patients_stays_unless_the_matrix_says_otherwise(org: Org) -> None:
    calls = {"checks": '{"pytest":1}', "extraction": '{"cat":1}'}
    rows = [
        request(agent=agent, session_id=f"{agent} {kind}", tools='{"Bash":1}', command_heads=heads)
        for agent in ("hippocrates", "forge", "unattributed")
        for kind, heads in calls.items()
    ]
    found = turns(frame(rows), org)
    movable = {(row["agent"], row["kind"]): row["is_movable"] for row in found.to_dicts()}
    assert movable == {
        ("hippocrates", "checks"): True,
        ("hippocrates", "extraction"): False,
        ("forge", "checks"): True,
        ("forge", "extraction"): True,
        ("unattributed", "checks"): False,
        ("unattributed", "extraction"): False,
    }


def rules_table() -> str:
    lines = ["| Rule | Kind | Holds when | Why |", "|---|---|---|---|"]
    for rule in rules().rules:
        conditions = "; ".join(
            f"`{name}: {_written(value)}`"
            for name, value in rule.when.model_dump(exclude_defaults=True).items()
        )
        lines.append(f"| `{rule.id}` | {rule.kind} | {conditions} | {rule.why} |")
    return "\n".join(lines) + "\n"


def acts_table() -> str:
    lines = ["| Act | Tools | Shell commands |", "|---|---|---|"]
    for act, signs in rules().acts.items():
        tools, commands = (
            ", ".join(f"`{name}`" for name in names) or "none"
            for names in (signs.tools, signs.commands)
        )
        lines.append(f"| {act} | {tools} | {commands} |")
    return "\n".join(lines) + "\n"


def agreement_table(confusion: Counter[tuple[str, str]]) -> str:
    taken_for: dict[str, Counter[str]] = defaultdict(Counter)
    for (label, found), count in confusion.items():
        taken_for[label][found] += count
    lines = ["| Labelled | Turns | Told right | Taken for |", "|---|---:|---:|---|"]
    for kind in KINDS:
        found = taken_for[kind]
        others = ", ".join(
            f"{name} {count}" for name, count in sorted(found.items()) if name != kind
        )
        right = found[kind]
        lines.append(f"| {kind} | {found.total()} | {right} | {others or 'nothing else'} |")
    total, right = confusion.total(), sum(confusion[kind, kind] for kind in KINDS)
    lines.append(f"| all | {total} | {right} | {right / total:.0%} agree |")
    return "\n".join(lines) + "\n"


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
