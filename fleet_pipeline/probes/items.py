"""The shipped probes: one file for each kind of packets under ``data``, read into typed items.

Belongs here: what an item says. What its checks mean is in ``grading``. A changed item gets another
version: answers to different questions are not the same evidence.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field

from fleet_pipeline.org.strict import Strict, Text
from fleet_pipeline.packets import Packet
from fleet_pipeline.probes.work_types import WORK_TYPES, WorkType


class Equal(Strict):
    """A field has exactly this value."""

    kind: Literal["equal"]
    field: Text
    value: Any


class OneOf(Strict):
    """A field has one of these values."""

    kind: Literal["one_of"]
    field: Text
    values: list[Any]


class Fields(Strict):
    """Several fields have exactly these values."""

    kind: Literal["fields"]
    values: dict[str, Any]


class Members(Strict):
    """A list holds exactly these values, in any order, but for those that it ``may_lack``."""

    kind: Literal["set"]
    field: Text
    value: list[Any]
    may_lack: list[Any] = Field(default=[])


class Order(Strict):
    """A list holds ``all`` once each, and the first of each pair before its second."""

    kind: Literal["order"]
    field: Text
    all: list[str]
    before: list[tuple[str, str]]


class Words(Strict):
    """A text is not blank and has at most so many words."""

    kind: Literal["words"]
    field: Text
    at_most: int


class Facts(Strict):
    """A text keeps every fact and lacks every flaw, both as regular expressions without case."""

    kind: Literal["facts"]
    field: Text
    keep: list[str]
    lack: list[str]
    order: list[str] = Field(default=[])
    words_at_most: int


class Lint(Strict):
    """A Python module that compiles, imports nothing unused, prints nothing, hides no error."""

    kind: Literal["lint"]
    field: Text


class Python(Strict):
    """A Python module on which these tests pass, in the sandbox."""

    kind: Literal["python"]
    field: Text
    tests: Text


class Catches(Strict):
    """Tests that pass on the right implementation and fail on each wrong one, in the sandbox."""

    kind: Literal["catches"]
    field: Text
    right: Text
    wrong: list[Text]


Check = Annotated[
    Equal | OneOf | Fields | Members | Order | Words | Facts | Lint | Python | Catches,
    Field(discriminator="kind"),
]


class _Item(Strict):
    id: Text
    version: int = 1
    anchor: bool = False
    inputs: dict[str, str]
    answer_schema: dict[str, Any] | None = None
    checks: list[Check] = Field(min_length=1)


class _File(Strict):
    work_type: WorkType
    max_output_tokens: int
    instructions: Text
    answer_schema: dict[str, Any]
    items: list[_Item] = Field(min_length=1)


def _pairs_as_tuples(value: object) -> object:
    """Return what YAML read with the pairs of an order as pairs."""
    if isinstance(value, dict):
        return {
            key: [tuple(pair) for pair in item] if key == "before" else _pairs_as_tuples(item)
            for key, item in value.items()
        }
    return [_pairs_as_tuples(item) for item in value] if isinstance(value, list) else value


class ProbeItem(Strict):
    """One packet of the set, with what a good answer has to pass."""

    id: Text
    version: int
    work_type: WorkType
    is_anchor: bool
    instructions: Text
    inputs: dict[str, str]
    answer_schema: Annotated[dict[str, Any], BeforeValidator(dict)]
    max_output_tokens: int
    checks: tuple[Check, ...]

    def packet(self, agent: str) -> Packet:
        """Return the item as a public packet in the name of ``agent``."""
        return Packet(
            id=f"probe-{self.id}-v{self.version}",
            privacy="public",
            agent=agent,
            work_type=self.work_type,
            instructions=self.instructions,
            inputs=self.inputs,
            answer_schema=self.answer_schema,
            max_output_tokens=self.max_output_tokens,
        )


@cache
def items() -> tuple[ProbeItem, ...]:
    """Return all items, by kind of packets in fixed order."""
    return tuple(item for work_type in WORK_TYPES for item in _read(work_type))


def _read(work_type: WorkType) -> list[ProbeItem]:
    name = f"{work_type}.yaml"
    text = files("fleet_pipeline.probes").joinpath("data", name).read_text("utf-8")
    file = _File.model_validate(_pairs_as_tuples(yaml.safe_load(text)))
    return [
        ProbeItem(
            id=item.id,
            version=item.version,
            work_type=file.work_type,
            is_anchor=item.anchor,
            instructions=file.instructions,
            inputs=item.inputs,
            answer_schema=item.answer_schema or file.answer_schema,
            max_output_tokens=file.max_output_tokens,
            checks=tuple(item.checks),
        )
        for item in file.items
    ]
