"""What must hold before a page may be published, and what is worth a warning.

``suites`` declares what is expected of each table, ``expectations`` runs it with Great
Expectations, ``verdicts`` keeps what was found; ``invariants`` and ``arrivals`` hold tables against
each other and against before, in plain Python; ``accepted`` is what an operator lets pass, for one
week. Reading outcomes never loads Great Expectations; ``judge`` does.
"""

from collections.abc import Mapping

import polars as pl

from fleet_pipeline.quality.accepted import Accepted, accept, accepted, as_accepted, gate
from fleet_pipeline.quality.arrivals import (
    agents_are_heard_of,
    formats_are_known,
    hosts_are_read,
    hosts_are_reporting,
    published_bytes_are_listed,
    quarantine_is_small,
    ranking_is_complete,
    replies_carry_usage,
    requests_fit_their_window,
    silence_is_explained,
    volume_has_not_collapsed,
    volumes_are_usual,
)
from fleet_pipeline.quality.invariants import (
    LEAST_COMPLETE,
    MOST_BEYOND_TOTALS,
    Tables,
    agents_add_up,
    all_outcomes,
    candidates_are_listed,
    days_add_up,
    feeds_answer,
    free_tiers_are_verified,
    ledger_has_not_shrunk,
    ledger_is_within_client_totals,
    priced_models_have_prices,
    prices_are_fresh,
    prices_are_too_old,
    requests_are_unique,
    routes_add_up,
    targets_are_movable,
    transcripts_tell_nearly_all,
    turns_add_up,
    used_models_have_prices,
    window_holds_requests,
    window_is_whole,
)
from fleet_pipeline.quality.outcome import CheckOutcome, Outcome, Severity
from fleet_pipeline.quality.suites import SUITES, Check, checks_of
from fleet_pipeline.quality.verdicts import outcomes, standing, verdicts, verdicts_hold


def judge(tables: Mapping[str, pl.DataFrame], before: pl.DataFrame | None = None) -> list[Outcome]:
    """Return what every suite says of one week's tables, in their order.

    What the verdicts made ``before`` say of the very same tables stands. For the others Great
    Expectations is loaded, which takes seconds.
    """
    found = {} if before is None else standing(before, tables)
    if changed := [name for name in tables if name not in found]:
        from fleet_pipeline.quality import expectations

        found |= expectations.judge(tables, changed)
    return [outcome for name in tables for outcome in found[name]]


__all__ = [
    "LEAST_COMPLETE",
    "MOST_BEYOND_TOTALS",
    "SUITES",
    "Accepted",
    "Check",
    "CheckOutcome",
    "Outcome",
    "Severity",
    "Tables",
    "accept",
    "accepted",
    "agents_add_up",
    "agents_are_heard_of",
    "all_outcomes",
    "as_accepted",
    "candidates_are_listed",
    "checks_of",
    "days_add_up",
    "feeds_answer",
    "formats_are_known",
    "free_tiers_are_verified",
    "gate",
    "hosts_are_read",
    "hosts_are_reporting",
    "judge",
    "ledger_has_not_shrunk",
    "ledger_is_within_client_totals",
    "outcomes",
    "priced_models_have_prices",
    "prices_are_fresh",
    "prices_are_too_old",
    "published_bytes_are_listed",
    "quarantine_is_small",
    "ranking_is_complete",
    "replies_carry_usage",
    "requests_are_unique",
    "requests_fit_their_window",
    "routes_add_up",
    "silence_is_explained",
    "standing",
    "targets_are_movable",
    "transcripts_tell_nearly_all",
    "turns_add_up",
    "used_models_have_prices",
    "verdicts",
    "verdicts_hold",
    "volume_has_not_collapsed",
    "volumes_are_usual",
    "window_holds_requests",
    "window_is_whole",
]
