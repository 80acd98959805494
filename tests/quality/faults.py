"""Faults to plant, each in a table of its own, and the check of a suite that has to catch it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Fault:
    """What goes wrong, in words; the check that catches it; and how it is planted."""

    words: str
    check: str
    table: str
    plant: Callable[[pl.DataFrame], pl.DataFrame]


def twice(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.head(1)])


def first_is(column: str, value: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Put a value into the first row of a column."""

    def plant(frame: pl.DataFrame) -> pl.DataFrame:
        kind = frame.schema[column]
        values = [value, *frame[column].to_list()[1:]]
        return frame.with_columns(pl.Series(column, values, dtype=kind, strict=False))

    return plant


FUTURE = datetime(2099, 1, 1, tzinfo=UTC)
MANY = 10**15

FAULTS = (
    Fault("a request from the future", "requests_are_of_the_window", "requests",
          lambda frame: first_is("date", FUTURE.date())(first_is("ts", FUTURE)(frame))),
    Fault("a request of the day before the window", "requests_are_of_the_window", "requests",
          first_is("date", date(2020, 1, 1))),
    Fault("token classes that do not add up", "requests_are_whole", "requests",
          first_is("full_input_tokens", MANY)),
    Fault("a request below zero tokens", "requests_are_whole", "requests",
          first_is("output_tokens", -1)),
    Fault("a turn that ends before it begins", "turns_are_whole", "turns",
          first_is("started_at", FUTURE)),
    Fault("a turn that is there twice", "turns_are_whole", "turns", twice),
    Fault("a window of 29 days", "window_has_thirty_days", "window_coverage",
          first_is("days", 29)),
    Fault("more covered days than there are", "window_has_thirty_days", "window_coverage",
          first_is("days_covered", 31)),
    Fault("a client without a row", "usage_totals_have_both_clients", "usage_totals",
          lambda frame: frame.head(1)),
    Fault("more reasoning than output", "reasoning_is_part_of_output", "usage_totals",
          first_is("reasoning_tokens", MANY)),
    Fault("a share of 120 %", "usage_totals_values_are_possible", "usage_totals",
          first_is("cache_read_share", 1.2)),
    Fault("a day counted twice", "daily_usage_keys_are_unique", "daily_usage", twice),
    Fault("a day without a request", "days_have_requests", "daily_usage",
          first_is("requests", 0)),
    Fault("an agent counted twice", "agent_usage_keys_are_unique", "agent_usage", twice),
    Fault("a negative sum", "agent_usage_values_are_possible", "agent_usage",
          first_is("output_tokens", -5)),
    Fault("more cache reads than input", "agents_are_within_their_input", "agent_usage",
          first_is("cache_read_tokens", MANY)),
    Fault("a median above the 90th percentile", "context_quantiles_rise", "context_profile",
          first_is("p50", float(MANY))),
    Fault("a target beyond all usage", "targets_are_within_usage", "target_proxy",
          first_is("target_tokens", MANY)),
    Fault("an interval upside down", "intervals_hold_their_share", "eligible_share",
          lambda frame: first_is("eligible_low", 0.9)(first_is("eligible_high", 0.1)(frame))),
    Fault("a reading of unheard-of status", "headroom_is_known_by_name", "headroom",
          first_is("status", "guessed")),
    Fault("a week of eight days", "weeks_have_seven_days", "realised",
          first_is("days_covered", 8)),
    Fault("a price a thousand times too high", "prices_are_sane", "prices",
          first_is("output_usd_per_mtok", 15_000)),
    Fault("a price from after the close", "prices_were_known_by_then", "prices",
          first_is("effective_from", date(2099, 1, 1))),
    Fault("a negative price", "prices_values_are_possible", "prices",
          first_is("input_usd_per_mtok", -1)),
    Fault("a model priced twice", "prices_keys_are_unique", "prices", twice),
    Fault("more that fits than there is", "what_fits_is_part_of_all", "context_fit",
          first_is("requests_fit", MANY)),
    Fault("more that moves than there is", "what_moves_is_part_of_all", "offload_replay",
          first_is("moved_requests", MANY)),
    Fault("a usual stretch fuller than the fullest", "room_is_in_order", "subscription_room",
          first_is("p90_tokens", MANY)),
    Fault("a cost below zero", "cost_scenarios_values_are_possible", "cost_scenarios",
          first_is("cost_usd_micros", -1)),
    Fault("more sessions compared than there are", "comparisons_are_of_sessions",
          "reconciliation", first_is("comparable", MANY)),
    Fault("a feed's answer from the future", "feeds_are_heard_before_the_close", "price_sources",
          first_is("age_days", -1)),
    Fault("more endpoints up than there are", "endpoints_up_are_endpoints", "model_catalog",
          lambda frame: first_is("endpoints", 1)(first_is("endpoints_up", 2)(frame))),
    Fault("a place outside its interval", "ranks_are_within_their_interval", "model_ranking",
          first_is("rank", 99)),
    Fault("a past place before the first", "past_places_count_from_one", "rank_history",
          first_is("rank", 0)),
    Fault("a probe that was asked three times", "probes_are_asked_twice_at_most", "probe_results",
          lambda frame: pl.DataFrame([{"attempts": 3}], schema=frame.schema)),
    Fault("an observation that weighs too much", "observations_weigh_at_most_one",
          "quality_observations", first_is("weight", 2.0)),
)  # fmt: skip
