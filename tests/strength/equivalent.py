"""Changes that change nothing a test could see, each with its reason.

Keys are module, function and change, as `make mutation` says them.
"""

LEDGER, RANKING = "fleet_pipeline/ledger/", "fleet_pipeline/ranking/"
COSTING, PRICING = "fleet_pipeline/costing/", "fleet_pipeline/pricing/"

EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        f"{LEDGER}counting.py",
        "_replace",
        "rows let in: pl.concat(ids).unique() -> pl.concat(ids)",
    ): "is_in asks a set; fewer values only take less memory",
    (
        f"{LEDGER}claude_rules.py",
        "_repaired",
        "rows let in: rows.filter(pl.col('agent_id').is_not_null()) -> rows",
    ): "a note always names its agent: what has none joins nothing",
    (
        f"{LEDGER}codex_rules.py",
        "_superseded",
        "comparison: pl.col('order') > pl.col('first_record') ->"
        " pl.col('order') >= pl.col('first_record')",
    ): "a count and a record are never one line",
    (
        f"{LEDGER}connected.py",
        "_hashes_of",
        "rows let in: rows[name].drop_nulls() -> rows[name]",
    ): "no id that is remembered is null",
    (
        f"{LEDGER}connected.py",
        "_ids_elsewhere",
        "rows let in: hashes.filter(hashes.is_in(_list(self._days_of_id))) -> hashes",
    ): "an id of one day is on no other: memory, not results",
    (
        f"{LEDGER}counting.py",
        "the module",
        "number: 18 -> 19",
    ): "how many bytes of days are counted at once: memory, not results",
    (
        f"{LEDGER}counting.py",
        "the module",
        "number: 3 -> 4",
    ): "the same",
    (
        f"{LEDGER}counting.py",
        "_days_in",
        "rows let in: rows['ts'].dt.date().unique() -> rows['ts'].dt.date()",
    ): "they end in a set",
    (
        f"{LEDGER}counting.py",
        "_days_that_differ",
        "rows let in: both.filter(both.is_unique()) -> both",
    ): "a day is made again from the same rows, and is the same",
    (
        f"{LEDGER}counting.py",
        "_replace",
        "operator: is_ours & is_known -> is_ours | is_known",
    ): "the same",
    (
        f"{LEDGER}counting.py",
        "_replace",
        "rows let in: counted.filter(_is_on(beside)) -> counted",
    ): "the same",
    (
        f"{LEDGER}connected.py",
        "the module",
        "number: 2 -> 3",
    ): "how many bytes of ids are looked at at once: memory, not results",
    (
        f"{LEDGER}connected.py",
        "the module",
        "number: 20 -> 21",
    ): "the same",
    (
        f"{LEDGER}connected.py",
        "chunks",
        "number: 0 -> 1",
    ): "the same: a byte more",
    (
        f"{LEDGER}connected.py",
        "the module",
        "number: 18 -> 19",
    ): "how many ids are looked at at once: memory, not results",
    (
        f"{LEDGER}connected.py",
        "_ids_of_several_days",
        "number: 1 -> 2",
    ): "two of the next slice beside it part no two either",
    (
        f"{LEDGER}connected.py",
        "_ids_of_several_days",
        "rows let in: some.filter((known == known.shift(1)) | (known == known.shift(-1))) -> some",
    ): "an id of one day ties that day to itself: memory, not results",
    (
        f"{LEDGER}connected.py",
        "_ids_with_their_days",
        "truth: True -> False",
    ): "sorted in place or beside: memory, not results",
    (
        f"{LEDGER}connected.py",
        "_ids_on",
        "rows let in: pl.concat([ids.with_their_days(rows[name], rows['ts']) for name in _TIES])"
        ".unique() -> pl.concat([ids.with_their_days(rows[name], rows['ts']) for name in _TIES])",
    ): "an id that is there twice has one day, too",
    (
        f"{LEDGER}counting.py",
        "the module",
        "operator: 3 * 2 ** 18 -> 3 / 2 ** 18",
    ): "a day at a time: memory, not results",
    (
        f"{LEDGER}ids.py",
        "the module",
        "number: 16 -> 17",
    ): "more room for days than there are",
    (
        f"{LEDGER}ids.py",
        "the module",
        "number: 2 -> 3",
    ): "the same",
    (
        f"{LEDGER}ids.py",
        "days_in",
        "rows let in: (numbers % _DAYS).unique() -> numbers % _DAYS",
    ): "they end in a set",
    (
        f"{LEDGER}counting.py",
        "the module",
        "number: 2 -> 3",
    ): "how many bytes of days are counted at once: memory, not results",
    (
        f"{LEDGER}codex_rules.py",
        "_replayed",
        "rows let in: unclear.select('thread', 'forked_from').unique() ->"
        " unclear.select('thread', 'forked_from')",
    ): "the same ids are found to be dropped more than once",
    (
        f"{LEDGER}codex_rules.py",
        "_histories",
        "rows let in: counts.filter(pl.col('thread').is_in(sorted(threads))) -> counts",
    ): "histories of threads that nobody asks for: memory, not results",
    (
        f"{LEDGER}claude_rules.py",
        "_with_agent_types",
        "rows let in: events.filter(pl.col('agent_id').is_not_null(),"
        " pl.col('agent_type').is_not_null()) -> events",
    ): "a null joins nothing, and min passes nulls over",
    (
        f"{RANKING}placing.py",
        "reason",
        "comparison: place.rank < was.rank -> place.rank <= was.rank",
    ): "equal places have returned before",
    (
        f"{RANKING}placing.py",
        "places",
        "number: 12 -> 13",
    ): "quantiles that differ by less than 1e-12 are noise of another sum's order",
    (
        f"{RANKING}placing.py",
        "places",
        "comparison: probability_above(tiers[-1][0].belief, each.belief) >= SURE ->"
        " probability_above(tiers[-1][0].belief, each.belief) > SURE",
    ): "a sum of thousands of cells is never 0.9 to the last bit",
    (
        f"{RANKING}beta.py",
        "the module",
        "number: 2000 -> 2001",
    ): "how fine a sum is: three decimals are promised, and stay",
    (
        f"{RANKING}beta.py",
        "_quantile",
        "number: 60 -> 61",
    ): "each step halves an error that is below a double's precision by then",
    (
        f"{RANKING}beta.py",
        "_quantile",
        "number: 1.0 -> 2.0",
    ): "all lies below 1: the search begins twice as wide and ends in the same place",
    (
        f"{RANKING}beta.py",
        "_quantile",
        "comparison: share_below(middle, a, b) < share -> share_below(middle, a, b) <= share",
    ): "where the middle is the quantile the search comes back to it from either side",
    (
        f"{RANKING}beta.py",
        "_away_from_zero",
        "comparison: abs(value) > _TINY -> abs(value) >= _TINY",
    ): "the same value either way",
    **{
        (f"{COSTING}{name}.py", where, f"rows let in: {rows}.unique() -> {rows}"): (
            "prices are asked for a set of models and days"
        )
        for name, where, rows in (
            ("moving", "price_rows", "dates"),
            ("subscription", "subscription_value", "used['model']"),
            ("subscription", "subscription_value", "used['date']"),
        )
    },
    (
        f"{COSTING}moving.py",
        "placed_on",
        "truth: False -> True",
    ): "the first request of all is the first of its thread: it follows none",
    (
        f"{COSTING}bootstrap.py",
        "the module",
        "number: 4000000 -> 4000001",
    ): "how many rows are drawn at once: memory, not results",
    (
        f"{COSTING}bootstrap.py",
        "_drawn_rows",
        "number: 1 -> 2",
    ): "the same",
    (
        f"{PRICING}book.py",
        "_own",
        "number: 99 -> 100",
    ): "the rank of a feed that nobody reads any more: last, either way",
    (
        f"{PRICING}book.py",
        "_seen_throughout",
        "aggregate: max(next_day, day_after) -> min(next_day, day_after)",
    ): "no span of days is then held to be covered, and all are looked at",
    (
        f"{PRICING}book.py",
        "_seen_throughout",
        "comparison: row['first_seen'].date() <= next_day -> row['first_seen'].date() < next_day",
    ): "days on which nothing changes are looked at, too",
    **{
        (f"{RANKING}beta.py", name, f"number: {size} -> {size + 1}"): "how much a cache remembers"
        for name, size in (("_quantile", 4096), ("_cells", 512))
    },
}
