"""The ledger held against what each client itself says that a session was billed.

Belongs here: which total of a client speaks of which requests of the ledger, and the comparison by
session and model. Pure: frames in, one frame out. Sums over sessions are made in
``sql/reconciliation.sql``.

Claude Code sums each session up in ``cost-state`` lines, Codex each thread with every statement.
A total never changes what the ledger counts: it only tells whether something is missing from the
transcripts, or was counted that was not billed. How far each client's totals can be trusted, and
what they were measured on: ``docs/counting.md``.
"""

from typing import Final

import polars as pl

from fleet_pipeline.ledger import evidence
from fleet_pipeline.ledger.codex_rules import SESSION, billed_statements

CLASSES: Final = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
)
"""The disjoint classes of tokens in which both sides are compared."""

SESSIONS: Final = pl.Schema(
    {
        "client": pl.String(),
        "session_id": pl.String(),
        "model": pl.String(),
        "status": pl.String(),
        "last_ts": pl.Datetime("us", "UTC"),
        "requests": pl.Int64(),
        "requests_without_totals": pl.Int64(),
        **{f"logged_{name}": pl.Int64() for name in CLASSES},
        **{f"billed_{name}": pl.Int64() for name in CLASSES},
    }
)
"""One row for each model of a session. Tokens; ``last_ts`` is that of the session's last request.

``status`` says of the whole session, exactly and in every class: ``agrees``; ``billed_more``: the
client was billed for what no line speaks of; ``unfinished``: the ledger has more, but no more than
answers that were cut short, which the client leaves out; ``logged_more``: it has more than that;
``not_comparable``: the client kept no total. ``logged_`` are the tokens of the ``requests`` that a
total speaks of; the others are ``requests_without_totals``.
"""

NEEDED: Final = pl.Schema(
    {
        name: evidence.CLAUDE[name]
        for name in (
            "kind",
            "file_id",
            "first_offset",
            "ts",
            "session_id",
            "message_id",
            "request_id",
            "stop_reason",
        )
    }
)
"""The columns of Claude's evidence that are looked at."""

_SHORT: Final = (
    "sessions", "comparable", "agreeing", "billed_more", "unfinished", "logged_more",
    "billed_tokens", "logged_tokens", "only_billed_tokens", "only_logged_tokens",
    "completeness_share",
)  # fmt: skip

_SIDES: Final = ("client", "session_id", "model")
_ROW: Final = (*_SIDES, "message_id", "request_id", "ts", "output_is_final", *CLASSES)
_STATEMENT: Final = ("host", "file_id", "offset")
_ACCOUNT: Final = ("session_id", "started_at")


def compare_sessions(
    ledger: pl.DataFrame, claude: tuple[pl.DataFrame, pl.DataFrame], codex: pl.DataFrame
) -> pl.DataFrame:
    """Return every session of the ``ledger``, and of the clients' totals, in ``SESSIONS``.

    ``claude`` are the totals and the evidence of requests (``ClientTotal`` and ``ClaudeEvent``
    with their ``host``), ``codex`` is the evidence of Codex (``CodexEvent`` with its ``host``).
    """
    rows = ledger.filter(pl.col("session_id").is_not_null()).select(_ROW)
    of_claude, spoken_of = _claude(*claude, rows.filter(pl.col("client") == "claude"))
    of_codex = _codex(codex)
    with_total = of_codex.select(_SIDES[:2]).unique()
    compared = pl.concat([spoken_of, rows.join(with_total, on=_SIDES[:2], how="semi")])
    return _side_by_side(rows, compared, pl.concat([of_claude, of_codex]))


def in_short(sessions: pl.DataFrame) -> dict[str, dict[str, int | float | None]]:
    """Return for each client how many ``sessions`` agree, and what share of the bill is there."""
    # Slow to load, and of no use to a run that only reads transcripts.
    from fleet_pipeline import tables

    table = tables.run("reconciliation", sessions=sessions)
    whole = table.filter(pl.col("model") == "").select("client", *_SHORT)
    return {row.pop("client"): row for row in whole.to_dicts()}


def _side_by_side(
    ledger: pl.DataFrame, compared: pl.DataFrame, billed: pl.DataFrame
) -> pl.DataFrame:
    """Return both sides of each session and model, and what follows of the session."""
    is_open = pl.col("output_is_final").not_()
    logged = compared.group_by(_SIDES).agg(
        pl.len().alias("requests"),
        pl.col("ts").max(),
        *(pl.col(name).sum().alias(f"logged_{name}") for name in CLASSES),
        *(pl.col(name).filter(is_open).sum().alias(f"open_{name}") for name in CLASSES),
    )
    others = ledger.join(compared, on=["client", "message_id"], how="anti")
    left = others.group_by(_SIDES).agg(
        pl.len().alias("requests_without_totals"), pl.col("ts").max().alias("other_ts")
    )
    sides = (
        billed.group_by(_SIDES)
        .agg(pl.col("told_ts").max(), *(pl.col(f"billed_{name}").sum() for name in CLASSES))
        .join(logged, on=_SIDES, how="full", coalesce=True, nulls_equal=True)
        .join(left, on=_SIDES, how="full", coalesce=True, nulls_equal=True)
    )
    session = list(_SIDES[:2])
    has_total = pl.col("told_ts").is_not_null().any().over(session)
    counted = ["requests", "requests_without_totals"]
    counted += [*(f"{side}_{name}" for side in ("logged", "open") for name in CLASSES)]
    sides = sides.with_columns(pl.col(counted).fill_null(0)).with_columns(
        pl.when(has_total).then(pl.col(f"billed_{name}").fill_null(0)) for name in CLASSES
    )
    above = {name: pl.col(f"logged_{name}") - pl.col(f"billed_{name}") for name in CLASSES}
    found = {
        "not_comparable": ~has_total,
        "logged_more": pl.any_horizontal(above[name] > pl.col(f"open_{name}") for name in CLASSES),
        "unfinished": pl.any_horizontal(above[name] > 0 for name in CLASSES),
        "billed_more": pl.any_horizontal(above[name] < 0 for name in CLASSES),
    }
    status = pl.coalesce(
        *(pl.when(seen.any().over(session)).then(pl.lit(name)) for name, seen in found.items()),
        pl.lit("agrees"),
    )
    return (
        sides.with_columns(
            status=status,
            last_ts=pl.coalesce(
                pl.max_horizontal("ts", "other_ts").max().over(session),
                pl.col("told_ts").max().over(session),
            ),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SESSIONS.items())
        .sort(_SIDES)
    )


def _claude(
    totals: pl.DataFrame, events: pl.DataFrame, ledger: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what Claude Code was billed by session and model, and the rows that this speaks of."""
    requests = events.filter(pl.col("kind") == "request")
    statements = _statements(totals, requests)
    accounts = statements.unique(_ACCOUNT, keep="last", maintain_order=True)
    in_files = _in_files_of(accounts, requests, ledger)
    parents = _parents(statements, accounts, in_files)
    inherited = _tokens(totals, parents).with_columns(-pl.col(CLASSES))
    billed = (
        pl.concat([_tokens(totals, accounts), inherited])
        .group_by(*_ACCOUNT, "model")
        .agg(pl.col(CLASSES).sum().clip(lower_bound=0))
        .select(
            pl.lit("claude").alias("client"),
            "session_id",
            "model",
            pl.col("started_at").alias("told_ts"),
            *(pl.col(name).alias(f"billed_{name}") for name in CLASSES),
        )
    )
    return billed, _spoken_of(in_files, accounts, parents)


def _statements(totals: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """Return each different total of a session since a start, the largest last.

    ``until`` is the last request in front of the line (UTC), ``beyond`` the first one behind it:
    what the total no longer speaks of. An answer that was cut short is written down after the total
    that includes it, so it ends nothing. Copies of a line are one statement.
    """
    size = pl.sum_horizontal(CLASSES).sum().alias("size")
    lines = totals.group_by(*_STATEMENT, *_ACCOUNT).agg(size)
    around = (
        lines.select(_STATEMENT)
        .join(
            requests.select(*_STATEMENT[:2], "first_offset", "ts", "stop_reason"),
            on=_STATEMENT[:2],
        )
        .group_by(_STATEMENT)
        .agg(
            until=pl.col("ts").filter(pl.col("first_offset") < pl.col("offset")).max(),
            beyond=pl.col("ts")
            .filter(pl.col("first_offset") > pl.col("offset"), pl.col("stop_reason").is_not_null())
            .min(),
        )
    )
    return (
        lines.join(around, on=_STATEMENT, how="left")
        .sort(*_ACCOUNT, "size", *_STATEMENT)
        .group_by(*_ACCOUNT, "size", maintain_order=True)
        .agg(
            pl.col(_STATEMENT).first(),
            pl.col("until").max().fill_null(pl.col("started_at").first()),
            pl.col("beyond").min(),
        )
    )


def _tokens(totals: pl.DataFrame, statements: pl.DataFrame) -> pl.DataFrame:
    """Return the tokens of ``statements`` by account and model; each may stand for another's."""
    of_lines = totals.select(*_STATEMENT, "model", *CLASSES)
    return statements.select(*_ACCOUNT, *_STATEMENT).join(of_lines, on=_STATEMENT).drop(_STATEMENT)


def _in_files_of(
    accounts: pl.DataFrame, requests: pl.DataFrame, ledger: pl.DataFrame
) -> pl.DataFrame:
    """Return the ledger's rows of all that the files of each session with a total speak of.

    A forked session's files also speak of what it copied, so that a row may be there under several
    sessions: the ledger itself gives it to one of them, whichever that is.
    """
    named = requests.select("session_id", "message_id", "request_id").join(
        accounts.select("session_id").unique(), on="session_id", how="semi"
    )
    rows = ledger.drop("session_id")
    known = named.drop("request_id").join(rows, on="message_id", maintain_order="left")
    rewritten = (
        named.join(rows, on="message_id", how="anti")
        .drop("message_id")
        .join(rows.drop_nulls("request_id").unique("request_id"), on="request_id")
    )
    both = pl.concat([known.select(_ROW), rewritten.select(_ROW)])
    return both.unique(["session_id", "message_id"])


def _parents(
    statements: pl.DataFrame, accounts: pl.DataFrame, in_files: pl.DataFrame
) -> pl.DataFrame:
    """Return, for each forked session, what its total began with: a statement of its ``parent``.

    A fork copies its parent's lines, and its total goes on from the parent's, start included. It
    began with the parent's last statement that speaks of nothing but what was copied.
    """
    mine = in_files.select("session_id", "message_id", "ts")
    shared = (
        mine.join(mine.rename({"session_id": "parent"}), on="message_id")
        .filter(pl.col("parent") != pl.col("session_id"))
        .group_by("session_id", "parent")
        .agg(pl.col("ts").max().alias("copied_until"))
    )
    is_less = (pl.col("size") < pl.col("most")) | (
        (pl.col("size") == pl.col("most")) & (pl.col("parent") < pl.col("session_id"))
    )
    return (
        accounts.select(*_ACCOUNT, pl.col("size").alias("most"))
        .join(shared, on="session_id")
        .join(
            statements.rename({"session_id": "parent"}).drop("beyond"), on=["parent", "started_at"]
        )
        .filter(pl.col("until") <= pl.col("copied_until"), is_less)
        .sort(*_ACCOUNT, "size", "parent", *_STATEMENT)
        .unique(_ACCOUNT, keep="last", maintain_order=True)
    )


def _spoken_of(
    in_files: pl.DataFrame, accounts: pl.DataFrame, parents: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows that a session's own part of its total speaks of.

    They lie after its start and before its end, and not in the history that its parent is billed.
    """
    of_parents = parents.select(*_ACCOUNT, "parent").join(
        in_files.select(pl.col("session_id").alias("parent"), "message_id"), on="parent"
    )
    return (
        in_files.sort("ts")
        .join_asof(
            accounts.select(*_ACCOUNT, "beyond").sort("started_at"),
            left_on="ts",
            right_on="started_at",
            by="session_id",
            strategy="backward",
            check_sortedness=False,
        )
        .filter(
            pl.col("started_at").is_not_null(),
            pl.col("beyond").is_null() | (pl.col("ts") < pl.col("beyond")),
        )
        .join(of_parents, on=[*_ACCOUNT, "message_id"], how="anti")
        .select(_ROW)
    )


_LAST: Final = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")


def _codex(events: pl.DataFrame) -> pl.DataFrame:
    """Return by how much each thread's total grew, by session and model.

    A total that begins anew (0.55 and 0.74 when they resume), the first one of a fork (it may go on
    from its parent's) and the first of another kind of statement say nothing about what came
    before: there the statement's own usage stands for the growth.
    """
    statements = billed_statements(events)
    series = ["thread", "kind"]
    total = pl.col("cumulative_total_tokens")
    before = total.shift(1).over(series)
    is_first = pl.int_range(pl.len()).over("thread") == 0
    begins_anew = (total < before) | pl.all_horizontal(
        pl.col(f"cumulative_{name}") == pl.col(name) for name in _LAST
    )
    own_usage_stands = (
        total.is_null()
        | (before.is_null() & (~is_first | pl.col("forked_from").is_not_null()))
        | begins_anew
    )
    grown = {
        name: pl.when(own_usage_stands)
        .then(name)
        .otherwise(
            pl.col(f"cumulative_{name}")
            - pl.col(f"cumulative_{name}").shift(1, fill_value=0).over(series)
        )
        for name in _LAST
    }
    said = statements.select(
        "model", "ts", SESSION.alias("session_id"), total.alias("total"), **grown
    )
    fresh = pl.col("input_tokens") - pl.col("cached_input_tokens")
    return (
        said.select(
            pl.lit("codex").alias("client"),
            "session_id",
            "model",
            pl.col("ts").alias("told_ts"),
            (fresh - pl.col("cache_write_input_tokens")).alias("billed_input_tokens"),
            pl.col("cache_write_input_tokens").alias("billed_cache_write_5m_tokens"),
            pl.lit(0, pl.Int64).alias("billed_cache_write_1h_tokens"),
            pl.col("cached_input_tokens").alias("billed_cache_read_tokens"),
            pl.col("output_tokens").alias("billed_output_tokens"),
            "total",
        )
        .filter(pl.col("total").is_not_null().any().over("session_id"))
        .drop("total")
    )
