"""The data dictionary: what each column of the ledger and of the weekly tables means, in its unit.

A name means the same in every table; the few that do not are listed with their table. Belongs
here: words about columns. What one row is stands at the head of each table's SQL.
"""

from collections.abc import Mapping
from typing import Final

COLUMNS: Final[Mapping[str, str]] = {
    # Who, when, where
    "client": "Coding agent that made the requests: claude (Claude Code) or codex.",
    "message_id": "Claude's message id or Codex's response id; derived where the log has none.",
    "request_id": "The API's id of the request, where the log has it.",
    "session_id": "The client's id of the session. Private: never published.",
    "host": "Machine that wrote the transcript, as the organisation names it; demo for the demo.",
    "ts": "UTC time of the request's first line.",
    "date": "UTC day of the request.",
    "agent": "Agent that the working directory maps to, or unattributed.",
    "model": "Model as the log names it; unknown where it names none.",
    "cwd": "Working directory. Private: never leaves the ledger.",
    "agent_type": "Type of subagent, where one made the request.",
    "is_subagent": "Whether a subagent made the request.",
    "effort": "Reasoning effort that was asked for; unknown where the log is silent.",
    "stop_reason": "Why the model stopped, as logged.",
    "client_version": "Version of the client that wrote the line.",
    "entrypoint": "How the client was started, as logged.",
    "service_tier": "Service tier of the API, as logged.",
    "speed": "Speed mode of the API, as logged.",
    "inference_geo": "Region of inference, as logged.",
    "agent_id": "The client's id of the subagent's run.",
    "turn_id": "Id of what somebody asked for last, which the request is a part of.",
    "subagent_depth": "How many threads stand above the one that asked; 0 in the main thread.",
    "asked_by": "Who began the turn: human, peer, coordinator, task-notification; null if unknown.",
    "prompt_source": "How the turn was put in: typed, queued, system, sdk; null if unknown.",
    "tools": "How often each tool was called, as a JSON object; null without calls.",
    "command_heads": "Programs that shell commands ran first, as a JSON object; null for none.",
    # Tokens: disjoint classes, of which full input is the first four together
    "requests": "Billed requests, each counted once.",
    "input_tokens": "Tokens of fresh input: neither read from the cache nor written to it.",
    "cache_write_5m_tokens": "Tokens written to the cache for five minutes.",
    "cache_write_1h_tokens": "Tokens written to the cache for an hour.",
    "cache_read_tokens": "Tokens read from the cache.",
    "output_tokens": "Tokens of output, reasoning included.",
    "reasoning_tokens": "Tokens of reasoning: a part of output, where the log tells.",
    "full_input_tokens": "Tokens of all input: fresh, cache writes and cache reads.",
    "output_is_final": "False where the log holds a placeholder: read output as 'at least'.",
    "web_search_requests": "Searches that the API ran and bills by the piece.",
    # What the clients themselves say that they were billed
    "sessions": "Sessions with a request, or with a total of the client.",
    "comparable": "Sessions of which the client kept a total; the others are not compared.",
    "agreeing": "Compared sessions whose total the ledger meets to the token, in every class.",
    "billed_more": "Compared sessions that were billed for what no line speaks of.",
    "unfinished": "Compared sessions whose total leaves out answers that were cut short.",
    "logged_more": "Compared sessions of which the ledger has more than that.",
    "requests_without_totals": "Billed requests that no total of the client speaks of.",
    **{
        f"{side}_{name}_tokens": f"Tokens of {words}, {whose}."
        for name, words in (
            ("input", "fresh input"),
            ("cache_write_5m", "five-minute cache writes"),
            ("cache_write_1h", "one-hour cache writes"),
            ("cache_read", "cache reads"),
            ("output", "output"),
        )
        for side, whose in (
            ("billed", "as the client's totals say"),
            ("logged", "as the ledger has them of the same requests"),
        )
    },
    "billed_tokens": "Tokens of all classes, as the client's totals say.",
    "logged_tokens": "Tokens of all classes, as the ledger has them of the same requests.",
    "only_billed_tokens": "Tokens that the client was billed and the ledger lacks.",
    "only_logged_tokens": "Tokens that the ledger has beyond the client's totals.",
    "completeness_share": "What the ledger has of the billed tokens, 0 to 1; null if none.",
    # Shares, 0 to 1, and context per request
    "cache_read_share": "Cache reads in full input, 0 to 1; null without input.",
    "output_final_share": "Requests whose output is final, 0 to 1; null without requests.",
    "requests_share": "Requests among those of the same client, 0 to 1.",
    "full_input_share": "Full input in that of the same client, 0 to 1.",
    "context_p50": "Median of full input per request, tokens, interpolated.",
    "context_p90": "90th percentile of full input per request, tokens, interpolated.",
    "p50": "Median of full input per request, tokens, interpolated.",
    "p90": "90th percentile of full input per request, tokens, interpolated.",
    "p99": "99th percentile of full input per request, tokens, interpolated.",
    "max": "Largest full input of one request, tokens.",
    "target_share": "Share of the agent's full input that policy wants off Claude Max, 0 to 1.",
    "target_tokens": "That share of the agent's full input, tokens, rounded.",
    # The window
    "window_start": "First UTC day of the window.",
    "window_end": "UTC day on which the window is over: its first day outside.",
    "days": "Days of the window.",
    "days_covered": "Days with at least one request; the others are unknown, not idle.",
    "first_day": "First covered UTC day; null in an empty window.",
    "last_day": "Last covered UTC day; null in an empty window.",
    # Quota windows
    "limit": "Limit as people call it.",
    "limit_id": "Limit as the log identifies it.",
    "window_minutes": "Length of the quota window, minutes.",
    "remaining_share": "What is left of the window, 0 to 1; null unless the reading is fresh.",
    "used_percent": "What the last reading said was used, percent.",
    "read_at": "UTC time of the last reading; null if there never was one.",
    "resets_at": "UTC time at which the window resets, as last read.",
    "age_minutes": "Age of the last reading at the week's close, whole minutes.",
    "status": "fresh: holds; stale: the window was reset since; unknown: never read.",
    # Prices, US dollars for a million tokens
    "provider": "Whose price list it is.",
    "name": "Model as the price list calls it; null where it has no price.",
    "input_usd_per_mtok": "USD for a million tokens of fresh input; null if unknown.",
    "output_usd_per_mtok": "USD for a million tokens of output; null if unknown.",
    "cache_read_usd_per_mtok": "USD for a million cache reads; null if none is listed.",
    "cache_write_5m_usd_per_mtok": "USD for a million 5-minute writes; null if none is listed.",
    "cache_write_1h_usd_per_mtok": "USD for a million 1-hour writes; null if none is listed.",
    "is_free": "Whether the listed price is zero on purpose; null if unknown.",
    "tiers": "Prices of longer contexts, in words; null if there are none.",
    "context_tokens": "Context window of the model, tokens.",
    "max_output": "Most output that one request may have, tokens.",
    "source": "Where the price was taken from.",
    "effective_from": "Day from which the price holds, where the source tells.",
    "seen_on": "Day on which a feed last listed the price by then; null for the package's own.",
    "at": "Day for which the price was asked: the week's close.",
    # Price feeds, lists and free tiers
    "last_good": "UTC time of the newest answer of the feed that was believed as a whole.",
    "age_days": "Whole days from then to the week's close; null for what dates itself.",
    "models": "Models in that answer.",
    "held": "Models whose price in it is held back by a gate.",
    "age": "fresh; stale: over 8 days; too old: over 14; dated by itself.",
    "price_model": "Model as the provider's price list identifies it.",
    "first_listed": "Day on which a feed was first seen to list the model.",
    "last_listed": "Day on which a feed was last seen to list the model.",
    "endpoints": "Endpoints that serve the model; null where nobody told.",
    "endpoints_up": "Endpoints among them whose status is up.",
    "uptime_1d_share": "Best uptime of an endpoint over a day, 0 to 1; null where nobody told.",
    "accepts_schema": "Whether the API enforces an output schema; null where nobody told.",
    "retires_on": "Day on which the provider takes the model away, where it tells.",
    "training_use": "Whether what is sent may train models: no, opt_out, yes or unknown.",
    "requests_per_minute": "Requests that the free tier allows in a minute; null if unknown.",
    "requests_per_day": "Requests that the free tier allows in a day; null if unknown.",
    "tokens_per_minute": "Tokens that the free tier allows in a minute; null if unknown.",
    "tokens_per_day": "Tokens that the free tier allows in a day; null if unknown.",
    "limits_hold_for": "What shares one allowance: account, organisation, project or model.",
    "resets_in": "Time zone at whose midnight a day's allowance begins anew.",
    "quota_signal": "How the provider tells what is left: headers, api, or none.",
    "requests_left": "Free requests left that day, as the provider last told; null if it did not.",
    "quota_read_at": "UTC time of that reading.",
    "verified_at": "Day on which somebody last looked the free tier up.",
    "expires_on": "Day after which that is stale: 30 days later.",
    "freshness": "verified, stale, or not verified.",
    "evidence": "Where it was looked up: provider, console, api, report or none.",
    "evidence_url": "Address of that evidence.",
    "packet_tokens": "Tokens of the packet that free lanes are measured with, in and out.",
    "packets_per_day": "Packets that the tightest known limit lets through; null if none is known.",
    "bound_by": "The limit that is the tightest.",
    "kind": "held, repriced, gone, new, retires, quota or policy.",
    "subject": "Model, as the page or the list calls it, or free provider.",
    "field": "What of it changed; for a held price, what speaks against it.",
    "before": "Value at the close before, as text; null where there was none.",
    "after": "Value at this close, as text; null where there is none.",
    "on": "Day from which it holds, where known.",
    "is_candidate": "Whether the organisation ranks the model.",
    # Costs, integer micro-dollars
    "cost_usd_micros": "Cost in millionths of a US dollar; null as soon as a price is unknown.",
    "input_cost_usd_micros": "Part of the cost for what was fresh input, micro-dollars.",
    "cache_write_cost_usd_micros": "Part of the cost for what were cache writes, micro-dollars.",
    "cache_read_cost_usd_micros": "Part of the cost for what were cache reads, micro-dollars.",
    "output_cost_usd_micros": "Part of the cost for output, micro-dollars.",
    "cache_assumption": "no_cache: all input at full price; listed_cache_price: reads at theirs.",
    "basis": "What the days stand for: month, hot_week, or covered_days when too few.",
    "share": "Share of Claude's tokens of each class that moves, 0 to 1.",
    "hit_rate": "Share of moved input that is priced as cache reads, 0 to 1.",
    "basis_full_input_tokens": "Full input of the whole basis, scaled to 30 days, tokens.",
}

_IN_ITS_TABLE: Final[Mapping[tuple[str, str], str]] = {
    ("context_profile", "agent"): "Agent, or empty for the client as a whole.",
    ("reconciliation", "model"): "Model, or empty for the client as a whole.",
    ("reconciliation", "requests"): "Billed requests that a total of the client speaks of.",
    ("target_proxy", "agent"): "Agent of the organisation, or unattributed, whose target is 0.",
    ("model_catalog", "status"): (
        "listed; gone: listed once and no longer; not known: no feed was ever heard."
    ),
    ("prices", "model"): "Model as the provider's price list identifies it.",
    ("cost_scenarios", "name"): "Scenario: low, expected or high.",
    ("cost_scenarios", "model"): "Reference model whose price is used; null if it has none.",
    ("cost_scenarios", "requests"): "Requests that would move, scaled to the basis.",
    ("cost_scenarios", "full_input_tokens"): "Full input that would move, tokens.",
    ("cost_scenarios", "window_start"): "First UTC day of the basis.",
    ("cost_scenarios", "window_end"): "UTC day on which the basis is over.",
    ("subscription_value", "cost_usd_micros"): (
        "The same requests at the API's list prices of their day, micro-dollars; null as soon as"
        " one of them has no price."
    ),
}


def meaning(table: str, column: str) -> str | None:
    """Return what ``column`` of ``table`` means and its unit; None where nobody has said so."""
    return _IN_ITS_TABLE.get((table, column), COLUMNS.get(column))
