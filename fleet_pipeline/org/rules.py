"""Rules that relate one place of an organisation's files to another: unique names, known names.

They look at the values as read, not at checked models, so that a mistake in one row hides no other.
"""

import itertools
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from fleet_pipeline.org.document import Document, KeyPath
from fleet_pipeline.org.mistakes import Mistake, dotted, excerpt, nearest
from fleet_pipeline.org.schema import UNATTRIBUTED
from fleet_pipeline.s3 import Address

Documents = Mapping[str, Document]
_Named = tuple[KeyPath, str]


def broken_rules(documents: Documents) -> list[Mistake]:
    """Return every mistake that shows only when values are held against each other.

    ``documents`` by file name; a file that could not be read is left out and accuses nobody.
    """
    return [mistake for rule in _RULES for mistake in rule(documents)]


def _agents_are_told_apart(documents: Documents) -> Iterator[Mistake]:
    agents = documents.get("agents.yaml")
    if agents is None:
        return
    names = list(agents.texts("agents", "*", "name"))
    yield from _duplicates(agents, names, "rename one, or merge the two agents")
    for where, name in names:
        if _same(name) == UNATTRIBUTED:
            says = f"is {UNATTRIBUTED}, the name for work that no agent owns; choose another"
            yield _mistake(agents, where, says)


def _a_folder_has_one_owner(documents: Documents) -> Iterator[Mistake]:
    agents = documents.get("agents.yaml")
    if agents is None:
        return
    folders = list(agents.texts("agents", "*", "folders", "*"))
    yield from _duplicates(agents, folders, "a folder belongs to one agent; remove one of the two")
    owners = {_same(name): where[1] for where, name in agents.texts("agents", "*", "name")}
    for where, folder in folders:
        owner = owners.get(_same(folder), where[1])
        if owner != where[1]:
            says = f"is {excerpt(folder)}, the name of another agent (agents[{owner}]); remove it"
            yield _mistake(agents, where, says)


def _matrix_rows_name_agents(documents: Documents) -> Iterator[Mistake]:
    agents, routing = documents.get("agents.yaml"), documents.get("routing.yaml")
    if agents is None or routing is None:
        return
    known = {name for _, name in agents.texts("agents", "*", "name")}
    for where, name in routing.texts("routing_matrix", "*", "agent"):
        if name not in known:
            says = f"is {excerpt(name)}, which agents.yaml does not list{nearest(name, known)}"
            yield _mistake(routing, where, says + _choice(known))


def _work_types_are_told_apart(documents: Documents) -> Iterator[Mistake]:
    routing = documents.get("routing.yaml")
    if routing is None:
        return
    remedy = "keep one row for each kind of work"
    yield from _duplicates(routing, routing.texts("execution_routing", "*", "work_type"), remedy)
    rows = dict(routing.texts("routing_matrix", "*", "task_type"))
    tasks = [
        ((*where[:-1], "task_type"), f"{agent}: {rows[*where[:-1], 'task_type']}")
        for where, agent in routing.texts("routing_matrix", "*", "agent")
        if (*where[:-1], "task_type") in rows
    ]
    yield from _duplicates(routing, tasks, "keep one row for each agent and kind of work")


def _a_kind_of_work_has_one_row(documents: Documents) -> Iterator[Mistake]:
    routing = documents.get("routing.yaml")
    if routing is None:
        return
    remedy = "one kind of an agent's work has one row; remove it from one of the two"
    agents = {where[1]: name for where, name in routing.texts("routing_matrix", "*", "agent")}
    rows = [
        (where, f"{agents[where[1]]}: {kind}")
        for where, kind in routing.texts("routing_matrix", "*", "kinds", "*")
        if where[1] in agents
    ]
    yield from _duplicates(routing, rows, remedy)
    remedy = "one kind of work has one default route; remove it from one of the two"
    yield from _duplicates(routing, routing.texts("execution_routing", "*", "kinds", "*"), remedy)


def _work_rules_are_told_apart(documents: Documents) -> Iterator[Mistake]:
    agents = documents.get("agents.yaml")
    if agents is not None:
        rules = agents.texts("agents", "*", "work_rules", "*", "id")
        yield from _duplicates(agents, rules, "turns keep the id of their rule; rename one")


def _providers_are_told_apart(documents: Documents) -> Iterator[Mistake]:
    free = documents.get("free_apis.yaml")
    if free is not None:
        providers = free.texts("free_apis", "*", "provider")
        yield from _duplicates(free, providers, "keep one row for each provider")


def _models_are_told_apart(documents: Documents) -> Iterator[Mistake]:
    models = documents.get("models.yaml")
    if models is None:
        return
    ids = list(models.texts("models", "*", "id"))
    names = [*ids, *models.texts("models", "*", "aliases", "*")]
    yield from _duplicates(models, names, "a name means one model; remove one of the two")
    known = {name for _, name in ids}
    for where, name in models.texts("reference_model"):
        if name not in known:
            says = f"is {excerpt(name)}, which is no id under models{nearest(name, known)}"
            yield _mistake(models, where, says + _choice(known))


def _lanes_name_what_is_there(documents: Documents) -> Iterator[Mistake]:
    lanes = documents.get("lanes.yaml")
    if lanes is None:
        return
    yield from _duplicates(lanes, lanes.texts("lanes", "*", "name"), "rename one of the two")
    for file, pattern, key in (
        ("models.yaml", ("models", "*", "id"), ("lanes", "*", "candidate")),
        ("free_apis.yaml", ("free_apis", "*", "provider"), ("lanes", "*", "free_api")),
        ("agents.yaml", ("agents", "*", "name"), ("may_leave", "agents", "*")),
    ):
        if file not in documents:
            continue
        known = {name for _, name in documents[file].texts(*pattern)}
        for where, name in lanes.texts(*key):
            if name not in known:
                says = f"is {excerpt(name)}, which {file} does not list{nearest(name, known)}"
                yield _mistake(lanes, where, says + _choice(known))


def _work_with_patients_never_leaves(documents: Documents) -> Iterator[Mistake]:
    agents, lanes = documents.get("agents.yaml"), documents.get("lanes.yaml")
    if agents is None or lanes is None:
        return
    names = dict(agents.texts("agents", "*", "name"))
    phi = {
        names.get((*where[:-1], "name"))
        for where, privacy in agents.texts("agents", "*", "privacy")
        if privacy == "phi"
    }
    for where, name in lanes.texts("may_leave", "agents", "*"):
        if name in phi:
            says = f"is {excerpt(name)}, which may touch patient data (phi); remove it"
            yield _mistake(lanes, where, says)


def _scenarios_rise(documents: Documents) -> Iterator[Mistake]:
    offload = documents.get("offload.yaml")
    if offload is None:
        return
    order = ("low", "expected", "high")
    shares = [
        (name, where, value)
        for name in order
        for where, value in offload.found("scenarios", name)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    for (lower, _, less), (_, where, value) in itertools.pairwise(shares):
        if value < less:
            says = f"is {value:g}, below {lower} ({less:g}); write low <= expected <= high"
            yield _mistake(offload, where, says)


def _places_are_told_apart(documents: Documents) -> Iterator[Mistake]:
    fleet = documents.get("fleet.yaml")
    if fleet is None:
        return
    for kind in ("ranking", "site", "s3"):
        places = fleet.texts("publish_to", "*", kind)
        yield from _duplicates(fleet, places, "one copy is enough; remove one of the two")
    hosts = fleet.texts("sources", "*", "host")
    yield from _duplicates(fleet, hosts, "list all folders of a host under one entry")
    feeds = fleet.texts("price_feeds", "*", "source")
    yield from _duplicates(fleet, feeds, "a feed is asked once; remove one of the two")


def _a_place_has_one_host(documents: Documents) -> Iterator[Mistake]:
    """Which of two hosts a request of one place is counted for would be chance."""
    fleet = documents.get("fleet.yaml")
    if fleet is None:
        return
    hosts = {where[1]: host for where, host in fleet.texts("sources", "*", "host")}
    first: dict[tuple[str, ...], str] = {}
    for where, place in _places_of_hosts(fleet):
        host = hosts.get(where[1], "")
        earlier = first.setdefault(place, host)
        if _same(earlier) != _same(host):
            says = f"is a place of the host {excerpt(earlier)} too, besides {excerpt(host)}"
            yield _mistake(fleet, where, f"{says}; keep it under one of the two")


def _places_of_hosts(fleet: Document) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Yield folders with their links resolved, and addresses in S3 with their store."""
    for client in ("claude", "codex"):
        for where, folder in fleet.texts("sources", "*", client, "*"):
            # Who has no home folder, and what no path can hold, is told elsewhere.
            with suppress(RuntimeError, ValueError):
                written = fleet.file.parent / Path(folder).expanduser()
                yield where, (client, os.path.realpath(written))
    stores = {where[1]: store for where, store in fleet.texts("sources", "*", "endpoint_url")}
    for where, text in fleet.texts("sources", "*", "s3"):
        with suppress(ValueError):
            yield where, (str(Address.of(text)), stores.get(where[1], "").rstrip("/"))


_RULES: tuple[Callable[[Documents], Iterator[Mistake]], ...] = (
    _places_are_told_apart,
    _a_place_has_one_host,
    _agents_are_told_apart,
    _a_folder_has_one_owner,
    _matrix_rows_name_agents,
    _work_types_are_told_apart,
    _a_kind_of_work_has_one_row,
    _work_rules_are_told_apart,
    _providers_are_told_apart,
    _models_are_told_apart,
    _scenarios_rise,
    _lanes_name_what_is_there,
    _work_with_patients_never_leaves,
)


def _same(name: str) -> str:
    """Names that differ only in case or in how accents are encoded are one name to a reader."""
    return unicodedata.normalize("NFC", name).casefold().strip()


def _duplicates(document: Document, named: Iterable[_Named], remedy: str) -> Iterator[Mistake]:
    first: dict[str, KeyPath] = {}
    for where, name in named:
        earlier = first.setdefault(_same(name), where)
        if earlier != where:
            place = f"{dotted(earlier)}, line {document.line(earlier)}"
            says = f"is {excerpt(name)}, which stands at {place} already; {remedy}"
            yield _mistake(document, where, says)


def _choice(known: Iterable[str]) -> str:
    names = ", ".join(excerpt(name) for name in sorted(known))
    return f" (listed: {names})" if names else " (none is listed)"


def _mistake(document: Document, where: KeyPath, says: str) -> Mistake:
    return Mistake(document.file, document.line(where), where, says)
