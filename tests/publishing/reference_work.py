"""The reference page's keys about work: invented but for their sums, which are the page's own."""

from datetime import date, timedelta

# kind, share of Claude's full input, turns, whether it may move
KINDS = (
    ("orchestration", 0.41, 5_210, False),
    ("conversation", 0.16, 3_004, False),
    ("implementation", 0.14, 2_940, True),
    ("external_action", 0.09, 1_120, False),
    ("checks", 0.07, 1_606, True),
    ("extraction", 0.06, 2_214, True),
    ("editing", 0.04, 1_415, True),
    ("unknown", 0.03, 902, False),
)
# agent, sessions, eligible share, low, high, unknown share, target share, verdict
ELIGIBLE = (
    ("sage", "Sage", 212, 0.093, 0.071, 0.118, 0.02, 0.08, "within"),
    ("forge", "Forge", 188, 0.61, 0.55, 0.66, 0.03, 0.55, "within"),
    ("mercury", "Mercury", 97, 0.31, 0.24, 0.38, 0.04, 0.45, "exceeds"),
    ("analyst", "Analyst", 64, 0.46, 0.33, 0.58, 0.09, 0.50, "unclear"),
    ("felix", "Felix", 4, 0.28, None, None, 0.0, 0.25, "within"),
    ("unattributed", "Unattributed", 31, 0.0, 0.0, 0.0, 0.2, 0.0, "no_target"),
)


def work_keys(full_input_tokens: int, as_of: date) -> dict[str, object]:
    """Return task_mix, eligible, windows, blocks, realised and anomalies of the reference page."""
    kinds = [
        {
            "kind": kind,
            "turns": turns,
            "requests": turns * 5,
            "full_input_tokens": round(full_input_tokens * share),
            "movable_tokens": round(full_input_tokens * share) if moves else 0,
            "share": share,
        }
        for kind, share, turns, moves in KINDS
    ]
    return {
        "task_mix": {
            "rules_version": "1-0a1b2c3d",
            "full_input_tokens": full_input_tokens,
            "movable_tokens": round(full_input_tokens * 0.31),
            "kinds": kinds,
            "by_agent": [],
            "codex": [{"kind": "implementation", "turns": 310}],
            "rules": [],
        },
        "eligible": {
            "fleet": _eligible("", "", 596, 0.31, 0.27, 0.35, 0.03, 0.2528, "within"),
            "agents": [_eligible(*agent) for agent in ELIGIBLE],
        },
        "windows": [_window(), _refused()],
        "blocks": [_blocks("claude", 1_310_000_000), _blocks("codex", 9_400_000)],
        "realised": [_week(as_of - timedelta(days=7 * back)) for back in (4, 3, 2, 1)],
        "anomalies": {
            "agent_days": [
                {
                    "agent": "forge", "display_name": "Forge", "date": "2026-06-09",
                    "requests": 4_103, "full_input_tokens": 912_000_000,
                    "typical_tokens": 141_000_000, "active_days": 30, "robust_z": 5.2,
                    "verdict": "runaway",
                }
            ],
            "days_judged": 281,
            "agents_too_young": ["felix"],
            "missing_days": [],
            "hot_week": {
                "window_start": "2026-06-05", "window_end": "2026-06-12", "multiplier": 1.507,
                "expected_multiplier": 1.21, "p95_multiplier": 1.36, "days_covered": 30,
                "verdict": "beyond_chance",
            },
        },
    }  # fmt: skip


def measured(tokens: int = 1_200_000_000) -> dict[str, object]:
    """Who drives the work of a row of the matrix today."""
    return {
        "turns": 1_204,
        "full_input_tokens": tokens,
        "off_claude_share": 0.0,
        "drivers": [
            {"driver": "Sonnet", "full_input_tokens": tokens * 3 // 4, "share": 0.75},
            {"driver": "Opus", "full_input_tokens": tokens // 4, "share": 0.25},
        ],
        "efforts": [{"effort": "high", "full_input_tokens": tokens, "share": 1.0}],
    }


def _eligible(
    agent: str, name: str, sessions: int, share: float, low: float | None, high: float | None,
    unknown: float, target: float, verdict: str,
) -> dict[str, object]:  # fmt: skip
    return {
        "agent": agent,
        "display_name": name,
        "sessions": sessions,
        "eligible_share": share,
        "eligible_low": low,
        "eligible_high": high,
        "unknown_share": unknown,
        "target_share": target,
        "verdict": verdict,
    }


def _window() -> dict[str, object]:
    return {
        "client": "claude", "limit": "Claude Max", "limit_id": "claude_max", "window_minutes": 300,
        "status": "fitted", "reason": None, "steps": 412, "windows": 61, "r_squared": 0.72,
        "fitted_from": "2026-05-18T08:00:00Z", "fitted_to": "2026-06-16T22:00:00Z",
        "expires_on": "2026-06-24",
        "rates": [
            {"token_class": name, "percent_per_mtok": rate, "percent_per_mtok_low": rate * 0.8,
             "percent_per_mtok_high": rate * 1.3}
            for name, rate in (("input", 1.9), ("cache_read", 0.021), ("output", 6.2))
        ],
    }  # fmt: skip


def _refused() -> dict[str, object]:
    return {
        "client": "codex", "limit": "Codex", "limit_id": "codex", "window_minutes": 10_080,
        "status": "refused", "reason": "too_few_steps", "steps": 17, "windows": 4,
        "r_squared": None, "fitted_from": "2026-05-18T08:00:00Z",
        "fitted_to": "2026-06-16T22:00:00Z", "expires_on": None, "rates": [],
    }  # fmt: skip


def _blocks(client: str, peak: int) -> dict[str, object]:
    moved = peak // 4 if client == "claude" else 0
    return {
        "client": client,
        "blocks": 118,
        "peak_tokens": peak,
        "peak_at": "2026-06-09T14:00:00Z",
        "median_tokens": peak // 6,
        "p95_tokens": peak * 3 // 4,
        "peak_tokens_after_target": peak - moved,
        "peak_change_tokens": -moved,
        "largest": [],
    }


def _week(start: date) -> dict[str, object]:
    return {
        "week_start": start.isoformat(),
        "week_end": (start + timedelta(days=7)).isoformat(),
        "days_covered": 7,
        "claude_tokens": 6_500_000_000,
        "codex_tokens": 41_000_000,
        "claude_change_tokens": -310_000_000,
        "codex_change_tokens": 12_000_000,
        "planned_tokens": 1_640_000_000,
        "moved_tokens": 12_000_000,
        "off_matrix_tokens": 1_990_000_000,
        "off_matrix_share": 0.306,
    }
