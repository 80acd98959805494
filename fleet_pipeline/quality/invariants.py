"""What must hold between tables, and between a table and what was known before.

Pure: tables in, outcomes out. The graph shows each outcome on the table it is about; publication
asks all of them again, so that no page gets past a check by being run alone. Whether the feeds
answered is not asked again: it is about a sweep and not about a week.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from fleet_pipeline.hosts import Host
from fleet_pipeline.ledger import Held
from fleet_pipeline.quality import verdicts
from fleet_pipeline.quality.arrivals import (
    agents_are_heard_of,
    hosts_are_reporting,
    quarantine_is_small,
    ranking_is_complete,
    requests_fit_their_window,
    volume_has_not_collapsed,
    volumes_are_usual,
)
from fleet_pipeline.quality.outcome import REPORT_IT, Outcome
from fleet_pipeline.quality.verdicts import verdicts_hold

Tables = Mapping[str, pl.DataFrame]

_PARTS: Final = (
    "requests",
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
    "full_input_tokens",
)


MOST_BEYOND_TOTALS: Final = 0.05
"""Of what a client says it was billed. Its totals leave out streams that broke off and compaction
on the server, both of which were billed: 1.6 % with the recorded client, full of both."""

LEAST_COMPLETE: Final = 0.9
"""Of what a client says it was billed. Titles, compaction and searches are in no transcript: less
than 1 % with the recorded client."""


def requests_are_unique(ledger: pl.DataFrame) -> Outcome:
    """No request is counted twice: every sum on the page would be too large."""
    repeated = int(ledger.select(pl.struct("client", "message_id").is_duplicated().sum()).item())
    return Outcome(
        "requests_are_unique",
        "error",
        repeated == 0,
        f"{ledger.height:,} requests, {repeated:,} rows share a key with another",
        {"requests": ledger.height, "repeated": repeated},
        remedy=REPORT_IT,
    )


def window_holds_requests(window_coverage: pl.DataFrame) -> Outcome:
    """There is something to publish: an empty window means lost logs or a wrong folder."""
    [row] = window_coverage.to_dicts()
    return Outcome(
        "window_holds_requests",
        "error",
        row["days_covered"] > 0,
        f"{row['days_covered']} of {row['days']} days hold a request"
        + ("" if row["days_covered"] else "; is the right folder read? `fleet doctor` tells"),
        {"days_covered": row["days_covered"]},
    )


def window_is_whole(window_coverage: pl.DataFrame) -> Outcome:
    """All days of the window are there: otherwise the page says how many are."""
    [row] = window_coverage.to_dicts()
    missing = row["days"] - row["days_covered"]
    return Outcome(
        "window_is_whole",
        "warn",
        missing == 0,
        f"{missing} of {row['days']} days hold no request" if missing else "every day is covered",
        {"days_missing": missing},
    )


def agents_add_up(agent_usage: pl.DataFrame, usage_totals: pl.DataFrame) -> Outcome:
    """All agents' rows, the unattributed one among them, are the whole of Claude's usage."""
    whole = usage_totals.filter(pl.col("client") == "claude").row(0, named=True)
    return _adds_up("agents_add_up", agent_usage, whole)


def days_add_up(daily_usage: pl.DataFrame, usage_totals: pl.DataFrame) -> Outcome:
    """All days' rows are the whole of both clients' usage."""
    whole = usage_totals.select(pl.col(_PARTS).sum()).row(0, named=True)
    return _adds_up("days_add_up", daily_usage, whole)


def _adds_up(
    name: str, rows: pl.DataFrame, whole: Mapping[str, int], parts: Sequence[str] = _PARTS
) -> Outcome:
    sums = rows.select(pl.col(parts).sum()).row(0, named=True)
    off = [
        f"{part} by {sums[part] - whole[part]:+,}" for part in parts if sums[part] != whole[part]
    ]
    return Outcome(
        name,
        "error",
        not off,
        f"the parts are off: {', '.join(off)}" if off else f"{len(parts)} sums equal their whole",
        {"sums_off": len(off)},
        remedy=REPORT_IT,
    )


def routes_add_up(replay_routes: pl.DataFrame, usage_totals: pl.DataFrame) -> Outcome:
    """All routes of a candidate are together the whole of Claude's usage."""
    parts = ("requests", "full_input_tokens")
    whole = usage_totals.filter(pl.col("client") == "claude").select(parts).row(0)
    sums = replay_routes.group_by("model").agg(pl.col(parts).sum()).sort("model")
    off = [str(model) for model, *found in sums.iter_rows() if tuple(found) != whole]
    return Outcome(
        "routes_add_up",
        "error",
        not off,
        f"the routes are not all of Claude's requests for {', '.join(off)}"
        if off
        else f"the routes of {sums.height} candidates are all of Claude's requests",
        {"candidates_off": len(off)},
        remedy=REPORT_IT,
    )


def turns_add_up(task_mix: pl.DataFrame, usage_totals: pl.DataFrame) -> Outcome:
    """All turns' rows, those of unknown kind among them, are the whole of both clients' usage."""
    parts = ("requests", "full_input_tokens", "cache_read_tokens", "output_tokens")
    whole = usage_totals.select(pl.col(parts).sum()).row(0, named=True)
    return _adds_up("turns_add_up", task_mix, whole, parts)


def targets_are_movable(eligible_share: pl.DataFrame) -> Outcome:
    """No target asks for more than what sits in bounded, movable turns."""
    agents = eligible_share.filter(pl.col("agent") != "")
    beyond = agents.filter(pl.col("verdict") == "exceeds")
    unclear = agents.filter(pl.col("verdict") == "unclear")["agent"].to_list()
    told = [
        f"{agent} ({target:.0%} wanted, {share:.1%} movable)"
        for agent, target, share in beyond.select(
            "agent", "target_share", "eligible_share"
        ).iter_rows()
    ]
    says = f"target exceeds what is movable: {', '.join(told)}; lower target_share in agents.yaml"
    return Outcome(
        "targets_are_movable",
        "warn",
        not told,
        (says if told else "no target exceeds what is movable")
        + (f"; not known for {', '.join(unclear)}" if unclear else ""),
        {"targets_exceeding": len(told), "targets_unclear": len(unclear)},
    )


def priced_models_have_prices(prices: pl.DataFrame, priced: Sequence[tuple[str, str]]) -> Outcome:
    """Each model that the page prices has a price in force: unknown is never taken for 0."""
    known = set(
        prices.filter(pl.col("input_usd_per_mtok").is_not_null()).select("provider", "model").rows()
    )
    missing = sorted(f"{provider}/{model}" for provider, model in set(priced) - known)
    return Outcome(
        "priced_models_have_prices",
        "error",
        not missing,
        f"no price for {', '.join(missing)}; correct price_id in models.yaml: `fleet sweep`"
        " names the nearest ones"
        if missing
        else f"{len(set(priced))} models have a price in force",
        {"without_price": len(missing)},
    )


def used_models_have_prices(subscription_value: pl.DataFrame) -> Outcome:
    """Each model that Claude answered with has a list price; else the value is a lower bound."""
    unpriced = subscription_value.filter(pl.col("cost_usd_micros").is_null())["model"]
    without = sorted({model or "one that is not named" for model in unpriced})
    return Outcome(
        "used_models_have_prices",
        "warn",
        not without,
        f"no list price for {', '.join(without)}"
        if without
        else "every model in use has a list price",
        {"without_price": len(without)},
    )


def ledger_has_not_shrunk(
    usage_totals: pl.DataFrame,
    sources: Held,
    published: Mapping[str, object] | None,
    newest: Mapping[str, object] | None,
) -> Outcome:
    """Nothing that was published before has gone missing since.

    ``published`` is the page of the same week as it stands, ``newest`` the latest page of all: a
    week never has fewer requests than it had, and no host ever loses any. The demo fleet may go.
    """
    shrunk = []
    if published is not None and not published.get("demo"):
        before = published["usage"]
        assert isinstance(before, Mapping)
        for client, requests in usage_totals.select("client", "requests").iter_rows():
            if requests < before[client]["requests"]:
                shrunk.append(
                    f"{client}: {requests:,} requests, {before[client]['requests']:,} published"
                )
    if newest is not None and not newest.get("demo"):
        now, then = _requests_by_host(sources), _requests_by_host(newest["sources"])
        shrunk += [
            f"host {host}: {now.get(host, 0):,} requests, {count:,} published"
            for host, count in sorted(then.items())
            if now.get(host, 0) < count
        ]
    return Outcome(
        "ledger_has_not_shrunk",
        "error",
        not shrunk,
        "; ".join(shrunk) + "; bring the lake back from a backup, or delete the published week"
        if shrunk
        else "at least as many requests as were published before",
        {"totals_shrunk": len(shrunk)},
    )


def _requests_by_host(sources: object) -> dict[str, int]:
    assert isinstance(sources, Mapping)
    return {host["host"]: host["requests"] for host in sources["hosts"] if host["host"] != "demo"}


def ledger_is_within_client_totals(reconciliation: pl.DataFrame) -> Outcome:
    """No session has more in the ledger than its client was billed: nothing is counted twice."""
    whole = _whole_clients(reconciliation)
    beyond = [
        f"{row['client']}: {row['only_logged_tokens']:,} tokens beyond the"
        f" {row['billed_tokens']:,} of the client's own totals"
        for row in whole
        if row["only_logged_tokens"] > row["billed_tokens"] * MOST_BEYOND_TOTALS
    ]
    return Outcome(
        "ledger_is_within_client_totals",
        "warn",
        not beyond,
        "; ".join(beyond) or _compared(reconciliation),
        {f"{row['client']}_only_logged_tokens": row["only_logged_tokens"] for row in whole},
    )


def transcripts_tell_nearly_all(reconciliation: pl.DataFrame) -> Outcome:
    """Little is billed that no transcript speaks of; otherwise read usage as 'at least'."""
    whole = _whole_clients(reconciliation)
    lacking = [
        f"{row['client']}: the transcripts have {row['completeness_share']:.1%} of what the client"
        " says that it was billed"
        for row in whole
        if row["completeness_share"] is not None and row["completeness_share"] < LEAST_COMPLETE
    ]
    return Outcome(
        "transcripts_tell_nearly_all",
        "warn",
        not lacking,
        "; ".join(lacking) or _compared(reconciliation),
        {f"{row['client']}_only_billed_tokens": row["only_billed_tokens"] for row in whole},
    )


def _whole_clients(reconciliation: pl.DataFrame) -> list[dict[str, Any]]:
    return reconciliation.filter(pl.col("model") == "").to_dicts()


def _compared(reconciliation: pl.DataFrame) -> str:
    return "; ".join(
        f"{row['client']}: {row['comparable']:,} of {row['sessions']:,} sessions have a total,"
        f" {row['agreeing']:,} agree to the token"
        for row in _whole_clients(reconciliation)
    )


def feeds_answer(failed: Sequence[str]) -> Outcome:
    """Every price feed answered; one that does not leaves prices to grow old."""
    return Outcome(
        "feeds_answer",
        "warn",
        not failed,
        f"no answer from {', '.join(failed)}; what was said last holds"
        if failed
        else "every feed that was asked answered",
        {"failed": len(failed)},
    )


def prices_are_fresh(price_sources: pl.DataFrame) -> Outcome:
    """Prices were listed within two weeks of the close; no ranking is made of older ones."""
    feeds = price_sources.filter(pl.col("age_days").is_not_null())
    days = min(feeds["age_days"].to_list(), default=None)
    old = "; no ranking is made of them" if prices_are_too_old(price_sources) else ""
    return Outcome(
        "prices_are_fresh",
        "warn",
        feeds.is_empty() or "fresh" in feeds["age"],
        f"the newest prices were {days} days old{old}"
        if feeds.height
        else "no feed was heard by then: prices are the package's own, by their date",
        {"feeds": feeds.height},
    )


def prices_are_too_old(price_sources: pl.DataFrame) -> bool:
    """Say whether feeds were heard once, and none of them lately enough to rank by."""
    feeds = price_sources.filter(pl.col("age_days").is_not_null())
    return feeds.height > 0 and bool((feeds["age"] == "too old").all())


def candidates_are_listed(model_catalog: pl.DataFrame) -> Outcome:
    """No candidate went from the lists: free models vanish within weeks, and their routes break."""
    gone = sorted(model_catalog.filter(status="gone")["model"])
    unknown = model_catalog.filter(status="not known").height
    return Outcome(
        "candidates_are_listed",
        "warn",
        not gone,
        f"no longer listed: {', '.join(gone)}"
        if gone
        else f"no candidate is gone from the lists; {unknown} never seen on one",
        {"gone": len(gone), "unknown": unknown},
    )


def free_tiers_are_verified(free_quotas: pl.DataFrame) -> Outcome:
    """Somebody looked up each free tier within the last 30 days; limits change without notice."""
    old = sorted(free_quotas.filter(pl.col("freshness") != "verified")["provider"])
    return Outcome(
        "free_tiers_are_verified",
        "warn",
        not old,
        f"not looked up within 30 days: {', '.join(old)}"
        if old
        else f"{free_quotas.height} free tiers, each looked up within 30 days",
        {"old": len(old)},
    )


def all_outcomes(
    tables: Tables,
    ledger: pl.DataFrame,
    sources: Held,
    known_hosts: Sequence[Host],
    listed_hosts: Sequence[str],
    priced: Sequence[tuple[str, str]],
    candidates: Sequence[str],
    close: date,
    published: Mapping[str, object] | None,
    newest: Mapping[str, object] | None,
) -> list[Outcome]:
    """Return what every check says of one week, in the order of the data's way to the page.

    Those of the suites come from the verdicts, which must be of these very tables.
    """
    judged = {name: frame for name, frame in tables.items() if name != "quality"}
    return [
        requests_are_unique(ledger),
        ledger_has_not_shrunk(tables["usage_totals"], sources, published, newest),
        quarantine_is_small(sources),
        hosts_are_reporting(known_hosts, listed_hosts),
        window_holds_requests(tables["window_coverage"]),
        window_is_whole(tables["window_coverage"]),
        agents_add_up(tables["agent_usage"], tables["usage_totals"]),
        days_add_up(tables["daily_usage"], tables["usage_totals"]),
        routes_add_up(tables["replay_routes"], tables["usage_totals"]),
        turns_add_up(tables["task_mix"], tables["usage_totals"]),
        targets_are_movable(tables["eligible_share"]),
        priced_models_have_prices(tables["prices"], priced),
        used_models_have_prices(tables["subscription_value"]),
        ledger_is_within_client_totals(tables["reconciliation"]),
        transcripts_tell_nearly_all(tables["reconciliation"]),
        prices_are_fresh(tables["price_sources"]),
        candidates_are_listed(tables["model_catalog"]),
        free_tiers_are_verified(tables["free_quotas"]),
        agents_are_heard_of(tables["daily_usage"], close),
        volume_has_not_collapsed(tables["weekly_volumes"]),
        volumes_are_usual(tables["weekly_volumes"]),
        requests_fit_their_window(tables["model_contexts"]),
        ranking_is_complete(tables["model_ranking"], candidates),
        verdicts_hold(tables["quality"], judged),
        *verdicts.outcomes(tables["quality"]),
    ]
