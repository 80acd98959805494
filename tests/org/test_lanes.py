"""The lanes of an organisation: no file means none, and each mistake is told with its remedy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import load
from fleet_pipeline.packets import lanes_called, lanes_of

LANES = """\
may_leave:
  agents: [forge]
  folders: [~/open]
lanes:
  - name: local
    base_url: https://api.example.org/v1/
    model: small-1
    candidate: z-ai/glm-5.2
    key_env: EXAMPLE_KEY
    free: true
"""


def test_without_the_file_there_are_no_lanes_and_nothing_may_leave(folder: Path) -> None:
    org = load(folder)
    assert (org.lanes, org.may_leave.agents) == ((), ())
    with pytest.raises(ConfigurationError, match="lists no lane; write one"):
        lanes_called(org, ())


def test_a_lane_takes_public_packets_alone_unless_it_says_so(folder: Path) -> None:
    (folder / "lanes.yaml").write_text(LANES)
    [lane] = load(folder).lanes
    assert (lane.privacy, lane.host, lane.base_url) == (
        ("public",),
        "api.example.org",
        "https://api.example.org/v1",
    )


def test_a_lane_draws_on_the_allowance_of_its_free_api(folder: Path) -> None:
    (folder / "free_apis.yaml").write_text(
        "free_apis:\n  - {provider: Example free, best_lane: a, use_when: b, avoid_when: c,\n"
        "     limits: {requests_per_day: 50, requests_per_minute: 20}, limits_hold_for: account,\n"
        "     resets_in: America/Los_Angeles}\n"
    )
    (folder / "lanes.yaml").write_text(
        LANES + "    free_api: Example free\n    limits: {requests_per_minute: 5}\n"
    )
    [lane] = lanes_of(load(folder))
    assert (lane.limits.requests_per_day, lane.limits.requests_per_minute) == (50, 5)
    assert (lane.allowance, lane.resets_in) == ("Example free", "America/Los_Angeles")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("agents: [forge]", "agents: [frge]", 'may_leave.agents[0]: is "frge", which agents.yaml'),
        ("candidate: z-ai/glm-5.2", "candidate: glm", "lanes[0].candidate: is"),
        ("free: true", "free: true\n    free_api: X", "lanes[0].free_api: is"),
        ("free: true", "free: true\n    privacy: [internal]", "is free and takes more than public"),
        ("model: small-1", "model: 'a:free'", ""),
        ("key_env: EXAMPLE_KEY", "key_env: sk-abc", "never write the key itself"),
        ("https://api.example.org/v1/", "http://api.example.org", "needs https"),
        ("https://api.example.org/v1/", "https://u:p@x.org", "leave out ?, #"),
        ("api.example.org", "x:99999", "lanes[0].base_url: has a host or a port that is none"),
        ("    free: true\n", "", "lanes[0].free: is missing"),
    ],
)
def test_each_mistake_of_a_lane_is_told(
    folder: Path, told: Callable[[], list[str]], old: str, new: str, says: str
) -> None:
    assert old in LANES
    text = LANES.replace(old, new, 1)
    if not says:
        text, says = text.replace("free: true", "free: false"), "names a free tier but has free"
    (folder / "lanes.yaml").write_text(text)
    assert any(line.startswith("lanes.yaml:") and says in line for line in told())


def test_an_agent_that_may_touch_patient_data_cannot_be_listed(
    folder: Path, spoil: Callable[[str, str, str], None], told: Callable[[], list[str]]
) -> None:
    (folder / "lanes.yaml").write_text(LANES)
    spoil("agents.yaml", "0.55\n    privacy: internal", "0.55\n    privacy: phi")
    assert told() == [
        'lanes.yaml:2: may_leave.agents[0]: is "forge", which may touch patient data (phi);'
        " remove it"
    ]


def test_a_lane_that_nobody_listed_is_no_lane(folder: Path) -> None:
    (folder / "lanes.yaml").write_text(LANES)
    with pytest.raises(ConfigurationError, match='there is no lane "locl"; did you mean "local"'):
        lanes_called(load(folder), ("locl",))
