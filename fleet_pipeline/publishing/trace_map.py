"""Where every figure of ``page.json`` comes from: one line of SQL over the week's published tables.

Belongs here: the map and nothing else. ``trace`` reads it, the build refuses a figure that it does
not name, or whose SQL says something else; CONTRIBUTING ("A figure") says how to add one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fleet_pipeline.org import CLAUDE_MODEL


@dataclass(frozen=True, slots=True)
class Source:
    """The figures of one record of the page, or of each record of one list.

    ``at`` is the record's address; a ``{name}`` in it stands for a natural key. ``of`` is what
    follows FROM. A field is the column of the same name unless ``columns`` says by which SQL it is
    computed; a key is the column of its own name unless ``keys`` does. With ``grouped`` the columns
    are aggregates over all rows with the same keys. ``how`` says in words what names do not.
    """

    at: str
    of: str
    where: str = "true"
    columns: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    grouped: bool = False
    closed: bool = False
    """Only the fields of ``columns``: others of the same record have another source."""
    value: str | None = None
    """Where the address ends in a key, the column that is the figure itself."""
    how: str = ""


NOT_FIGURES: Final = frozenset({"schema_version", "provenance"})
"""Parts of the page that hold no figure: the version of its form, and what explains the figures."""

_MOVABLE: Final = "coalesce(sum(full_input_tokens) filter (where is_movable), 0)"
_CLASSES: Final = ("input", "cache_write", "cache_read", "output")
_PERCENTILE: Final = "list_sort(list(full_input_tokens))[({} * count(*) + 99) // 100]"
_TOKENS_OF: Final = {
    "input": "input_tokens",
    "cache_write": "cache_write_5m_tokens + cache_write_1h_tokens",
    "cache_read": "cache_read_tokens",
    "output": "output_tokens",
}
_BOTH_ASSUMPTIONS: Final = """(
    select no_cache.*, cached.cost_usd_micros as cached_cost,
        cached.input_cost_usd_micros as cached_input,
        cached.cache_write_cost_usd_micros as cached_cache_write,
        cached.cache_read_cost_usd_micros as cached_cache_read,
        cached.output_cost_usd_micros as cached_output
    from cost_scenarios as no_cache
    join cost_scenarios as cached
        on cached.name = no_cache.name and cached.basis = no_cache.basis
        and cached.cache_assumption = 'listed_cache_price'
    where no_cache.cache_assumption = 'no_cache'
)"""
_MIRAGE: Final = " union all ".join(
    f"select '{name}' as class, {tokens} as tokens,"
    f" ({tokens}) / nullif(input_tokens + cache_write_5m_tokens + cache_write_1h_tokens"
    f" + cache_read_tokens + output_tokens, 0) as share,"
    f" {name}_cost_usd_micros as no_cache_usd_micros, cached_{name} as cached_usd_micros"
    f" from {_BOTH_ASSUMPTIONS} where name = 'expected' and basis <> 'hot_week'"
    for name, tokens in _TOKENS_OF.items()
)
_SCENARIO: Final = {"cached_cost_usd_micros": "cached_cost"}
_NAIVE_COST: Final = (
    "case when cost_usd_micros is not null then input_cost_usd_micros + output_cost_usd_micros end"
)
_PRICED: Final = (
    "(select candidates.model as candidate, prices.* from candidates join prices"
    " on prices.provider = candidates.price_provider and prices.model = candidates.price_model"
    " where input_usd_per_mtok is not null and (candidates.is_free or not prices.is_free))"
)
_REFERENCE: Final = "candidate = (select model from candidates where is_reference)"
_OF_REFERENCE: Final = "model = (select model from candidates where is_reference)"
_CORNER_NAME: Final = (
    "case when packet_tokens is null then corner else 'packets_' || packet_tokens end"
)
_ROUTED: Final = (
    "(select execution_routes.work_type, task_mix.*"
    " from execution_routes join task_mix using (kind))"
)
_ROUTED_ROW: Final = (
    "(select routing_policy.task_type as task_type, task_mix.* exclude (task_type)"
    " from routing_policy join task_mix using (agent, kind))"
)
_MEASURED: Final = {"turns": "sum(turns)", "full_input_tokens": "sum(full_input_tokens)"}
_ROUTED_SUMS: Final = {
    **_MEASURED,
    "off_claude_share": "case when not bool_or(driver = 'not named') then"
    " coalesce(sum(full_input_tokens) filter (where not regexp_matches(driver,"
    f" '{CLAUDE_MODEL.pattern}', 'i')), 0) / sum(full_input_tokens) end",
}
_PART: Final = {
    "full_input_tokens": "sum(full_input_tokens)",
    "share": "sum(full_input_tokens) / any_value(whole)",
}
_KINDS: Final = {
    "turns": "sum(turns)",
    "requests": "sum(requests)",
    "full_input_tokens": "sum(full_input_tokens)",
    "movable_tokens": _MOVABLE,
}


_TOLD: Final = "(is_candidate or kind in ('quota', 'policy') or subject like '%:free')"
_SINCE: Final = (
    "(select now.close - 7 as close, before.days_covered as days_covered,"
    + ",".join(
        f" case when now.days_covered = before.days_covered then now.{name} - before.{name} end"
        f" as {name}"
        for name in ("full_input_tokens", "target_tokens")
    )
    + ","
    + ",".join(
        f" case when now.basis = 'month' and before.basis = 'month'"
        f" then now.{name} - before.{name} end as {name}"
        for name in (
            "target_share",
            "cost_usd_micros",
            "cached_cost_usd_micros",
            "codex_week_remaining_share",
        )
    )
    + f", (select count(*) from changes where {_TOLD}) as changes"
    f", (select count(*) from changes where {_TOLD} and kind = 'new') as new_models"
    " from deciding_figures as now left join deciding_figures as before"
    " on before.close = now.close - 7"
    " where now.close = (select window_end from window_coverage))"
)


def _parts_of(routed: str, keys: str) -> str:
    """Return rows of the mix, each beside the whole that its part is a share of."""
    whole = f"sum(full_input_tokens) over (partition by {keys}) as whole"
    return f"(select *, {whole} from {routed})"


def _elsewhere() -> dict[str, str]:
    """Return each candidate's costs by corner and class, as fields of one record."""
    fields = {
        f"{corner}_usd_micros": f"any_value(cost_usd_micros) filter (where corner = '{corner}')"
        for corner in ("naive", "no_cache", "listed_cache_price")
    }
    for corner in ("no_cache", "listed_cache_price"):
        for name in _CLASSES:
            column = f"any_value({name}_cost_usd_micros) filter (where corner = '{corner}')"
            fields[f"{name}_{corner}_usd_micros"] = column
    return fields


SOURCES: Final[tuple[Source, ...]] = (
    # The window and its usage
    Source("", "window_coverage", columns={"as_of": "window_end"}, closed=True),
    Source("window", "window_coverage", columns={
        "start": "window_start", "end": "window_end",
        "monthly_factor": "case when days_covered >= 14 then 30 / days_covered end",
    }, how="monthly_factor: 30 days over the covered ones, where at least 14 are"),
    Source("usage.{client}", "usage_totals", columns={
        "context_p99": "(select p99 from context_profile as profile"
                       " where profile.client = usage_totals.client and agent = '')",
    }),
    Source("agents.{agent}", "agent_usage join (select agent, target_share, target_tokens"
                             " from target_proxy) using (agent)"),
    Source("agents.{agent}", "(select this.agent, this.full_input_tokens as week_tokens,"
           " case when this.days_covered = 7 and before.days_covered = 7"
           " then this.full_input_tokens / nullif(before.full_input_tokens, 0) - 1 end"
           " as week_change_share from agent_weeks as this left join agent_weeks as before"
           " on before.agent = this.agent and before.week_start = this.week_start - 7"
           " where this.week_start = (select window_end - 7 from window_coverage))",
           columns={name: name for name in ("week_tokens", "week_change_share")}, closed=True),
    Source("past_weeks.{close}", "deciding_figures"),
    Source("agent_weeks.{agent}.{week_start}", "agent_weeks"),
    Source("context_curve.{tokens}", "context_curve"),
    Source("since_last_week", _SINCE),
    Source("models.{client}.{model}", "model_mix"),
    Source("daily.{client}.{date}", "(select distinct date from daily_usage)"
           " cross join (select distinct client from daily_usage)"
           " left join daily_usage using (date, client)", grouped=True, columns={
        "date": "any_value(date)",
        "requests": "coalesce(sum(requests), 0)",
        "full_input_tokens": "coalesce(sum(full_input_tokens), 0)",
    }, how="a covered day on which a client did nothing is 0"),
    Source("target", "target_proxy", grouped=True, columns={
        "tokens": "coalesce(sum(target_tokens), 0)",
        "share": "sum(target_tokens) / nullif(sum(full_input_tokens), 0)",
    }),
    # Quota windows, blocks
    Source("headroom.{limit_id}.{window_minutes}", "headroom"),
    Source("windows.{limit_id}.{window_minutes}", "exchange_rates", grouped=True, columns={
        name: f"any_value({name})" for name in (
            "window_minutes", "steps", "windows", "r_squared", "fitted_from", "fitted_to",
            "expires_on", "reason",
        )
    }),
    Source("windows.{limit_id}.{window_minutes}.rates.{token_class}", "exchange_rates"),
    Source("blocks.{client}", "five_hour_blocks", grouped=True, columns={
        "blocks": "count(*)",
        "peak_tokens": "max(full_input_tokens)",
        "peak_at": "arg_min(started_at, (-full_input_tokens, started_at))",
        "median_tokens": _PERCENTILE.format(50),
        "p95_tokens": _PERCENTILE.format(95),
        "peak_tokens_after_target":
            "max(full_input_tokens - coalesce(target_tokens, 0))",
        "peak_change_tokens":
            "max(full_input_tokens - coalesce(target_tokens, 0)) - max(full_input_tokens)",
    }, how="after target: as if the target shares had moved"),
    Source("blocks.{client}.largest.{started_at}", "five_hour_blocks"),
    # Costs of moving
    Source("costs", "cost_scenarios", columns={"hit_rate": "hit_rate"}, closed=True,
           where="name = 'expected' and cache_assumption = 'listed_cache_price'"
                 " and basis <> 'hot_week'"),
    Source("costs", "cost_scenarios", columns={"naive_usd_micros": _NAIVE_COST}, closed=True,
           where="name = 'expected' and cache_assumption = 'no_cache' and basis <> 'hot_week'",
           how="fresh input and output of the expected scenario, without what is sent again"),
    Source("costs", "break_even", where=_OF_REFERENCE, closed=True,
           columns={"break_even_hit_rate": "break_even_hit_rate"}),
    Source("costs.price", "(select window_end, priced.* from window_coverage left join"
           f" (select * from {_PRICED} where {_REFERENCE}) as priced on true)",
           columns={"at": 'coalesce("at", window_end)'},
           how="at: the day of the price, the week's close where none is known"),
    Source("costs.scenarios.{name}", _BOTH_ASSUMPTIONS, where="basis <> 'hot_week'",
           columns=_SCENARIO),
    Source("costs.hot_week", "cost_scenarios", grouped=True, where="basis = 'hot_week'", columns={
        "start": "any_value(window_start)", "end": "any_value(window_end)",
        "full_input_tokens_per_month": "any_value(basis_full_input_tokens)",
        "multiplier": "any_value(basis_full_input_tokens) / (select any_value"
                      "(basis_full_input_tokens) from cost_scenarios where basis <> 'hot_week')",
    }, how="multiplier: full input of the hot week over that of the whole, both scaled to 30 days"),
    Source("costs.hot_week.scenarios.{name}", _BOTH_ASSUMPTIONS, where="basis = 'hot_week'",
           columns=_SCENARIO),
    Source("costs.naive", "cost_scenarios", columns={"cost_usd_micros": _NAIVE_COST},
           where="name = 'expected' and cache_assumption = 'no_cache' and basis <> 'hot_week'",
           how="fresh input and output of the expected scenario, without what is sent again"),
    Source("costs.mirage.{class}", f"({_MIRAGE})",
           how="the expected scenario by class of token: tokens, and dollars with and without"
               " the listed cache price"),
    Source("costs.corners.{name}", "cost_corners", where=_OF_REFERENCE,
           keys={"name": _CORNER_NAME}),
    Source("costs.packets.{packet_tokens}", "cost_corners",
           where=f"corner = 'packets' and {_OF_REFERENCE}"),
    Source("costs.elsewhere.{model}", "cost_corners", where="packet_tokens is null", grouped=True,
           columns=_elsewhere()),
    Source("costs.elsewhere.{model}", "break_even", closed=True,
           columns={"break_even_hit_rate": "break_even_hit_rate"}),
    Source("costs.elsewhere.{model}.packets.{packet_tokens}", "cost_corners",
           where="corner = 'packets'"),
    Source("costs.stay", "break_even", where=_OF_REFERENCE,
           columns={"cost_usd_micros": "stay_cost_usd_micros"}),
    Source("costs.replay", "offload_replay", grouped=True, closed=True, columns={
        name: f"any_value({name})" for name in ("share", "draws", "seed")
    }),
    Source("costs.replay", "assumptions", grouped=True, columns={
        "room": "any_value(expected) filter (where name = 'room')",
    }),
    Source("costs.replay.assumptions.{name}", "assumptions"),
    Source("costs.replay.targets.{model}", "candidates",
           columns={"ttl_seconds": "cache_ttl_seconds"}),
    Source("costs.replay.targets.{model}.cases.{name}", "offload_replay"),
    Source("costs.replay.targets.{model}.routes.{route}", "replay_routes"),
    Source("costs.replay.targets.{model}.cuts.{cut}.{value}", "replay_cuts"),
    Source("costs.replay.subscriptions.{model}.cases.{name}", "offload_replay"),
    Source("costs.replay.subscriptions.{model}.routes.{route}", "replay_routes"),
    Source("costs.replay.subscriptions.{model}.cuts.{cut}.{value}", "replay_cuts"),
    Source("costs.replay.subscriptions.{model}.room.{limit_id}.{window_minutes}",
           "subscription_room"),
    Source("costs.subscription", "subscription_value", grouped=True, columns={
        "api_equivalent_usd_micros": "sum(cost_usd_micros)",
        "priced_share": "sum(full_input_tokens) filter (where cost_usd_micros is not null)"
                        " / nullif(sum(full_input_tokens), 0)",
    }),
    Source("costs.subscription.by_model.{model}", "subscription_value"),
    Source("context_fit.{model}", "context_fit", columns={
        f"{whole}_share": f"{whole}_fit / nullif({whole}, 0)"
        for whole in ("requests", "turns", "sessions", "full_input_tokens")
    }),
    # Kinds of work, and what came of it
    Source("task_mix", "task_mix", where="client = 'claude'", grouped=True, columns={
        "full_input_tokens": "coalesce(sum(full_input_tokens), 0)", "movable_tokens": _MOVABLE,
    }),
    Source("task_mix.kinds.{kind}", "task_mix", where="client = 'claude'", grouped=True, columns={
        **_KINDS,
        "share": "sum(full_input_tokens) / nullif((select sum(full_input_tokens) from task_mix"
                 " where client = 'claude'), 0)",
    }),
    Source("task_mix.by_agent.{agent}.{kind}", "task_mix", where="client = 'claude'", grouped=True,
           columns=_KINDS),
    Source("task_mix.codex.{kind}", "task_mix", where="client = 'codex'", grouped=True,
           columns=_KINDS),
    Source("task_mix.rules.{rule}", "task_mix", grouped=True, columns=_MEASURED),
    Source("eligible.fleet", "eligible_share", where="agent = ''"),
    Source("eligible.agents.{agent}", "eligible_share", where="agent <> ''"),
    Source("routing_matrix.{agent}.{task_type}.measured", _ROUTED_ROW, grouped=True,
           columns=_ROUTED_SUMS),
    Source("routing_matrix.{agent}.{task_type}.measured.drivers.{driver}",
           _parts_of(_ROUTED_ROW, "agent, task_type"), grouped=True, columns=_PART),
    Source("routing_matrix.{agent}.{task_type}.measured.efforts.{effort}",
           _parts_of(_ROUTED_ROW, "agent, task_type"), grouped=True, columns=_PART),
    Source("execution_routing.{work_type}.measured", _ROUTED, grouped=True,
           columns=_ROUTED_SUMS),
    Source("execution_routing.{work_type}.measured.drivers.{driver}",
           _parts_of(_ROUTED, "work_type"), grouped=True, columns=_PART),
    Source("execution_routing.{work_type}.measured.efforts.{effort}",
           _parts_of(_ROUTED, "work_type"), grouped=True, columns=_PART),
    Source("realised.{week_start}", "realised"),
    Source("anomalies", "agent_days", grouped=True,
           columns={"days_judged": "count(robust_z)"}),
    Source("anomalies.agent_days.{agent}.{date}", "agent_days"),
    Source("anomalies.hot_week", "hot_week_chance"),
    Source("anomalies.missing_days.{date}", "(select unnest(range(window_start, window_end,"
           " interval 1 day))::date as date from window_coverage) anti join daily_usage"
           " using (date)", how="the window's days that no transcript covers"),
    # Models, prices, free tiers
    Source("prices", "price_sources", grouped=True, columns={"age_days": "min(age_days)"}),
    Source("prices.sources.{source}", "price_sources"),
    Source("changes.{kind}.{subject}.{field}.{source}", "changes"),
    Source("ranking.{model}", "model_ranking", where="scope = 'overall'", columns={
        "retires_on": "(select retires_on from model_catalog where model = model_ranking.model)",
        "context_tokens":
            "(select context_tokens from candidates where model = model_ranking.model)",
        "context_fit_share": "(select requests_fit / nullif(requests, 0) from context_fit"
                             " where model = model_ranking.model)",
    }),
    Source("ranking.{model}.work_types.{work_type}", "model_ranking",
           keys={"work_type": "scope"}),
    Source("ranking.{model}.price", _PRICED, keys={"model": "candidate"}, columns={"at": '"at"'}),
    Source("rank_history.{model}.{close}", "rank_history", where="scope = 'overall'"),
    Source("model_catalog.{model}", "model_catalog"),
    Source("free_api_catalog.{provider}", "free_quotas"),
    # What was read, and what was checked
    Source("sources", "ledger_counts", where="part = ''", grouped=True, columns={
        name: f"any_value(amount) filter (where measure = '{name}')"
        for name in ("files", "bytes", "lines", "requests_lines", "duplicates")
    }),
    Source("sources.quarantined.{part}", "ledger_counts", where="measure = 'quarantined'",
           value="amount"),
    Source("sources.clients.{part}", "ledger_counts", where="part <> ''", grouped=True, columns={
        name: f"any_value(amount) filter (where measure = '{name}')" for name in ("files", "lines")
    }),
    Source("sources.hosts.{host}", "hosts"),
    Source("sources.reconciliation.{client}", "ledger_reconciliation"),
    Source("checks", "checks", grouped=True, columns={
        "passed": "count(*) filter (where passed)",
        "failed": "count(*) filter (where not passed and severity <> 'warn')",
        "warned": "count(*) filter (where not passed and severity = 'warn')",
    }),
    Source("checks.results.{name}", "checks"),
)  # fmt: skip
