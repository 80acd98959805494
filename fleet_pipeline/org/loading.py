"""Reading an organisation's folder: six files in, one ``Org`` or all of their mistakes out."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org.document import Document, read
from fleet_pipeline.org.lanes import LanesFile
from fleet_pipeline.org.mistakes import Mistake, nearest, shape_mistake
from fleet_pipeline.org.rules import broken_rules
from fleet_pipeline.org.schema import (
    AgentsFile,
    FleetFile,
    FreeApisFile,
    ModelsFile,
    OffloadFile,
    Org,
    RoutingFile,
    Scenario,
)

_SHAPES: Final[dict[str, type[BaseModel]]] = {
    "fleet.yaml": FleetFile,
    "agents.yaml": AgentsFile,
    "routing.yaml": RoutingFile,
    "free_apis.yaml": FreeApisFile,
    "models.yaml": ModelsFile,
    "offload.yaml": OffloadFile,
    "lanes.yaml": LanesFile,
}
FILES: Final = tuple(_SHAPES)
"""The names of the files that make an organisation, in reading order."""

_MAY_BE_MISSING: Final = {"lanes.yaml"}
"""Without lanes nothing is ever sent; all other files must be there."""


def load(folder: Path) -> Org:
    """Return the organisation that the YAML files of a folder describe.

    Raises ConfigurationError with one line for each mistake in any of the files: file, line, key,
    what is wrong, what to write.
    """
    return _load(folder, tuple(_content(folder / name) for name in FILES))


def fleet_file(folder: Path) -> FleetFile:
    """Return what ``fleet.yaml`` says, whatever mistakes the other files have.

    For whoever has to be told of them. Raises ConfigurationError for mistakes in this one.
    """
    file = folder / "fleet.yaml"
    document, mistakes = read(file, _content(file) or b"")
    if document is not None:
        mistakes += _misshapen(document, FleetFile)
    if mistakes or document is None:
        raise ConfigurationError("\n".join(_in_order(mistakes)))
    return FleetFile.model_validate(document.value)


def _content(file: Path) -> bytes | None:
    with suppress(OSError):
        return file.read_bytes()
    return None


@lru_cache(maxsize=2)
def _load(folder: Path, contents: tuple[bytes | None, ...]) -> Org:
    """Read the files; the steps of a run ask for the same ones over and over."""
    documents, mistakes = _read_all(folder)
    for name, document in documents.items():
        mistakes += _misshapen(document, _SHAPES[name])
    mistakes += broken_rules(documents)
    if mistakes:
        raise ConfigurationError("\n".join(_in_order(mistakes)))
    fleet = FleetFile.model_validate(documents["fleet.yaml"].value)
    agents = AgentsFile.model_validate(documents["agents.yaml"].value)
    routing = RoutingFile.model_validate(documents["routing.yaml"].value)
    free_apis = FreeApisFile.model_validate(documents["free_apis.yaml"].value)
    models = ModelsFile.model_validate(documents["models.yaml"].value)
    offload = OffloadFile.model_validate(documents["offload.yaml"].value)
    lanes = LanesFile()
    if "lanes.yaml" in documents:
        lanes = LanesFile.model_validate(documents["lanes.yaml"].value)
    return Org(
        folder=folder,
        name=fleet.name,
        title=fleet.title,
        owner=fleet.owner,
        sources=fleet.sources,
        publish_to=fleet.publish_to,
        price_feeds=fleet.price_feeds,
        alerts=fleet.alerts,
        site_url=fleet.site_url,
        mapping=agents.mapping,
        agents=agents.agents,
        backbone=routing.backbone,
        principles=routing.principles,
        routing_matrix=routing.routing_matrix,
        execution_routing=routing.execution_routing,
        free_apis=free_apis.free_apis,
        packet=free_apis.packet,
        operating_rule=free_apis.operating_rule,
        hard_rules=free_apis.hard_rules,
        models=models.models,
        reference_model=models.reference_model,
        scenarios=_scenarios(offload),
        replay=offload.replay,
        lanes=lanes.lanes,
        may_leave=lanes.may_leave,
    )


def with_offload(org: Org, file: Path) -> Org:
    """Return ``org`` as it would be with another ``offload.yaml``.

    Where that file has no ``replay``, the organisation's own stays. Raises ConfigurationError with
    one line for each mistake in the file.
    """
    try:
        document, mistakes = read(file, file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror})") from None
    if document is not None:
        mistakes += _misshapen(document, OffloadFile)
        mistakes += broken_rules({"offload.yaml": document})
    if mistakes or document is None:
        raise ConfigurationError("\n".join(_in_order(mistakes)))
    offload = OffloadFile.model_validate(document.value)
    return org.model_copy(
        update={"scenarios": _scenarios(offload), "replay": offload.replay or org.replay}
    )


def _scenarios(offload: OffloadFile) -> tuple[Scenario, ...]:
    shares = offload.scenarios
    return (
        Scenario(name="low", share=shares.low),
        Scenario(name="expected", share=shares.expected),
        Scenario(name="high", share=shares.high),
    )


def _read_all(folder: Path) -> tuple[dict[str, Document], list[Mistake]]:
    if not folder.is_dir():
        says = f"is no folder; `fleet init --org {folder}` can write a starting one"
        return {}, [Mistake(folder, None, (), says)]
    documents: dict[str, Document] = {}
    mistakes: list[Mistake] = []
    for name in FILES:
        file = folder / name
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            if name in _MAY_BE_MISSING:
                continue
            mistakes.append(Mistake(file, None, (), _missing(folder, name)))
            continue
        except OSError as error:
            says = f"cannot be read ({error.strerror}); make it a file that you may read"
            mistakes.append(Mistake(file, None, (), says))
            continue
        document, wrong = read(file, content)
        mistakes += wrong
        if document is not None:
            documents[name] = document
    return documents, mistakes


def _missing(folder: Path, name: str) -> str:
    strangers: set[str] = set()
    with suppress(OSError):
        strangers = {entry.name for entry in folder.iterdir()} - set(FILES)
    meant = nearest(name, strangers)
    rename = f"{meant} Then rename that, or else" if meant else ";"
    return f"is missing{rename} `fleet init --org {folder}` can write one"


def _misshapen(document: Document, shape: type[BaseModel]) -> list[Mistake]:
    try:
        shape.model_validate(document.value)
    except ValidationError as error:
        return [
            Mistake(
                document.file,
                document.line(details["loc"]),
                details["loc"],
                shape_mistake(details, shape),
            )
            for details in error.errors()
        ]
    return []


def _in_order(mistakes: list[Mistake]) -> list[str]:
    """File by file in the order in which they are read, then by line; each mistake once."""
    order = {name: place for place, name in enumerate(FILES)}
    mistakes = sorted(
        dict.fromkeys(mistakes),
        key=lambda mistake: (order.get(mistake.file.name, -1), mistake.line or 0),
    )
    return [str(mistake) for mistake in mistakes]
