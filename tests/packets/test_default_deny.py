"""No combination of what is declared and allowed lets a packet leave that is not public."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import Lane, load
from fleet_pipeline.org.lanes import PacketRules
from fleet_pipeline.packets import Guard, Rules, guard_of
from fleet_pipeline.packets.policy import Facts, refusals

from .conftest import RULES, lane, packet

CLASSES = ("public", "internal", "phi")
AGENTS = ("forge", "sage", "hippocrates", "stranger")
FOLDERS = ("/srv/open", "/srv/open/demo", "/srv/open-not", "/srv", "/", "/home/x", "/srv/open/../x")

facts = st.builds(
    Facts,
    privacy=st.sampled_from(CLASSES),
    agent=st.sampled_from(AGENTS),
    folders=st.lists(st.sampled_from(FOLDERS), max_size=3).map(tuple),
    owners=st.lists(st.sampled_from(AGENTS), max_size=2).map(tuple),
)
rules = st.builds(
    Rules,
    agents=st.dictionaries(st.sampled_from(AGENTS[:3]), st.sampled_from(CLASSES)),
    may_leave_agents=st.frozensets(st.sampled_from(AGENTS)),
    may_leave_folders=st.lists(st.sampled_from((*FOLDERS, "")), max_size=2).map(tuple),
)
URL = "https://example.org/v1"
FREE = lane(URL)
LANES = [FREE] + [
    lane(URL, free=False, privacy=classes)
    for classes in (("public",), ("public", "internal"), CLASSES, ())
]


def reference(told: Facts, allowed: Rules) -> bool:
    """Whether a packet may go to a free lane, said another way: by counting what must be true."""
    everybody = {told.agent, *told.owners}
    return (
        told.privacy == "public"
        and everybody <= allowed.may_leave_agents & set(allowed.agents)
        and all(allowed.agents[name] != "phi" for name in everybody)
        and all(
            any(
                root and (folder == root or folder.startswith(root.rstrip("/") + "/"))
                for root in allowed.may_leave_folders
            )
            for folder in told.folders
        )
    )


@given(told=facts, allowed=rules)
def test_only_what_everybody_allows_goes_to_a_free_lane(told: Facts, allowed: Rules) -> None:
    assert (refusals(told, FREE, allowed) == ()) == reference(told, allowed)


@given(told=facts, allowed=rules, where=st.sampled_from(LANES))
def test_no_lane_gets_a_class_that_it_does_not_take(
    told: Facts, allowed: Rules, where: Lane
) -> None:
    if refusals(told, where, allowed) == ():
        assert told.privacy in where.privacy
        if where.free:
            assert told.privacy == "public"
        if "phi" not in where.privacy:
            assert told.agent in allowed.agents
            assert "phi" not in {allowed.agents.get(name) for name in (told.agent, *told.owners)}


@given(told=facts, where=st.sampled_from(LANES[:1]))
def test_with_nothing_listed_nothing_leaves(told: Facts, where: Lane) -> None:
    nothing = Rules(agents={"forge": "public"}, may_leave_agents=frozenset(), may_leave_folders=())
    assert refusals(told, where, nothing)


def test_every_single_combination_of_the_small_world_is_decided_as_the_rule_says() -> None:
    combinations = 0
    for privacy, agent, folder, owner, listed in product(
        CLASSES, AGENTS, ((), *((f,) for f in FOLDERS)), ((), *((a,) for a in AGENTS)), (0, 1)
    ):
        told = Facts(privacy, agent, folder, owner)
        allowed = Rules(
            RULES.agents, frozenset({"forge"}) if listed else frozenset(), RULES.may_leave_folders
        )
        assert (refusals(told, FREE, allowed) == ()) == reference(told, allowed)
        combinations += 1
    assert combinations == 3 * 4 * 8 * 5 * 2


def test_a_folder_that_leads_nowhere_is_told_and_allows_nothing(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    org = load(Path(__file__).parents[2] / "orgs" / "riles-fleet")
    changed = org.model_copy(update={"may_leave": PacketRules(folders=(str(loop),))})
    with pytest.raises(ConfigurationError, match=r"may_leave.folders: .* loop of links"):
        guard_of(changed, {})


def test_a_packet_says_internal_unless_it_says_otherwise() -> None:
    fields = packet().model_dump(exclude={"privacy"})
    assert type(packet()).model_validate(fields).privacy == "internal"


def test_a_misspelt_agent_goes_to_no_lane_that_takes_no_patient_data() -> None:
    guard = Guard(RULES, lambda folder: None, frozenset())
    misspelt = packet(agent="Hippocrates", privacy="internal")
    paid = lane(URL, free=False, privacy=("public", "internal"))
    assert guard.refusals(misspelt, paid) == (
        "Hippocrates is not listed in agents.yaml, and may touch patient data",
    )
    assert guard.refusals(packet(privacy="internal"), paid) == ()
    assert guard.refusals(misspelt, lane(URL, free=False, privacy=CLASSES)) == ()


def test_the_owner_of_a_folder_counts_whatever_the_packet_says() -> None:
    guard = Guard(RULES, lambda folder: "hippocrates", frozenset())
    reasons = guard.refusals(packet(folders=("/srv/open/ward",)), FREE)
    assert "hippocrates may touch patient data" in reasons


def test_a_tripwire_forbids_what_the_policy_permits_and_names_no_secret() -> None:
    guard = Guard(RULES, lambda folder: None, frozenset({"value-of-a-variable"}))
    assert "value-of-a-variable" not in repr(guard)
    assert guard.refusals(packet(), FREE) == ()
    for planted in ("gsk_" + "a1" * 26, "value-of-a-variable", "MRN 00482913"):
        for where in ({"inputs": {"log": f"see {planted} there"}}, {"instructions": planted}):
            [reason, *_] = guard.refusals(packet(**where), FREE)
            assert "it holds what looks like" in reason
            assert planted not in reason


def test_a_secret_is_kept_from_paid_lanes_too_and_patient_data_only_where_it_must() -> None:
    trusted = lane(URL, free=False, privacy=("public", "phi"))
    guard = Guard(RULES, lambda folder: None, frozenset())
    record = packet(privacy="phi", agent="hippocrates", inputs={"note": "MRN 00482913"})
    assert guard.refusals(record, trusted) == ()
    assert guard.refusals(packet(inputs={"note": "MRN 00482913"}), trusted)
    assert guard.refusals(packet(inputs={"key": "gsk_" + "a1" * 26}), trusted)
