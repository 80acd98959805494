"""Stage 1: transcripts in, each billed request once. Not by week: logs arrive when they arrive."""

import dagster as dg

from assets.resources import Fleet
from assets.tables import OWNERS, schema_shown, shown, unless_accepted
from fleet_pipeline import ledger, quality

GROUP = "ingestion"

transcripts = dg.AssetSpec(
    "transcripts",
    description=(
        "What Claude Code and Codex write to disk as they work. Not made here, and not kept for"
        " long: Claude Code deletes its own after 30 days."
    ),
    group_name=GROUP,
    kinds={"claude", "openai", "json"},
    owners=OWNERS,
)


_HOSTS_ARE_READ = dg.AssetCheckSpec(
    "hosts_are_read",
    asset="transcript_evidence",
    description="Every host and every transcript could be read: what cannot be is not counted.",
)


@dg.asset(
    deps=[transcripts],
    group_name=GROUP,
    kinds={"python", "parquet"},
    owners=OWNERS,
    code_version="1",
    check_specs=[_HOSTS_ARE_READ],
)
def transcript_evidence(fleet: Fleet) -> dg.MaterializeResult:  # type: ignore[type-arg]  # with a check of its own, Dagster knows the bare name only
    """Evidence: what every transcript said of every request and quota window, kept for good.

    Only new bytes are read. Holds numbers and ids, no text; a deleted transcript deletes nothing.
    A host that cannot be read stops no other.
    """
    settings = fleet.settings()
    report = ledger.ingest(settings.home, settings.sources())
    read = quality.hosts_are_read(
        sorted(report.failures), report.passed_over.get("not readable", 0)
    )
    return dg.MaterializeResult(
        check_results=[shown(read, _HOSTS_ARE_READ.key)],
        metadata={
            "transcripts": report.files,
            "read_now": report.files_read,
            "bytes_read_now": report.bytes_read,
            "passed_over": sum(report.passed_over.values()),
            "hosts_not_read": sorted(report.failures),
            "dagster/uri": (settings.home.lake / "events").as_uri(),
        },
    )


@dg.asset(
    deps=[transcript_evidence],
    group_name=GROUP,
    kinds={"polars", "parquet"},
    owners=OWNERS,
    code_version="1",
)
def usage_ledger(fleet: Fleet) -> dg.MaterializeResult[None]:
    """Ledger of billed requests, one row each, counted from the evidence by the counting rules."""
    home = fleet.settings().home
    changed = ledger.recount(home)
    rows = ledger.usage(home)
    held = ledger.held(home)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.height,
            "dagster/uri": (home.lake / "usage").as_uri(),
            "dagster/column_schema": schema_shown("usage_ledger", rows.schema),
            "days_changed": changed,
            "duplicates_not_counted": held["duplicates"],
            "lines_not_believed": sum(held["quarantined"].values()),
            "requests_by_host": {str(host["host"]): host["requests"] for host in held["hosts"]},
        }
    )


@dg.asset_check(asset=usage_ledger, blocking=True)
@unless_accepted
def requests_are_unique(fleet: Fleet) -> dg.AssetCheckResult:
    """No request is counted twice: every sum on the page would be too large."""
    keys = ledger.usage(fleet.settings().home, columns=("client", "message_id"))
    return shown(quality.requests_are_unique(keys))


@dg.asset_check(asset=transcript_evidence)
def quarantine_is_small(fleet: Fleet) -> dg.AssetCheckResult:
    """Hardly any line had to be left out; more hints at a format that is not known yet."""
    return shown(quality.quarantine_is_small(ledger.held(fleet.settings().home)))


@dg.asset_check(asset=transcript_evidence)
def formats_are_known(fleet: Fleet) -> dg.AssetCheckResult:
    """No client writes fields of usage, or many lines, that this version knows nothing of."""
    home = fleet.settings().home
    return shown(quality.formats_are_known(ledger.unfamiliar(home), ledger.held(home)["lines"]))


@dg.asset_check(asset=transcript_evidence)
def replies_carry_usage(fleet: Fleet) -> dg.AssetCheckResult:
    """No client stopped to write what its replies used: what it does not write is not counted."""
    home = fleet.settings().home
    by_version = ledger.usage(home, columns=("client", "client_version"))
    return shown(quality.replies_carry_usage(ledger.unfamiliar(home), by_version))


assets: list[dg.AssetsDefinition | dg.AssetSpec] = [transcripts, transcript_evidence, usage_ledger]
checks = [requests_are_unique, quarantine_is_small, formats_are_known, replies_carry_usage]
