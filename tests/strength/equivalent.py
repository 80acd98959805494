"""Changes that change nothing a test could see, each with its reason.

Keys are module, function and change, as `make mutation` says them.
"""

LEDGER = "fleet_pipeline/ledger/"

EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        f"{LEDGER}counting.py",
        "_replace",
        "rows let in: pl.concat(ids).unique() -> pl.concat(ids)",
    ): "is_in asks a set; fewer values only take less memory",
    (
        f"{LEDGER}counting.py",
        "the module",
        "number: 18 -> 19",
    ): "how many bytes of days are counted at once: memory, not results",
    (
        f"{LEDGER}connected.py",
        "the module",
        "number: 4 -> 5",
    ): "how many bytes of ids are looked at at once: memory, not results",
    (
        f"{LEDGER}connected.py",
        "the module",
        "number: 20 -> 21",
    ): "the same",
    (
        f"{LEDGER}connected.py",
        "_ids_elsewhere",
        "rows let in: rows[name].drop_nulls() -> rows[name]",
    ): "a null is on no list of ids that occur on several days",
    (
        f"{LEDGER}claude_rules.py",
        "_with_agent_types",
        "rows let in: events.filter(pl.col('agent_id').is_not_null(),"
        " pl.col('agent_type').is_not_null()) -> events",
    ): "a null joins nothing, and min passes nulls over",
}
