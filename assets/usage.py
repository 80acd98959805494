"""Stage 2: what the fleet used in the 30 whole days before the week's close."""

from datetime import timedelta

import dagster as dg
import polars as pl

from assets.partitions import close_of
from assets.resources import Fleet
from assets.tables import OWNERS, shown, weekly, weekly_check
from fleet_pipeline import hosts, ledger, quality, tables, usage
from fleet_pipeline.org import agents_table
from fleet_pipeline.publishing.week import published_pages
from fleet_pipeline.transcripts.discover import find
from fleet_pipeline.weeks import window

GROUP = "usage"

_NINE_WEEKS = timedelta(weeks=9)

organisation = dg.AssetSpec(
    "organisation",
    description=(
        "The operator's files in `orgs/`: agents, policy, candidate models, free APIs. Not made"
        " here: edited by hand, read anew by each run."
    ),
    group_name="policy",
    kinds={"yaml"},
    owners=OWNERS,
)


@weekly(GROUP, sql="requests", deps=("usage_ledger", "organisation"))
def requests(context: dg.AssetExecutionContext, fleet: Fleet) -> pl.DataFrame:
    """Requests of the 30-day window, each with the agent that its working directory maps to."""
    settings, days = fleet.settings(), window(close_of(context))
    return usage.requests(ledger.usage(settings.home, days), settings.organisation(), days)


@weekly(GROUP, sql="window_coverage")
def window_coverage(context: dg.AssetExecutionContext, requests: pl.DataFrame) -> pl.DataFrame:
    """Coverage of the window: how many of its days hold a request at all."""
    start, end = window(close_of(context))
    parameters = {"window_start": start, "window_end": end}
    return tables.run("window_coverage", parameters=parameters, requests=requests)


@weekly(GROUP, sql="weekly_volumes", deps=("usage_ledger",))
def weekly_volumes(context: dg.AssetExecutionContext, fleet: Fleet) -> pl.DataFrame:
    """Volumes of the week that closes and of the eight before it, for each client."""
    close = close_of(context)
    known = ledger.usage(fleet.settings().home, (close - _NINE_WEEKS, close))
    return tables.run("weekly_volumes", parameters={"week_end": close}, usage=known)


@weekly(GROUP, sql="usage_totals")
def usage_totals(requests: pl.DataFrame) -> pl.DataFrame:
    """Totals of each client: requests, token classes, cache-read share, context per request."""
    return tables.run("usage_totals", requests=requests)


@weekly(GROUP, sql="daily_usage")
def daily_usage(requests: pl.DataFrame) -> pl.DataFrame:
    """Usage by UTC day, client, agent and model."""
    return tables.run("daily_usage", requests=requests)


@weekly(GROUP, sql="agent_usage", deps=("organisation",))
def agent_usage(fleet: Fleet, requests: pl.DataFrame) -> pl.DataFrame:
    """Claude usage of each agent, and of work that no rule maps to one."""
    agents = agents_table(fleet.settings().organisation())
    return tables.run("agent_usage", requests=requests, agents=agents)


@weekly(GROUP, sql="context_profile")
def context_profile(requests: pl.DataFrame) -> pl.DataFrame:
    """Context per request, exact quantiles, for each client and agent."""
    return tables.run("context_profile", requests=requests)


@weekly(GROUP, sql="context_curve")
def context_curve(requests: pl.DataFrame) -> pl.DataFrame:
    """Share of Claude's requests whose context stays within a size, for sizes up to the largest."""
    return tables.run("context_curve", requests=requests)


@weekly(GROUP, sql="model_mix")
def model_mix(requests: pl.DataFrame) -> pl.DataFrame:
    """Share of each model in requests and input."""
    return tables.run("model_mix", requests=requests)


@weekly(GROUP, sql="codex_usage")
def codex_usage(requests: pl.DataFrame) -> pl.DataFrame:
    """Codex usage by agent, model and effort."""
    return tables.run("codex_usage", requests=requests)


@weekly(GROUP, sql="reconciliation", deps=("usage_ledger",))
def reconciliation(context: dg.AssetExecutionContext, fleet: Fleet) -> pl.DataFrame:
    """Reconciliation of the ledger with what the clients say of the window's sessions."""
    compared = ledger.sessions(fleet.settings().home, window(close_of(context)))
    return tables.run("reconciliation", sessions=compared)


@weekly(GROUP, sql="target_proxy", deps=("organisation",))
def target_proxy(fleet: Fleet, agent_usage: pl.DataFrame) -> pl.DataFrame:
    """Target of each agent: the part of its input that policy wants off Claude Max."""
    agents = agents_table(fleet.settings().organisation())
    return tables.run("target_proxy", agent_usage=agent_usage, agents=agents)


@weekly_check(reconciliation)
def ledger_is_within_client_totals(reconciliation: pl.DataFrame) -> dg.AssetCheckResult:
    """No session has more in the ledger than its client was billed: nothing is counted twice."""
    return shown(quality.ledger_is_within_client_totals(reconciliation))


@weekly_check(reconciliation)
def transcripts_tell_nearly_all(reconciliation: pl.DataFrame) -> dg.AssetCheckResult:
    """Little is billed that no transcript speaks of; otherwise read usage as 'at least'."""
    return shown(quality.transcripts_tell_nearly_all(reconciliation))


@weekly_check(window_coverage, blocking=True)
def window_holds_requests(window_coverage: pl.DataFrame) -> dg.AssetCheckResult:
    """There is something to publish: an empty window means lost logs or a wrong folder."""
    return shown(quality.window_holds_requests(window_coverage))


@weekly_check(window_coverage)
def window_is_whole(window_coverage: pl.DataFrame) -> dg.AssetCheckResult:
    """All days of the window are there: otherwise the page says how many are."""
    return shown(quality.window_is_whole(window_coverage))


@weekly_check(window_coverage, blocking=True)
def silence_is_explained(fleet: Fleet, window_coverage: pl.DataFrame) -> dg.AssetCheckResult:
    """The last days hold requests, or transcripts lie there: else a folder or a right was lost."""
    lying_there = sum(len(find(places).files) for places in fleet.settings().sources())
    return shown(quality.silence_is_explained(window_coverage, lying_there))


@weekly_check(weekly_volumes, blocking=True)
def volume_has_not_collapsed(weekly_volumes: pl.DataFrame) -> dg.AssetCheckResult:
    """The fleet's week is not 60 % below those before: lost transcripts look like a quiet week."""
    return shown(quality.volume_has_not_collapsed(weekly_volumes))


@weekly_check(weekly_volumes)
def volumes_are_usual(weekly_volumes: pl.DataFrame) -> dg.AssetCheckResult:
    """The week is within a robust band of the eight before: half the work may have gone unread."""
    return shown(quality.volumes_are_usual(weekly_volumes))


@weekly_check(daily_usage)
def agents_are_heard_of(
    context: dg.AssetCheckExecutionContext, daily_usage: pl.DataFrame
) -> dg.AssetCheckResult:
    """No agent that works most days vanished in the last seven: its folder may have moved."""
    return shown(quality.agents_are_heard_of(daily_usage, close_of(context)))


@weekly_check(usage_totals, blocking=True)
def ledger_has_not_shrunk(
    context: dg.AssetCheckExecutionContext, fleet: Fleet, usage_totals: pl.DataFrame
) -> dg.AssetCheckResult:
    """Nothing that was published before has gone missing: a lost lake never lowers a total."""
    home = fleet.settings().home
    same_week, newest = published_pages(home, close_of(context))
    held = ledger.held(home)
    return shown(quality.ledger_has_not_shrunk(usage_totals, held, same_week, newest))


@weekly_check(usage_totals)
def hosts_are_reporting(
    context: dg.AssetCheckExecutionContext, fleet: Fleet, usage_totals: pl.DataFrame
) -> dg.AssetCheckResult:
    """Each listed host was heard of within a week: else its transcripts may no longer arrive."""
    settings = fleet.settings()
    listed = settings.organisation().hosts
    known = hosts.hosts(ledger.held(settings.home), listed, close_of(context))
    return shown(quality.hosts_are_reporting(known, listed))


@weekly_check(agent_usage, "usage_totals", blocking=True)
def agents_add_up(agent_usage: pl.DataFrame, usage_totals: pl.DataFrame) -> dg.AssetCheckResult:
    """The agents' rows, the unattributed one among them, are the whole of Claude's usage."""
    return shown(quality.agents_add_up(agent_usage, usage_totals))


@weekly_check(daily_usage, "usage_totals", blocking=True)
def days_add_up(daily_usage: pl.DataFrame, usage_totals: pl.DataFrame) -> dg.AssetCheckResult:
    """The days' rows are the whole of both clients' usage."""
    return shown(quality.days_add_up(daily_usage, usage_totals))


assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
    organisation,
    requests,
    window_coverage,
    weekly_volumes,
    usage_totals,
    daily_usage,
    agent_usage,
    context_profile,
    context_curve,
    model_mix,
    codex_usage,
    reconciliation,
    target_proxy,
]
checks = [
    window_holds_requests,
    window_is_whole,
    silence_is_explained,
    volume_has_not_collapsed,
    volumes_are_usual,
    agents_are_heard_of,
    ledger_is_within_client_totals,
    transcripts_tell_nearly_all,
    ledger_has_not_shrunk,
    hosts_are_reporting,
    agents_add_up,
    days_add_up,
]
