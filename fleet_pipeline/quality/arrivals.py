"""What arrived, beside what used to: agents, volumes, transcripts. Silence is never taken for 0.

Pure: tables in, outcomes out.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Final

import polars as pl

from fleet_pipeline.hosts import QUIET_DAYS, Host, is_quiet, told
from fleet_pipeline.ledger import Held
from fleet_pipeline.quality.outcome import Outcome
from fleet_pipeline.transcripts.drift import NAMELESS

_QUIET_DAYS: Final = 7
_ACTIVE_DAYS: Final = 8
"""An agent with as many active days before is one that works most days of a working week."""

_SILENT_DAYS: Final = 3
_FEWEST_WEEKS: Final = 4
_DEVIATIONS: Final = 4.0
_MAD_TO_DEVIATION: Final = 1.4826
"""Of a normal distribution: Rousseeuw and Croux, JASA 88 (1993), p. 1273."""
_MOST_FALLEN: Final = 0.6
_MOST_STRANGE: Final = 0.03
"""Of all lines, of types that are not known: row R17 of the reliability plan."""
_MOST_SILENT: Final = 0.03
"""Of a client version's replies, without usage: the same row. Recorded clients have none."""
_LEAST_BAND: Final = 0.5
"""A band is never narrower than half its median on each side: eight weeks tell little of spread."""


def agents_are_heard_of(daily_usage: pl.DataFrame, close: date) -> Outcome:
    """No agent that used to work went silent for the last seven days of the window."""
    since = close - timedelta(days=_QUIET_DAYS)
    days = daily_usage.filter(pl.col("agent") != "unattributed").select("agent", "date").unique()
    used_to = days.filter(pl.col("date") < since).group_by("agent").len()
    regular = set(used_to.filter(pl.col("len") >= _ACTIVE_DAYS)["agent"])
    silent = sorted(regular - set(days.filter(pl.col("date") >= since)["agent"]))
    return Outcome(
        "agents_are_heard_of",
        "warn",
        not silent,
        f"no request for {_QUIET_DAYS} days from {', '.join(silent)}"
        if silent
        else f"{len(regular)} agents that work most days were heard of within {_QUIET_DAYS} days",
        {"silent_agents": len(silent)},
        table="daily_usage",
        remedy="retired? else see that its folders are still mapped (agents.yaml) and read"
        " (`fleet doctor`)",
    )


def volumes_are_usual(weekly_volumes: pl.DataFrame) -> Outcome:
    """Each client's week is within a robust band of the eight weeks before."""
    odd, compared = [], 0
    for client, weeks in _by_client(weekly_volumes).items():
        *before, now = weeks
        earlier = [tokens for tokens in before if tokens is not None]
        if len(earlier) < _FEWEST_WEEKS or now is None:
            continue
        compared += 1
        middle = median(earlier)
        spread = _MAD_TO_DEVIATION * median(abs(tokens - middle) for tokens in earlier)
        width = max(_DEVIATIONS * spread, _LEAST_BAND * middle)
        if abs(now - middle) > width:
            odd.append(
                f"{client}: {now:,} tokens of input in the week, {max(0, middle - width):,.0f} to"
                f" {middle + width:,.0f} are usual"
            )
    return Outcome(
        "volumes_are_usual",
        "warn",
        not odd,
        "; ".join(odd)
        or (
            f"{compared} clients are within the band of the weeks before"
            if compared
            else f"fewer than {_FEWEST_WEEKS} whole weeks before: nothing to compare with"
        ),
        {"unusual": len(odd), "compared": compared},
        table="weekly_volumes",
        remedy="a holiday or a new agent may explain it; else `fleet doctor`",
    )


def volume_has_not_collapsed(weekly_volumes: pl.DataFrame) -> Outcome:
    """No week is 60 % below the median of those before it; one before is enough.

    Lost transcripts look like a quiet week. The bar is row R18 of the reliability plan.
    """
    weeks = weekly_volumes.group_by("week_start").agg(
        pl.when(pl.col("full_input_tokens").is_null().any())
        .then(None)
        .otherwise(pl.col("full_input_tokens").sum())
        .alias("full_input_tokens")
    )
    *before, now = weeks.sort("week_start")["full_input_tokens"]
    earlier = [tokens for tokens in before if tokens]
    usual = median(earlier) if earlier else 0
    fell = now is not None and now < usual * (1 - _MOST_FALLEN)
    if fell:
        says = (
            f"{now:,} tokens of input in the week, {1 - now / usual:.0%} less than usual"
            f" ({usual:,.0f}, the median of {len(earlier)} before)"
        )
    elif earlier:
        says = f"no such fall from the median of {len(earlier)} weeks before"
    else:
        says = "no whole week before: nothing to compare with"
    return Outcome(
        "volume_has_not_collapsed",
        "error",
        not fell,
        says,
        {"weeks_before": len(earlier)},
        table="weekly_volumes",
        remedy="are all transcripts read? `fleet doctor` tells; if the fleet did rest, accept it",
    )


def _by_client(weekly_volumes: pl.DataFrame) -> Mapping[str, list[int | None]]:
    found: dict[str, list[int | None]] = {}
    for client, tokens in (
        weekly_volumes.sort("client", "week_start")
        .select("client", "full_input_tokens")
        .iter_rows()
    ):
        found.setdefault(client, []).append(tokens)
    return found


def silence_is_explained(window_coverage: pl.DataFrame, lying_there: int) -> Outcome:
    """Silence at the window's end is idleness only where transcripts still lie.

    A wrong root, a lost permission and a folder that is not mounted all look like a fleet at rest.
    """
    [row] = window_coverage.to_dicts()
    last = row["last_day"]
    silent_days = row["days"] if last is None else (row["window_end"] - last).days - 1
    silent = silent_days >= _SILENT_DAYS and not lying_there
    return Outcome(
        "silence_is_explained",
        "error",
        not silent,
        f"the last {silent_days} days hold no request, and not one transcript lies there now"
        if silent
        else f"{silent_days} silent days at the end; {lying_there:,} transcripts lie there",
        {"silent_days": silent_days, "transcripts": lying_there},
        table="window_coverage",
        remedy="is it the right folder, mounted, and yours to read? `fleet doctor` tells",
    )


def hosts_are_read(not_read: Sequence[str], not_readable: int) -> Outcome:
    """Every host could be read, and every transcript of it: what cannot be read is not there."""
    parts = [f"not read: {', '.join(not_read)}"] if not_read else []
    parts += [f"{not_readable:,} entries may not be read"] if not_readable else []
    return Outcome(
        "hosts_are_read",
        "warn",
        not parts,
        "; ".join(parts) or "every host and every transcript found could be read",
        {"hosts_not_read": len(not_read), "entries_not_readable": not_readable},
        table="transcript_evidence",
        remedy="`fleet doctor` names them; give back the permission, or mount the folder",
    )


def hosts_are_reporting(known: Sequence[Host], listed: Sequence[str]) -> Outcome:
    """Each listed host was heard of within a week: else its transcripts may no longer arrive."""
    quiet = [host for host in known if host["host"] in set(listed) and is_quiet(host)]
    return Outcome(
        "hosts_are_reporting",
        "warn",
        not quiet,
        "; ".join(told(host) for host in quiet) + "; see that its transcripts still arrive"
        if quiet
        else f"{len(listed)} listed hosts were heard of within {QUIET_DAYS} days",
        {"quiet_hosts": len(quiet)},
    )


def quarantine_is_small(sources: Held) -> Outcome:
    """Hardly any line had to be left out; more than one in two hundred hints at a new format."""
    reasons, lines = sources["quarantined"], sources["requests_lines"]
    left_out = sum(reasons.values())
    return Outcome(
        "quarantine_is_small",
        "warn",
        left_out * 200 <= lines,
        f"{left_out:,} lines not believed beside {lines:,} that were"
        + "".join(f"; {reason}: {count:,}" for reason, count in sorted(reasons.items())),
        {"left_out": left_out, "believed": lines},
    )


def formats_are_known(unfamiliar: pl.DataFrame, lines: int) -> Outcome:
    """No field of usage is new, and few lines are of a type that is: usage may move into either.

    ``unfamiliar`` has the rows of ``ledger.unfamiliar``, ``lines`` how many all transcripts have.
    """
    fields = unfamiliar.filter(pl.col("kind") == "usage_field")
    types = unfamiliar.filter(pl.col("kind") == "record_type")
    strange = int(types["lines"].sum())
    told = [f"{client} {name}" for client, name in fields.select("client", "name").iter_rows()]
    parts = [f"new in usage: {', '.join(told)}"] if told else []
    if strange > lines * _MOST_STRANGE:
        parts.append(
            f"{strange:,} of {lines:,} lines are of a type that is not known:"
            f" {', '.join(sorted(set(types['name'])))}"
        )
    return Outcome(
        "formats_are_known", "warn", not parts,
        "; ".join(parts) or f"nothing new in usage; {strange:,} of {lines:,} lines of new types",
        {"new_usage_fields": fields.height, "lines_of_new_types": strange},
        table="transcript_evidence",
        remedy="a client changed its format: see that its totals still agree (`fleet doctor`),"
        " and look for a newer version of this program",
    )  # fmt: skip


def replies_carry_usage(unfamiliar: pl.DataFrame, usage: pl.DataFrame) -> Outcome:
    """Of no client version more than three in a hundred replies say nothing of usage.

    A client that stops to write usage looks like a fleet that works less. ``unfamiliar`` has the
    rows of ``ledger.unfamiliar``, ``usage`` those of the ledger, one for each request.
    """
    silent = unfamiliar.filter(pl.col("kind") == "reply_without_usage")
    without = int(silent["lines"].sum())
    version = pl.col("client_version").fill_null(NAMELESS)
    requests = usage.group_by("client", version).len().iter_rows()
    counted = {(client, name): count for client, name, count in requests}
    parts = []
    for client, name, lines in silent.select("client", "name", "lines").iter_rows():
        replies = lines + counted.get((client, name), 0)
        if lines > replies * _MOST_SILENT:
            parts.append(f"{client} {name}: {lines:,} of {replies:,} replies")
    return Outcome(
        "replies_carry_usage", "warn", not parts,
        f"without usage, so not counted: {'; '.join(parts)}"
        if parts
        else f"{without:,} replies without usage beside {usage.height:,} requests",
        {"replies_without_usage": without, "versions_beyond": len(parts)},
        table="transcript_evidence",
        remedy="that client no longer logs what is billed: hold its own totals against the page"
        " (`fleet doctor`), and look for a newer version of this program",
    )  # fmt: skip


def requests_fit_their_window(model_contexts: pl.DataFrame) -> Outcome:
    """No request is larger than the context window of the model that answered it."""
    beyond = model_contexts.filter(pl.col("largest_tokens") > pl.col("context_tokens"))
    told = [
        f"{model} ({largest:,} tokens in a window of {window:,})"
        for model, largest, window in beyond.select(
            "model", "largest_tokens", "context_tokens"
        ).iter_rows()
    ]
    compared = model_contexts.filter(pl.col("context_tokens").is_not_null()).height
    return Outcome(
        "requests_fit_their_window",
        "warn",
        not told,
        f"larger than the listed window: {', '.join(told)}"
        if told
        else f"no request of {compared} models with a known window is larger than it",
        {"models_beyond": len(told), "models_compared": compared},
        table="requests",
        remedy="counted twice, or the list is older than the model's long context",
    )


def ranking_is_complete(model_ranking: pl.DataFrame, candidates: Sequence[str]) -> Outcome:
    """Every candidate of the organisation is ranked, and nothing else is."""
    found = set(model_ranking["model"])
    missing, extra = sorted(set(candidates) - found), sorted(found - set(candidates))
    parts = [
        f"{word} {', '.join(names)}"
        for word, names in (("missing:", missing), ("not asked for:", extra))
        if names
    ]
    return Outcome(
        "ranking_is_complete",
        "error",
        not parts,
        "; ".join(parts) or f"{len(found)} candidates, as models.yaml lists them",
        {"missing": len(missing), "extra": len(extra)},
        table="model_ranking",
        remedy="models.yaml was edited meanwhile? run the week again",
    )


def published_bytes_are_listed(
    folder_sums: Mapping[str, str], listed: Mapping[str, str]
) -> Outcome:
    """Each published file has the bytes that SHA256SUMS lists, and none is there besides."""
    off = sorted(
        name
        for name in folder_sums.keys() | listed.keys()
        if folder_sums.get(name) != listed.get(name)
    )
    return Outcome(
        "published_bytes_are_listed",
        "error",
        not off,
        f"{len(off)} files differ from SHA256SUMS: {', '.join(off[:5])}"
        if off
        else f"{len(listed)} files are as SHA256SUMS lists them",
        {"files": len(listed), "files_off": len(off)},
        table="routing_page",
        remedy="delete the week's folder and run `fleet refresh` for it again",
    )
