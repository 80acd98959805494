"""Every grader accepts the good answer made for it by hand, and refuses the near misses."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet_pipeline.packets.prompt import text
from fleet_pipeline.probes.grading import grade
from fleet_pipeline.probes.items import ProbeItem, items
from fleet_pipeline.probes.linter import is_clean
from fleet_pipeline.probes.work_types import WORK_TYPES

ANSWERS = yaml.safe_load((Path(__file__).parent / "answers.yaml").read_text("utf-8"))
ITEMS = {item.id: item for item in items()}
MISSES = [(name, number) for name in ITEMS for number in range(len(ANSWERS[name]["misses"]))]


@pytest.mark.parametrize("name", ITEMS)
def test_a_good_answer_passes(name: str) -> None:
    assert grade(ITEMS[name], ANSWERS[name]["good"]) == ("pass", "")


@pytest.mark.parametrize(("name", "number"), MISSES)
def test_a_near_miss_fails(name: str, number: int) -> None:
    nearly: dict[str, Any] = {**ANSWERS[name]["good"], **ANSWERS[name]["misses"][number]}
    outcome, says = grade(ITEMS[name], nearly)
    assert outcome in ("fail", "schema_fail")
    assert says


def test_each_probe_has_a_good_answer_and_three_near_misses() -> None:
    assert ANSWERS.keys() == ITEMS.keys()
    assert min(len(known["misses"]) for known in ANSWERS.values()) >= 3


def test_there_are_forty_probes_or_more_over_eight_kinds_each_with_anchors() -> None:
    assert len(ITEMS) == len(items()) >= 40
    for kind in WORK_TYPES:
        of_kind = [item for item in items() if item.work_type == kind]
        assert len(of_kind) >= 5
        assert 0 < sum(item.is_anchor for item in of_kind) < len(of_kind)
    assert len(WORK_TYPES) == 8


@pytest.mark.parametrize("item", items(), ids=lambda item: item.id)
def test_a_good_answer_fits_well_into_the_cap(item: ProbeItem) -> None:
    assert len(json.dumps(ANSWERS[item.id]["good"])) / 3 <= item.max_output_tokens


@pytest.mark.parametrize("item", items(), ids=lambda item: item.id)
def test_a_probe_never_tells_its_answer(item: ProbeItem) -> None:
    assert json.dumps(ANSWERS[item.id]["good"]) not in text(item.packet("forge"))
    assert item.packet("forge").privacy == "public"


@pytest.mark.parametrize("answer", [None, [], "text", {}, {"unknown": 1}])
def test_an_answer_of_another_shape_is_a_failure_of_schema(answer: object) -> None:
    assert grade(ITEMS["label-mood"], answer)[0] == "schema_fail"


@pytest.mark.parametrize(
    "code",
    [
        "import os\n",
        "from os import path\n",
        "import os  # noqa\n",
        "# ruff: noqa\nimport os\n",
        "def f(a=[]):\n    a.append(1)\n    return a\n",
        "def f():\n    try:\n        return 1\n    except:\n        return 2\n",
        "def f():\n    return unknown\n",
        "print(1)\n",
        "x = 1\n" + "# " + "long " * 30,
        "def f(:\n",
    ],
)
def test_careless_code_is_not_clean(code: str) -> None:
    assert not is_clean(code)


def test_careful_code_is_clean() -> None:
    assert is_clean("import os\n\n\ndef f():\n    return os.sep\n")
