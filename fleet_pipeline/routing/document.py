"""``routing.json``, schema 1: the routing matrix, the routes of each kind of work, what changed."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from fleet_pipeline.probes import NAMES
from fleet_pipeline.probes.work_types import KINDS, WorkType
from fleet_pipeline.weeks import opening

SCHEMA_VERSION: Final = 1

Document = dict[str, Any]


def routing_document(page: Mapping[str, Any]) -> Document:
    """Return the week's routes, each with the evidence behind it.

    ``matrix``: policy by agent and kind of work, with what is measured. ``routes``: policy by kind
    of work; ``probed_as`` names the kinds of packets that stand for it. ``candidates``: by kind of
    packets the models in order, each with its provider's name, tier, ``q05``, ``n_probes`` and
    whether the place is ``provisional``; what is no longer listed is left out. ``diff``: places
    that changed since the close before, and changes of policy.
    """
    close = date.fromisoformat(page["as_of"])
    return {
        "schema_version": SCHEMA_VERSION,
        "org": page["org"],
        "as_of": page["as_of"],
        "week": page["week"],
        "operating_rule": page["operating_rule"],
        "hard_rules": page["hard_rules"],
        "matrix": [
            {name: value for name, value in row.items() if name != "display_name"}
            for row in page["routing_matrix"]
        ],
        "routes": [_route(row) for row in page["execution_routing"]],
        "candidates": _candidates(page),
        "diff": {
            "since": opening(close).isoformat(),
            "places": _moved(page["ranking"]),
            "policy": [row for row in page["changes"] if row["kind"] == "policy"],
        },
    }


def _route(row: Mapping[str, Any]) -> Document:
    of_work = set(row["kinds"])
    return {
        **row,
        "probed_as": [kind for kind, stands_for in KINDS.items() if of_work & set(stands_for)],
    }


def _candidates(page: Mapping[str, Any]) -> list[Document]:
    gone = {row["model"] for row in page["model_catalog"] if row["status"] == "gone"}
    listed = [row for row in page["ranking"] if row["model"] not in gone]
    return [
        {"work_type": kind, "name": name, "models": _in_order(listed, kind)}
        for kind, name in NAMES.items()
    ]


def _in_order(ranking: Sequence[Mapping[str, Any]], kind: WorkType) -> list[Document]:
    found = []
    for row in ranking:
        [place] = [each for each in row["work_types"] if each["work_type"] == kind]
        found.append(
            {
                "model": row["model"],
                "provider": row["provider"],
                "provider_model": row["provider_model"],
                "free": row["is_free"],
                "context_tokens": row["context_tokens"],
                **{name: value for name, value in place.items() if name != "work_type"},
            }
        )
    return sorted(found, key=lambda each: each["rank"])


def _moved(ranking: Sequence[Mapping[str, Any]]) -> list[Document]:
    places = [
        (scope, row["model"], place["previous_rank"], place["rank"], place["reason"])
        for row in ranking
        for scope, place in [
            ("overall", row),
            *((each["work_type"], each) for each in row["work_types"]),
        ]
    ]
    return [
        {
            "scope": scope,
            "model": model,
            "from": before,
            "to": now,
            "reason": reason,
        }
        for scope, model, before, now, reason in places
        if before != now
    ]
