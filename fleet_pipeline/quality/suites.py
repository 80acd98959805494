"""What is expected of each weekly table: one suite per table, declared here and nowhere else.

A suite names the columns that tell its rows apart, and its checks. Each check is a sentence with a
severity, what to do when it fails, and the expectations of Great Expectations that it consists of,
by their names there. Belongs here: what must hold of the rows of one table. What must hold between
tables is plain Python, in ``invariants`` and ``arrivals``.

Two checks come with every table, also with one that has no suite of its own: its keys are unique,
and every amount and share is possible, which the units in the names of its columns decide; where
nobody declared a suite, that only warns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fleet_pipeline.quality.outcome import REPORT_IT, Severity


@dataclass(frozen=True)
class Expectation:
    """One expectation: its class in Great Expectations, and what that is given."""

    kind: str
    given: Mapping[str, object]


@dataclass(frozen=True)
class Check:
    """A sentence about a table that holds as long as each of its expectations does."""

    name: str
    why: str
    expects: tuple[Expectation, ...]
    severity: Severity = "error"
    remedy: str = REPORT_IT


@dataclass(frozen=True)
class Suite:
    """What is expected of one table.

    ``keys`` are publishable: they name the rows that a check found. ``counted_by`` is a statement
    in ``sql/`` that makes one row of counts of a table that is too large, or too private, to be
    looked at row by row. Columns in ``signed`` may be below zero.
    """

    keys: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    counted_by: str | None = None
    signed: tuple[str, ...] = ()


def known(*columns: str) -> tuple[Expectation, ...]:
    """Expect a value in every row."""
    return tuple(Expectation("ExpectColumnValuesToNotBeNull", {"column": each}) for each in columns)


def within(
    low: float | None, high: float | None, *columns: str, above: bool = False
) -> tuple[Expectation, ...]:
    """Expect known values between two bounds; ``above`` leaves out the lower one."""
    return tuple(
        Expectation(
            "ExpectColumnValuesToBeBetween",
            {"column": each, "min_value": low, "max_value": high, "strict_min": above},
        )
        for each in columns
    )


def zero(*columns: str) -> tuple[Expectation, ...]:
    """Expect a count of faults to be 0."""
    return within(0, 0, *columns)


def at_most(column: str, other: str) -> Expectation:
    """Expect ``column`` never above ``other``, where both are known."""
    given = {"column_A": other, "column_B": column, "or_equal": True}
    return Expectation(
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {**given, "ignore_row_if": "either_value_is_missing"},
    )


def one_of(column: str, *values: str) -> Expectation:
    """Expect no other values than these."""
    return Expectation("ExpectColumnValuesToBeInSet", {"column": column, "value_set": list(values)})


def rows(least: int | None, most: int | None = None) -> Expectation:
    """Expect so many rows."""
    return Expectation("ExpectTableRowCountToBeBetween", {"min_value": least, "max_value": most})


COUNTED_OF: Final = ("requests", "turns", "window_coverage")
"""The tables that every statement of ``counted_by`` is given."""

_SHARES: Final = ("_share",)
_AMOUNTS: Final = ("_tokens", "_usd_micros", "_per_mtok", "_per_minute", "_per_day", "_minutes")
_NUMBERS: Final = {"requests", "turns", "sessions", "steps", "windows", "days", "days_covered"}


def keys_are_unique(table: str, keys: Sequence[str]) -> Check:
    """Return the check that no two rows of a table are about the same thing."""
    kind = "ExpectColumnValuesToBeUnique" if len(keys) == 1 else "ExpectCompoundColumnsToBeUnique"
    given = {"column": keys[0]} if len(keys) == 1 else {"column_list": list(keys)}
    return Check(
        f"{table}_keys_are_unique",
        f"No two rows of {table} have the same {', '.join(keys)}: a figure would be there twice.",
        (Expectation(kind, given),),
    )


def values_are_possible(table: str, columns: Iterable[str], signed: Sequence[str] = ()) -> Check:
    """Return the check that shares are within [0, 1] and amounts not below 0, by their units."""
    expects: list[Expectation] = []
    for column in columns:
        if column in signed:
            continue
        if column == "share" or column.endswith(_SHARES):
            expects += within(0, 1, column)
        elif column in _NUMBERS or column.endswith(_AMOUNTS):
            expects += within(0, None, column)
    return Check(
        f"{table}_values_are_possible",
        f"Shares in {table} are within 0 and 1, its tokens, counts, prices and costs not below 0.",
        tuple(expects),
    )


_TOKEN_CLASSES: Final = ("cache_read_tokens", "input_tokens")
_OF_THE_WINDOW: Final = "the ledger gave days of another window: `fleet recount`, then report it"

SUITES: Final[Mapping[str, Suite]] = {
    "requests": Suite(
        counted_by="requests_faults",
        checks=(
            Check(
                "requests_are_of_the_window",
                "No request is from before the window or from the future: sums would be too large.",
                zero("outside_window"),
                remedy=_OF_THE_WINDOW,
            ),
            Check(
                "requests_are_whole",
                "Each request has a client, an agent, and token classes that add up.",
                zero("without_agent", "unknown_client", "negative", "not_adding_up"),
            ),
        ),
    ),
    "turns": Suite(
        counted_by="turns_faults",
        checks=(
            Check(
                "turns_are_whole",
                "Each turn is there once, holds a request, ends after it began, and none of its"
                " requests is larger than all of them.",
                zero("repeated", "without_request", "ending_early", "context_beyond_input"),
            ),
        ),
    ),
    "window_coverage": Suite(
        keys=("window_start",),
        checks=(
            Check(
                "window_has_thirty_days",
                "The window is 30 whole days, of which no more are covered than it has.",
                (rows(1, 1), *within(30, 30, "days"), at_most("days_covered", "days")),
            ),
        ),
    ),
    "usage_totals": Suite(
        keys=("client",),
        checks=(
            Check(
                "usage_totals_have_both_clients",
                "Both clients have a row, also one that did nothing: the page shows both.",
                (
                    rows(2, 2),
                    one_of("client", "claude", "codex"),
                    at_most("context_p50", "context_p90"),
                ),
            ),
            Check(
                "reasoning_is_part_of_output",
                "Reasoning is never more than the output that it is a part of.",
                (at_most("reasoning_tokens", "output_tokens"),),
            ),
        ),
    ),
    "daily_usage": Suite(
        keys=("date", "client", "agent", "model"),
        checks=(
            Check(
                "days_have_requests",
                "Each row of a day holds a request and names its client, agent and model.",
                (*within(1, None, "requests"), *known("date", "client", "agent", "model")),
            ),
        ),
    ),
    "agent_usage": Suite(
        keys=("agent",),
        checks=(
            Check(
                "agents_are_within_their_input",
                "No agent has more of a token class than its full input.",
                tuple(at_most(each, "full_input_tokens") for each in _TOKEN_CLASSES),
            ),
        ),
    ),
    "context_profile": Suite(
        keys=("client", "agent"),
        checks=(
            Check(
                "context_quantiles_rise",
                "The median context is not above the 90th percentile, nor that above the largest.",
                (at_most("p50", "p90"), at_most("p90", "p99"), at_most("p99", "max")),
            ),
        ),
    ),
    "model_mix": Suite(keys=("client", "model")),
    "codex_usage": Suite(keys=("agent", "model", "effort")),
    "target_proxy": Suite(
        keys=("agent",),
        checks=(
            Check(
                "targets_are_within_usage",
                "No agent's target is more than what it used.",
                (at_most("target_tokens", "full_input_tokens"),),
            ),
        ),
    ),
    "task_mix": Suite(keys=("client", "agent", "kind", "rule", "task_type", "driver", "effort")),
    "eligible_share": Suite(
        keys=("agent",),
        checks=(
            Check(
                "intervals_hold_their_share",
                "The low end of each sampling interval is not above its high end.",
                (
                    *within(0, 1, "eligible_low", "eligible_high"),
                    at_most("eligible_low", "eligible_high"),
                ),
                severity="warn",
            ),
        ),
    ),
    "headroom": Suite(
        keys=("client", "limit_id", "window_minutes"),
        checks=(
            Check(
                "headroom_is_known_by_name",
                "Each quota window says whose it is, and whether its reading holds.",
                (
                    one_of("status", "fresh", "stale", "unknown"),
                    one_of("client", "claude", "codex"),
                ),
            ),
        ),
    ),
    "five_hour_blocks": Suite(keys=("client", "started_at")),
    "agent_days": Suite(keys=("agent", "date")),
    "realised": Suite(
        keys=("week_start",),
        signed=("claude_change_tokens", "codex_change_tokens"),
        checks=(
            Check(
                "weeks_have_seven_days",
                "No week has more than seven covered days.",
                within(0, 7, "days_covered"),
            ),
        ),
    ),
    "prices": Suite(
        keys=("provider", "model"),
        checks=(
            Check(
                "prices_are_sane",
                "No price is above 1,000 dollars for a million tokens, no cache read dearer than"
                " fresh input, no output cheaper: a slip of a decimal point would look so.",
                (
                    *within(0, 1000, "input_usd_per_mtok", "output_usd_per_mtok"),
                    at_most("cache_read_usd_per_mtok", "input_usd_per_mtok"),
                    at_most("input_usd_per_mtok", "output_usd_per_mtok"),
                ),
                remedy="`fleet prices MODEL` tells where it is from; correct price_id in"
                " models.yaml, or accept it",
            ),
            Check(
                "prices_were_known_by_then",
                "No price is from after the week's close, which would change a closed week.",
                (at_most("seen_on", "at"), at_most("effective_from", "at")),
            ),
        ),
    ),
    "cost_scenarios": Suite(keys=("name", "cache_assumption", "basis")),
    "context_fit": Suite(
        keys=("model",),
        checks=(
            Check(
                "what_fits_is_part_of_all",
                "No more fits into a candidate's window than there is, nor a prompt beyond it.",
                (
                    at_most("requests_fit", "requests"),
                    at_most("full_input_tokens_fit", "full_input_tokens"),
                    at_most("prompt_limit_tokens", "context_tokens"),
                ),
            ),
        ),
    ),
    "cost_corners": Suite(keys=("model", "corner", "packet_tokens", "basis")),
    "break_even": Suite(keys=("model", "basis")),
    "offload_replay": Suite(
        keys=("model", "name", "basis"),
        signed=("saving_usd_micros",),
        checks=(
            Check(
                "what_moves_is_part_of_all",
                "No replay moves more requests than there are, and its interval is in order.",
                (
                    at_most("moved_requests", "requests"),
                    at_most("cost_low_usd_micros", "cost_high_usd_micros"),
                ),
            ),
        ),
    ),
    "replay_routes": Suite(keys=("model", "route")),
    "replay_cuts": Suite(signed=("saving_usd_micros",)),
    "subscription_room": Suite(
        keys=("model", "limit_id", "window_minutes"),
        checks=(
            Check(
                "room_is_in_order",
                "No stretch of moved work is larger at nine in ten than at its peak.",
                (
                    at_most("median_tokens", "p90_tokens"),
                    at_most("p90_tokens", "peak_tokens"),
                    at_most("p90_percent_low", "p90_percent_high"),
                ),
            ),
        ),
    ),
    "subscription_value": Suite(keys=("model",)),
    "reconciliation": Suite(
        keys=("client", "model"),
        checks=(
            Check(
                "comparisons_are_of_sessions",
                "No more sessions are compared than there are, nor agree than are compared.",
                (at_most("comparable", "sessions"), at_most("agreeing", "comparable")),
            ),
        ),
    ),
    "price_sources": Suite(
        keys=("source",),
        checks=(
            Check(
                "feeds_are_heard_before_the_close",
                "No feed's answer is from after the week's close.",
                within(0, None, "age_days"),
            ),
        ),
    ),
    "model_catalog": Suite(
        keys=("model",),
        checks=(
            Check(
                "endpoints_up_are_endpoints",
                "No more endpoints are up than serve the model.",
                (at_most("endpoints_up", "endpoints"),),
                severity="warn",
                remedy="the feed contradicts itself: see `fleet sweep`",
            ),
        ),
    ),
    "free_quotas": Suite(keys=("provider",)),
    "probe_results": Suite(
        keys=("probe_run_id", "model", "item_id", "item_version", "repeat"),
        checks=(
            Check(
                "probes_are_asked_twice_at_most",
                "Each probe took one call or two: the packet runner allows no third.",
                within(1, 2, "attempts"),
            ),
        ),
    ),
    "quality_observations": Suite(
        keys=("benchmark", "metric", "work_type", "model", "variant"),
        checks=(
            Check(
                "observations_weigh_at_most_one",
                "What a public score says of a kind of packets weighs more than 0 and at most 1.",
                within(0, 1, "weight", above=True),
            ),
        ),
    ),
    "model_ranking": Suite(
        keys=("scope", "model"),
        checks=(
            Check(
                "ranks_are_within_their_interval",
                "Each place is within its interval, each quality within 0 and 1 and its own"
                " interval; no more probes passed than were asked.",
                (
                    *within(1, None, "rank"),
                    at_most("rank_low", "rank"),
                    at_most("rank", "rank_high"),
                    *within(0, 1, "q05", "posterior_mean", "q95"),
                    at_most("q05", "q95"),
                    at_most("n_passed", "n_probes"),
                ),
            ),
        ),
    ),
    "rank_history": Suite(
        keys=("close", "scope", "model"),
        checks=(
            Check(
                "past_places_count_from_one",
                "Each past place is a place: a number from 1 on.",
                within(1, None, "rank"),
            ),
        ),
    ),
}


def suite_of(table: str) -> Suite:
    """Return the suite of a table; one without its own is held to its units alone."""
    return SUITES.get(table, Suite())


def checks_of(table: str, columns: Iterable[str] = ()) -> tuple[Check, ...]:
    """Return all checks of a table; without ``columns``, what they will be called and why."""
    suite = suite_of(table)
    if suite.counted_by:
        return suite.checks
    keys = (keys_are_unique(table, suite.keys),) if suite.keys else ()
    possible = values_are_possible(table, columns, suite.signed)
    # What nobody has declared may be right in a way that the names of its columns do not tell.
    possible = possible if table in SUITES else replace(possible, severity="warn")
    return (*keys, possible, *suite.checks)
