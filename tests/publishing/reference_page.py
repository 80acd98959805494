"""The page.json of the week of 17 June 2026, with the figures of the page that we replace.

Where that page left a figure out (output tokens, exact shares, days), it is the one that fits the
figures which it did print; days are invented so that they add up.
"""

import copy
import json
from datetime import date, timedelta

from fleet_pipeline.probes import WORK_TYPES

from .reference_work import measured, work_keys

INPUT, WRITES, READS, OUTPUT = 20_500_000, 705_500_000, 27_173_000_000, 65_700_000
FULL_INPUT = INPUT + WRITES + READS
REQUESTS = 107_338
PRICE_IN, PRICE_OUT, PRICE_CACHED = 1.4, 4.4, 0.26
SHARES = {"low": 0.09131, "expected": 0.1826, "high": 0.2714}
HOT = 1.507

# agent, display name, requests, full input in millions, cache-read share, target share
AGENTS = (
    ("sage", "Sage", 24_982, 11_001, 0.99, 0.08),
    ("forge", "Forge", 28_653, 4_471, 0.97, 0.55),
    ("scribe", "Scribe", 9_704, 3_179, 0.94, 0.20),
    ("apollo", "Apollo", 6_549, 2_548, 0.97, 0.25),
    ("mercury", "Mercury", 10_334, 1_920, 0.97, 0.45),
    ("analyst", "Analyst", 6_707, 1_802, 0.98, 0.50),
    ("librarian", "Librarian", 6_850, 924, 0.96, 0.45),
    ("hippocrates", "Hippocrates", 5_149, 701, 0.95, 0.20),
    ("felix", "Felix", 3_237, 480, 0.95, 0.25),
    ("unattributed", "Unattributed", 5_173, 873, 0.97, 0.0),
)

MATRIX = (
    ("sage", "Live orchestration, approvals, external-action judgment", "Sonnet; Opus-gated",
     "Medium; Opus high", "Claude-heavy", "Sonnet default", "The live coordinator stays Claude."),
    ("sage", "Research prework, table drafts, static artifact edits", "Codex-5.5 / Spark-5.3",
     "Low/medium", "Sonnet execution", "Codex/Spark", "A clear brief can leave."),
    ("apollo", "Queue orchestration, worker coordination, triage decisions",
     "Sonnet; Opus-gated for hard gameplanning", "Medium/high", "Sonnet", "Sonnet",
     "Judgment over many agents keeps state, which is not for Codex."),
    ("apollo", "Worker packet execution, QA, report formatting", "Codex-5.5", "Medium",
     "Sonnet workers", "Codex workers", "Bounded execution leaves Max."),
    ("scribe", "Final owner-facing voice, brand-critical content", "Sonnet; Opus-gated final pass",
     "Medium/high", "Claude", "Sonnet + rare Opus", "Voice and reputation stay Claude."),
    ("scribe", "Outline expansion, transcript cleanup, nonfinal drafts",
     "Spark-5.3 / free API; Codex for files", "Low", "Sonnet drafting", "Spark/free/Codex",
     "Drafts without state are cheap and easy to review."),
    ("forge", "Implementation, tests, lint fixes, mechanical debugging", "Codex-5.5",
     "Medium/high", "Claude Code", "Codex majority", "Code that a test can verify goes first."),
    ("forge", "Architecture/security review, unclear failures", "Sonnet; Opus-gated rare",
     "Medium/high", "Mixed Claude", "Sonnet default", "A wrong call here reaches far."),
    ("mercury", "Workflow/config edits, diff application, integration checks", "Codex-5.5",
     "Medium", "Sonnet", "Codex patches", "Bounded repository work fits Codex."),
    ("mercury", "External automation planning, deployment judgment", "Sonnet", "Medium",
     "Sonnet", "Sonnet", "Actions on the outside stay gated."),
    ("analyst", "Audits, cost models, metric scripts, static HTML", "Codex-5.5", "Medium",
     "Sonnet-heavy", "Codex execution", "Evidence comes in packets that can be checked."),
    ("analyst", "Fleet recommendations, anomaly interpretation", "Sonnet; Opus-gated rare",
     "Medium/high", "Claude", "Sonnet + Codex evidence", "The last word needs context."),
    ("librarian", "KB mining, corpus extraction, indexing, summaries",
     "Spark-5.3 / free API / Codex-5.5", "Low/medium", "Sonnet", "Spark/free/Codex",
     "Extraction rarely needs state."),
    ("librarian", "Source adjudication, routing playbook synthesis", "Sonnet", "Medium",
     "Sonnet", "Sonnet", "Conflicts of freshness and origin need review."),
    ("hippocrates", "Non-PHI scripts, freshness checks, docs/reports", "Codex-5.5", "Medium",
     "Sonnet", "Codex checks", "Local checks are safe behind the privacy guard."),
    ("hippocrates", "PHI-adjacent or clinical/business risk review",
     "Sonnet; Opus-gated only if high-stakes", "Medium/high", "Claude", "Claude local",
     "Privacy comes before savings."),
    ("felix", "Calendar/task hygiene, simple status transforms", "Spark-5.3 / Codex-5.5", "Low",
     "Sonnet", "Spark/Codex where bounded", "Routine work should not fill Max."),
    ("felix", "Human-facing prioritization, ambiguous personal planning", "Sonnet", "Medium",
     "Sonnet", "Sonnet", "Preferences and nuance stay Claude."),
)  # fmt: skip

RANKING = (
    ("z-ai/glm-5.2", "GLM 5.2", "Serious reasoning, long-context synthesis, review pre-pass",
     (1.4, 4.4, 0.26), 1_048_576),
    ("qwen/qwen3.7-plus", "Qwen3.7 Plus", "Agentic drafts, queue triage, multi-step planning",
     (0.32, 1.28, None), 1_000_000),
    ("moonshotai/kimi-k2.7-code", "Kimi K2.7 Code", "Coding agents, sketches, patch plans",
     (0.74, 3.5, 0.15), 262_144),
    ("nvidia/nemotron-3-ultra:free", "Nemotron 3 Ultra", "Long public documents, plan expansion",
     (0.0, 0.0, None), 1_000_000),
    ("google/gemma-4-31b:free", "Gemma 4 31B", "Bounded code and test drafts, extraction",
     (0.0, 0.0, None), 262_144),
    ("cohere/north-mini-code:free", "North Mini Code", "Small edits, test stubs, lint fixes",
     (0.0, 0.0, None), 256_000),
    ("google/gemini-3.1-flash-lite", "Gemini 3.1 Flash-Lite", "Summaries, cleanup, extraction",
     (0.25, 1.5, 0.025), 1_048_576),
    ("anthropic/claude-haiku-4.5", "Claude Haiku 4.5", "Claude-compatible low-risk execution",
     None, 200_000),
)  # fmt: skip

EXECUTION = (
    ("Public web/source triage", "gemini-flash-lite or nemotron (free)",
     "medical, legal or financial stakes; final recommendation"),
    ("First-pass code", "Codex-5.5; optional Spark/free model for small snippets",
     "unclear architecture, security-sensitive code"),
    ("Code review pre-pass", "Codex-5.5 first; a compressed GLM or free packet beside it",
     "auth or session logic, data deletion, production deploy"),
    ("Test generation", "Codex-5.5; Spark/free API for trivial stubs",
     "deep domain fixtures, brittle async behavior"),
    ("Transcript cleanup", "gemini-flash-lite or deepseek-v3",
     "nuances of voice, owner-facing brand copy"),
    ("Classify / JSON extract", "gpt-oss-120b (free), gemini-flash-lite",
     "schema errors that outlive one retry"),
    ("Frontier orchestration", "Claude Opus/Sonnet only",
     "always: cheap models draft, they never own"),
)  # fmt: skip

FREE_APIS = (
    ("NVIDIA NIM", "Public reasoning and code pre-pass of higher quality",
     "Serious bounded synthesis, a bug-hunt draft", "Schedules that hang on quota, private data"),
    ("OpenRouter free", "Model diversity, code and test drafts, classifiers",
     "Public work that can be retried under daily caps", "Reliability, privacy, determinism"),
    ("Groq free", "Fast small packets and speech-to-text",
     "Classification, JSON cleanup, tiny snippets, Whisper", "Large context or large output"),
    ("Cerebras free trial", "Fast medium bug-hunt or reasoning draft",
     "Output is tightly capped", "Persistent loops or long generations"),
    ("Gemini free", "Commodity extraction, summaries, multimodal, embeddings",
     "Public, high-volume cleanup", "Sensitive data, a fixed public quota"),
    ("Cloudflare Workers AI", "Edge microtasks, embeddings, classifiers",
     "The task already lives there and needs hard caps", "Heavy reasoning"),
    ("Hugging Face providers", "Experiments and availability checks", "Occasional probes",
     "Meaningful production volume"),
    ("Mistral free mode", "Mistral-specific coding and document extraction",
     "Provider diversity or an EU lane matters", "Automation that hangs on quota"),
)  # fmt: skip

DAILY_MILLIONS = (
    620, 655, 540, 360, 410, 905, 930, 980, 1010, 1120, 1480, 1610, 1490, 1380, 1160, 1290, 1400,
    1010, 905, 880, 640, 590, 870, 910, 960, 880, 905, 610, 560, 840,
)  # fmt: skip


def _usage(requests: int, tokens: tuple[int, int, int, int], final: float) -> dict[str, object]:
    fresh, writes, reads, output = tokens
    return {
        "requests": requests,
        "input_tokens": fresh,
        "cache_write_5m_tokens": writes,
        "cache_write_1h_tokens": 0,
        "cache_read_tokens": reads,
        "output_tokens": output,
        "reasoning_tokens": 0,
        "full_input_tokens": fresh + writes + reads,
        "cache_read_share": reads / (fresh + writes + reads),
        "context_p50": 134_000.0,
        "context_p90": 726_000.0,
        "context_p99": 948_000.0,
        "output_final_share": final,
    }


def _agent(
    agent: str, name: str, requests: int, millions: int, read_share: float, target: float
) -> dict[str, object]:
    full = millions * 10**6
    reads = round(full * read_share)
    writes = round((full - reads) * 0.97)
    return {
        "agent": agent,
        "display_name": name,
        "requests": requests,
        "full_input_tokens": full,
        "input_tokens": full - reads - writes,
        "cache_write_5m_tokens": writes,
        "cache_write_1h_tokens": 0,
        "cache_read_tokens": reads,
        "output_tokens": round(OUTPUT * requests / REQUESTS),
        "cache_read_share": read_share,
        "context_p50": float(full // requests),
        "target_share": target,
        "target_tokens": round(full * target),
    }


def _no_cache(share: float, tokens_in: float, tokens_out: float) -> int:
    return round(share * (tokens_in * PRICE_IN + tokens_out * PRICE_OUT))


def _cached(share: float, reads: float, rest: float, tokens_out: float) -> int:
    return round(share * (reads * PRICE_CACHED + rest * PRICE_IN + tokens_out * PRICE_OUT))


def _scenario(name: str, pace: float) -> dict[str, object]:
    share = SHARES[name]
    return {
        "name": name,
        "share": share,
        "requests": round(share * REQUESTS * pace),
        "full_input_tokens": round(share * FULL_INPUT * pace),
        "output_tokens": round(share * OUTPUT * pace),
        "cost_usd_micros": _no_cache(share, FULL_INPUT * pace, OUTPUT * pace),
        "cached_cost_usd_micros": _cached(
            share, READS * pace, (INPUT + WRITES) * pace, OUTPUT * pace
        ),
        "cache_assumption": "no_cache",
    }


def _mirage() -> list[dict[str, object]]:
    share = SHARES["expected"]
    prices = {
        "input": (INPUT, PRICE_IN, PRICE_IN),
        "cache_write": (WRITES, PRICE_IN, PRICE_IN),
        "cache_read": (READS, PRICE_IN, PRICE_CACHED),
        "output": (OUTPUT, PRICE_OUT, PRICE_OUT),
    }
    return [
        {
            "class": name,
            "tokens": round(share * tokens),
            "share": tokens / (FULL_INPUT + OUTPUT),
            "no_cache_usd_micros": round(share * tokens * full),
            "cached_usd_micros": round(share * tokens * cached),
        }
        for name, (tokens, full, cached) in prices.items()
    ]


def _daily() -> list[dict[str, object]]:
    start = date(2026, 5, 18)
    scale = FULL_INPUT / sum(DAILY_MILLIONS)
    rows = []
    for offset, millions in enumerate(DAILY_MILLIONS):
        day = (start + timedelta(days=offset)).isoformat()
        full = round(millions * scale)
        rows += [
            {"date": day, "client": "claude", "requests": full // 259_917,
             "full_input_tokens": full},
            {"date": day, "client": "codex", "requests": full // 4_000_000,
             "full_input_tokens": full // 90},
        ]  # fmt: skip
    return rows


def _price(prices: tuple[float, float, float | None] | None) -> dict[str, object] | None:
    if prices is None:
        return None
    return {
        "input_usd_per_mtok": prices[0],
        "output_usd_per_mtok": prices[1],
        "cache_read_usd_per_mtok": prices[2],
        "source": "genai-prices 0.2.3",
        "effective_from": "2026-06-16",
        "seen_on": "2026-06-16",
        "at": "2026-06-17",
    }


def _badge(prices: tuple[float, float, float | None] | None) -> str:
    if prices is None:
        return "n/a"
    return "free" if not any(prices[:2]) else f"${prices[0]:.2f}/${prices[1]:.2f} per M"


def _window(limit: str, limit_id: str, minutes: int, used: float, reset: str) -> dict[str, object]:
    return {
        "client": "codex",
        "limit": limit,
        "limit_id": limit_id,
        "window_minutes": minutes,
        "remaining_share": 1 - used / 100,
        "used_percent": used,
        "read_at": "2026-06-16T23:19:00Z",
        "resets_at": reset,
        "age_minutes": 41,
        "status": "fresh",
        "burn_from": "2026-06-16T21:10:00Z",
        "burn_percent_per_hour": used / 4,
        "minutes_to_empty": 300,
        "outlook": "lasts",
    }


def _corners() -> dict[str, object]:
    share, model = SHARES["expected"], {"model": "z-ai/glm-5.2", "name": "GLM 5.2"}
    whole = {
        "naive": _no_cache(share, INPUT, OUTPUT),
        "no_cache": _no_cache(share, FULL_INPUT, OUTPUT),
        "listed_cache_price": _cached(share, READS, INPUT + WRITES, OUTPUT),
    }
    packets = {n: _no_cache(share, REQUESTS * n, OUTPUT) for n in (4_000, 8_000, 16_000, 32_000)}
    corners = [(name, name, None, cost) for name, cost in whole.items()]
    corners += [(f"packets_{n}", "packets", n, cost) for n, cost in packets.items()]
    return {
        "corners": [
            {
                "name": name, "corner": corner, "packet_tokens": size, "share": share,
                "requests": round(share * REQUESTS), "cost_usd_micros": cost,
                "verify_cost_usd_micros": 323_400_000 if size else None,
                "formula": f"the formula of {corner}",
            }
            for name, corner, size, cost in corners
        ],
        "packets": [
            {"packet_tokens": n, "requests": round(share * REQUESTS), "cost_usd_micros": cost,
             "verify_cost_usd_micros": 323_400_000}
            for n, cost in packets.items()
        ],
        "elsewhere": [
            {
                **model,
                **{f"{name}_usd_micros": cost for name, cost in whole.items()},
                "cache_read_no_cache_usd_micros": _no_cache(share, READS, 0),
                "break_even_hit_rate": 0.888,
            }
        ],
        "stay": {"model": "claude-sonnet-4-6", "cost_usd_micros": 2_163_000_000},
        "break_even_hit_rate": 0.888,
    }  # fmt: skip


def _replay() -> dict[str, object]:
    costs = {"low": 1_200_000_000, "expected": 3_600_000_000, "high": 6_400_000_000}
    routes = {"moved": 18_339, "not_chosen": 78_677, "not_movable": 0, "private": 5_149,
              "unattributed": 5_173, "too_large": 0, "unpriced": 0}  # fmt: skip
    return {
        "basis": "month", "share": SHARES["expected"], "draws": 2_000, "seed": 20_260_618,
        "stays_on": "claude-sonnet-4-6", "room": 0.95,
        "assumptions": [
            {"name": "cache_hits", "low": 0.95, "expected": 0.5, "high": 0.0,
             "because": "No provider promises a hit."},
        ],
        "targets": [
            {
                "model": "z-ai/glm-5.2", "name": "GLM 5.2", "cache": "implicit",
                "ttl_seconds": 600, "cache_because": "The provider's documentation.",
                "cuts": [
                    {"cut": cut, "value": value, "requests": 107_338, "moved_requests": 18_339,
                     "moved_full_input_tokens": 5_000_000_000, "cost_usd_micros": 3_600_000_000,
                     "stay_cost_usd_micros": 2_169_000_000, "saving_usd_micros": -1_431_000_000}
                    for cut, value in (("agent", "forge"), ("kind", "editing"))
                ],
                "cases": [
                    {
                        "name": name, "moved_share": 0.166, "cost_usd_micros": cost,
                        "cost_low_usd_micros": cost * 2 // 3,
                        "cost_high_usd_micros": cost * 4 // 3,
                        "stay_cost_usd_micros": 2_169_000_000,
                        "saving_usd_micros": 2_169_000_000 - cost,
                        "target_cost_usd_micros": cost - 400_000_000,
                        "retries_cost_usd_micros": 150_000_000,
                        "escalated_cost_usd_micros": 200_000_000,
                        "verify_cost_usd_micros": 50_000_000,
                        "returned_cost_usd_micros": 0,
                    }
                    for name, cost in costs.items()
                ],
                "routes": [
                    {"route": route, "requests": count, "full_input_tokens": count * 260_000}
                    for route, count in routes.items()
                ],
            }
        ],
        "subscriptions": [
            {
                "model": "spark", "name": "Spark", "cache": "none", "kinds": ["packet"],
                "because": "Its maker's documentation.", "routes": [],
                "cuts": [
                    {"cut": "kind", "value": "editing", "moved_full_input_tokens": 400_000_000}
                ],
                "cases": [
                    {"name": name, "moved_share": 0.01, "cost_usd_micros": None,
                     "cost_low_usd_micros": None, "cost_high_usd_micros": None,
                     "saving_usd_micros": None}
                    for name in costs
                ],
                "room": [
                    {"limit_id": "codex_bengalfox", "window_minutes": 300, "status": "fresh",
                     "remaining_share": 0.83, "own_percent": 4.0, "p90_tokens": 2_000_000,
                     "peak_tokens": 3_000_000, "verdict": "unknown",
                     "reason": "no_exchange_rate"},
                ],
            }
        ],
    }  # fmt: skip


FIT = (
    ("z-ai/glm-5.2", "GLM 5.2", 965_017, 1.0, 1.0),
    ("moonshotai/kimi-k2.7-code", "Kimi K2.7 Code", 233_472, 0.69, 0.27),
)


def _fit(model: str, name: str, limit: int, requests: float, tokens: float) -> dict[str, object]:
    return {
        "model": model, "name": name, "prompt_limit_tokens": limit, "requests_share": requests,
        "turns_share": None, "sessions_share": requests / 2, "full_input_tokens_share": tokens,
    }  # fmt: skip


def _build() -> dict[str, object]:
    return {
        "schema_version": 1,
        "org": "riles-fleet",
        "title": "Fleet routing matrix and cheap-model offload",
        "owner": "Analyst",
        "as_of": "2026-06-17",
        "week": "2026-W25",
        "demo": False,
        "generator": {"name": "fleet_pipeline", "version": "0.1.0"},
        "window": {
            "start": "2026-05-18",
            "end": "2026-06-17",
            "days": 30,
            "days_covered": 30,
            "first_day": "2026-05-18",
            "last_day": "2026-06-16",
            "monthly_factor": 1.0,
        },
        "usage": {
            "claude": _usage(REQUESTS, (INPUT, WRITES, READS, OUTPUT), 0.94),
            "codex": _usage(8_211, (12_000_000, 0, 298_000_000, 2_400_000), 1.0),
        },
        "agents": [
            {**_agent(*agent), "week_tokens": 111_000_000, "week_change_share": 0.11}
            for agent in AGENTS
        ],
        "models": [
            {"client": "claude", "model": "claude-sonnet-4-6", "requests": 81_338,
             "full_input_tokens": 20_924_250_000, "requests_share": 0.7578,
             "full_input_share": 0.75},
            {"client": "claude", "model": "claude-opus-4-8", "requests": 26_000,
             "full_input_tokens": 6_974_750_000, "requests_share": 0.2422,
             "full_input_share": 0.25},
            {"client": "codex", "model": "gpt-5.5-codex", "requests": 8_211,
             "full_input_tokens": 310_000_000, "requests_share": 1.0, "full_input_share": 1.0},
        ],
        "daily": _daily(),
        "target": {"tokens": 7_052_950_000, "share": 7_052_950_000 / FULL_INPUT},
        "headroom": [
            _window("Codex", "codex", 300, 28.0, "2026-06-17T02:10:00Z"),
            _window("Codex", "codex", 10080, 17.0, "2026-06-21T21:00:00Z"),
            _window("Spark", "codex_bengalfox", 300, 2.0, "2026-06-17T02:10:00Z"),
            _window("Spark", "codex_bengalfox", 10080, 6.0, "2026-06-21T21:00:00Z"),
        ],
        "costs": {
            "reference_model": "z-ai/glm-5.2",
            "reference_model_name": "GLM 5.2",
            "basis": "month",
            "price": _price((PRICE_IN, PRICE_OUT, PRICE_CACHED)),
            "hit_rate": READS / FULL_INPUT,
            "scenarios": [_scenario(name, 1.0) for name in SHARES],
            "hot_week": {
                "start": "2026-05-28",
                "end": "2026-06-04",
                "multiplier": HOT,
                "full_input_tokens_per_month": round(FULL_INPUT * HOT),
                "scenarios": [_scenario(name, HOT) for name in SHARES],
            },
            "naive": {
                "share": SHARES["expected"],
                "cost_usd_micros": _no_cache(SHARES["expected"], INPUT, OUTPUT),
                "input_tokens": round(SHARES["expected"] * INPUT),
                "output_tokens": round(SHARES["expected"] * OUTPUT),
            },
            "naive_usd_micros": _no_cache(SHARES["expected"], INPUT, OUTPUT),
            "mirage": _mirage(),
            **_corners(),
            "replay": _replay(),
            "subscription": {
                "api_equivalent_usd_micros": 11_844_000_000,
                "priced_share": 1.0,
                "unpriced_models": [],
                "by_model": [
                    {"model": "claude-sonnet-4-6", "requests": 81_338,
                     "cost_usd_micros": 8_100_000_000},
                    {"model": "claude-opus-4-8", "requests": 26_000,
                     "cost_usd_micros": 3_744_000_000},
                ],
                "cache_assumption": (
                    "as logged: reads, 5m and 1h writes at their own list prices"
                ),
            },
        },
        "context_fit": [_fit(*row) for row in FIT],
        "context_curve": [
            {"tokens": 8_192 * 2**step, "requests": REQUESTS * step // 8,
             "requests_share": step / 8}
            for step in range(9)
        ],
        "past_weeks": [
            {"close": close, "days_covered": 30, "full_input_tokens": FULL_INPUT,
             "target_tokens": 7_052_950_000, "target_share": 0.2528, "basis": "month",
             "cost_usd_micros": cost, "cached_cost_usd_micros": 1_528_000_000,
             "codex_week_remaining_share": 0.83}
            for close, cost in (("2026-06-10", 6_973_000_000), ("2026-06-17", 7_185_000_000))
        ],
        "agent_weeks": [
            {"week_start": start, "days_covered": 7, "agent": agent, "requests": 100,
             "full_input_tokens": tokens}
            for start, tokens in (("2026-06-03", 100_000_000), ("2026-06-10", 111_000_000))
            for agent, *_ in AGENTS
        ],
        "since_last_week": {
            "close": "2026-06-10", "days_covered": 30, "full_input_tokens": 0,
            "target_tokens": 10_000_000, "target_share": 0.008,
            "cost_usd_micros": 212_000_000, "cached_cost_usd_micros": 8_000_000,
            "codex_week_remaining_share": -0.06, "changes": 1, "new_models": 0,
        },
        "backbone": [
            {"role": "Default coordinator", "model": "Sonnet",
             "use": "interactive bus and tool orchestration, review"},
            {"role": "Gated escalation", "model": "Opus",
             "use": "high effort only: hard reasoning, brand, troubleshooting"},
            {"role": "Primary offload", "model": "Codex",
             "use": "bounded implementation, code, mechanical repo work"},
            {"role": "Small packets", "model": "Spark",
             "use": "stateless extraction, cleanup, classifiers, summaries"},
        ],
        "principles": {
            "keep": {
                "title": "Keep on Sonnet and gated Opus",
                "text": "Live coordination over many turns, approvals, priorities, final "
                "judgment, the brand's voice and troubleshooting without a clear cause. This "
                "layer writes the briefs that Codex works from.",
            },
            "route": {
                "title": "Route to Codex, Spark and free APIs",
                "text": "Bounded implementation, mechanical file work, tests, lint fixes, small "
                "extraction, JSON cleanup, transcripts and summaries of public sources. Each "
                "packet states inputs, constraints, output schema and how it is verified.",
            },
            "center_line": "Codex is strong at bounded, well-specified execution and code. It "
            "does not replace Sonnet as the live coordinator of many turns.",
            "rejected": "Opus at low effort as the default is rejected: lower effort trims "
            "thinking and output, not the context that fills Max.",
            "lever": "Opus and Sonnet share the same Max windows, so Opus to Sonnet only makes "
            "turns lighter. Sonnet to Codex takes whole turns out.",
            "headroom_note": "Moving eligible Sonnet execution to Codex uses capacity that is "
            "paid for and idle.",
            "matrix_note": "Each agent has work that stays and work that leaves.",
            "agents_note": "Sage, Apollo and Scribe keep the judgment over many turns.",
        },
        **work_keys(FULL_INPUT, date(2026, 6, 17)),
        "routing_matrix": [
            {"agent": agent, "display_name": agent.capitalize(), "task_type": task,
             "driver": driver, "effort": effort, "now": now, "target": target,
             "rationale": rationale, "kinds": ["editing"], "measured": measured()}
            for agent, task, driver, effort, now, target, rationale in MATRIX
        ],
        "execution_routing": [
            {"work_type": work, "default_route": route, "escalate_when": when,
             "kinds": [], "measured": None}
            for work, route, when in EXECUTION
        ],
        "free_api_catalog": [
            {"provider": provider, "best_lane": lane, "use_when": use, "avoid_when": avoid,
             "packets_per_day": 200, "packet_tokens": 5_000, "bound_by": "tokens_per_day",
             "limits_hold_for": "account", "training_use": "yes", "verified_at": "2026-06-10",
             "freshness": "verified", "requests_left": None, "quota_read_at": None,
             "left_told_by": None}
            for provider, lane, use, avoid in FREE_APIS
        ],
        "operating_rule": "One-shot packet, explicit schema, small output cap, one retry, the "
        "provider's quota logged, then fail over or queue.",
        "hard_rules": [
            "Never send secrets, PHI, credentials or private patient data through a free "
            "provider: some log prompts.",
            "Every cheap-model output is verified by Claude or Codex before it counts.",
        ],
        "ranking": [
            {**_unprobed(rank, model, prices), "model": model, "name": name, "route": route,
             "cost_badge": _badge(prices), "price": _price(prices), "context_tokens": window,
             "evidence": "curated order, no probes yet", "tier": 1 + (rank > 3), "reason": None,
             "previous_rank": rank, "provisional": rank > 4, "pareto": rank < 3, "badges": [],
             "retires_on": None,
             "n_probes": 40 if rank < 5 else 0, "q05": 0.9 - rank / 10,
             "posterior_mean": 0.95 - rank / 10, "q95": 1 - rank / 10,
             "cost_usd_per_mtok": None if prices is None else prices[0]}
            for rank, (model, name, route, prices, window) in enumerate(RANKING, 1)
        ],
        "rank_history": [
            {"close": close, "model": model, "rank": rank}
            for close in ("2026-06-03", "2026-06-10", "2026-06-17")
            for rank, (model, *_) in enumerate(RANKING, 1)
        ],
        "model_catalog": [],
        "sources": {
            "files": 4_182,
            "bytes": 1_734_000_000,
            "lines": 1_204_551,
            "requests_lines": 231_900,
            "duplicates": 124_562,
            "quarantined": {"unreadable": 14, "timestamp": 3},
            "hosts": [
                {"host": "anvil", "requests": 80_000, "last_ts": "2026-06-16T23:58:11Z",
                 "quiet_days": 0},
                {"host": "kiln", "requests": 35_549, "last_ts": "2026-06-16T22:10:00Z",
                 "quiet_days": 0},
            ],
            "clients": {},
            "reconciliation": {
                "claude": {
                    "sessions": 912, "comparable": 640, "agreeing": 588, "billed_more": 50,
                    "unfinished": 2, "logged_more": 0, "billed_tokens": 9_120_400_000,
                    "logged_tokens": 9_090_100_000, "only_billed_tokens": 30_300_000,
                    "only_logged_tokens": 0, "completeness_share": 0.9967,
                },
                "codex": {
                    "sessions": 40, "comparable": 0, "agreeing": 0, "billed_more": 0,
                    "unfinished": 0, "logged_more": 0, "billed_tokens": 0, "logged_tokens": 0,
                    "only_billed_tokens": 0, "only_logged_tokens": 0, "completeness_share": None,
                },
            },
        },
        "checks": {
            "passed": 30,
            "failed": 0,
            "warned": 1,
            "results": [
                {"name": "agents_add_up", "severity": "error", "passed": True, "broken": False,
                 "table": "agent_usage", "says": "agents add up to the fleet", "remedy": ""},
                {"name": "unattributed_input", "severity": "warn", "passed": False,
                 "broken": False, "table": "agent_usage",
                 "says": "unattributed input 3.1%, limit 3.0%", "remedy": "map their folders"},
            ],
            "accepted": [],
        },
        "prices": {
            "basis": "feeds", "age_days": 1, "held": [], "ranking_withheld": None,
            "sources": [
                {"source": "openrouter", "last_good": "2026-06-16T03:30:00Z", "age_days": 1,
                 "models": 340, "held": 2, "age": "fresh"},
                {"source": "genai-prices 0.2.3", "last_good": None, "age_days": None,
                 "models": None, "held": None, "age": "dated by itself"},
            ],
        },
        "changes": [
            {"kind": "repriced", "subject": "qwen/qwen3.7-plus", "field": "input",
             "before": "0.3", "after": "0.32", "on": "2026-06-12", "source": "openrouter",
             "is_candidate": True},
        ],
    }  # fmt: skip


def _unprobed(
    rank: int, model: str, prices: tuple[float, float, float | None] | None
) -> dict[str, object]:
    """Return what a ranking of this moment says besides: nobody was asked yet."""
    place = {
        "rank": rank, "tier": 1, "rank_low": 1, "rank_high": len(RANKING), "previous_rank": rank,
        "reason": None, "q05": 0.135, "q95": 0.865, "n_probes": 0, "provisional": True,
    }  # fmt: skip
    return {
        **place, "curated_rank": rank, "posterior_mean": 0.5, "n_days": 0,
        "n_unavailable": 0, "availability": None, "cost_usd_per_mtok": None, "pareto": False,
        "context_fit_share": None, "provider": "openrouter", "provider_model": model,
        "is_free": _badge(prices) == "free",
        "work_types": [{"work_type": kind, **place} for kind in WORK_TYPES],
    }  # fmt: skip


def reference_page() -> dict[str, object]:
    """Return a fresh copy that a test may change."""
    return copy.deepcopy(_build())


def changed(**paths: object) -> dict[str, object]:
    """Return the reference page with fields set, ``a__b`` for ``a.b``; list items by place."""
    page = reference_page()
    for path, value in paths.items():
        *parents, last = path.split("__")
        node: object = page
        for name in parents:
            node = node[int(name)] if isinstance(node, list) else node[name]
        node[int(last) if isinstance(node, list) else last] = value
    return page


if __name__ == "__main__":
    print(json.dumps(reference_page(), indent=2))
