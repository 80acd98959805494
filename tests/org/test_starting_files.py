"""What `fleet init` writes for a fleet that nobody has configured yet."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_pipeline.org import UNATTRIBUTED, AgentMap, Org, load
from fleet_pipeline.org.starting import starting_files

RILES_FLEET = Path(__file__).parents[2] / "orgs" / "riles-fleet"


def _started(cwds: list[str], name: str = "my-fleet") -> Org:
    with TemporaryDirectory() as folder:
        for file, text in starting_files(cwds, name).items():
            (Path(folder) / file).write_text(text, encoding="utf-8")
        return load(Path(folder))


def _guessed(cwds: list[str]) -> dict[str, tuple[str, ...]]:
    return {agent.name: agent.folders for agent in _started(cwds).agents}


def test_it_loads_without_any_transcript() -> None:
    org = _started([])
    assert (org.name, org.agents, org.routing_matrix) == ("my-fleet", (), ())


def test_each_project_folder_becomes_an_agent_without_a_target() -> None:
    org = _started(["/home/zoe/web-app", "/srv/api"])
    assert [(agent.name, agent.display_name, agent.folders) for agent in org.agents] == [
        ("web-app", "Web app", ("/home/zoe/web-app",)),
        ("api", "Api", ("/srv/api",)),
    ]
    assert {agent.target_share for agent in org.agents} == {0}


def test_the_same_folders_in_any_order_give_the_same_text() -> None:
    cwds = ["/home/zoe/b", "/home/zoe/a/src", "/home/zoe/a"]
    assert starting_files(cwds, "x") == starting_files([*reversed(cwds), *cwds], "x")


def test_subfolders_and_worktrees_belong_to_their_project() -> None:
    assert _guessed(
        [
            "/home/zoe/app",
            "/home/zoe/app/src",
            "/home/zoe/app/.worktrees/fix/src",
            "/home/zoe/app/.claude/worktrees/fix",
            "/home/zoe/app-worktrees/fix",
            "/home/zoe/app.worktrees/fix",
            "/home/zoe/app-wt-2",
        ]
    ) == {"app": ("/home/zoe/app",)}


def test_agents_of_an_org_layout_are_found_below_a_repository_that_was_also_worked_in() -> None:
    layout = "/srv/fleet/orgs/acme/agents"
    assert _guessed(["/srv/fleet", f"{layout}/sage/x", f"{layout}/forge"]) == {
        "fleet": ("/srv/fleet",),
        "forge": (f"{layout}/forge",),
        "sage": (f"{layout}/sage",),
    }


@pytest.mark.parametrize(
    "cwd", ["/", "/home/zoe", "/Users/zoe/Documents", "/tmp/x", "C:\\Users\\zoe", "relative", ""]
)
def test_a_folder_that_is_no_project_becomes_no_agent(cwd: str) -> None:
    assert _guessed([cwd]) == {}


def test_projects_of_one_name_are_told_apart() -> None:
    assert list(_guessed(["/srv/a/api", "/srv/b/api", "/srv/b/API", "/srv/unattributed"])) == [
        "api",
        "b-API",
        "srv-unattributed",
    ]


def test_a_guessed_agent_gets_the_work_that_it_was_guessed_from() -> None:
    cwds = ["/home/zoe/clinic notes [draft]", r"C:\work\app\src", r"\\nas\share\docs", "/x/no"]
    agents = AgentMap(_started(cwds))
    assert [agents.agent_of(cwd) for cwd in cwds] == ["clinic notes [draft]", "src", "docs", "no"]
    assert agents.agent_of(r"C:\work\app\src\deep") == "src"
    assert agents.agent_of(r"C:\work\app") == UNATTRIBUTED


def test_the_candidates_are_those_of_the_example_fleet() -> None:
    assert _started([]).models == load(RILES_FLEET).models


@settings(max_examples=25, deadline=None)
@given(
    cwds=st.lists(
        st.one_of(
            st.text(st.characters(codec=None), max_size=20),
            st.text(st.characters(codec=None), max_size=20).map(lambda name: f"/srv/{name}"),
            st.text(st.sampled_from("/\\.-wtaA:*[~ #'\"\n"), max_size=12).map("C:/x{}".format),
        ),
        max_size=6,
    )
)
@example(["/home/zoe/a\0b", "file:///home/zoe/a%00b", "/home/zoe/\ud800"])
def test_whatever_the_folders_are_called_the_files_load(cwds: list[str]) -> None:
    assert {agent.target_share for agent in _started(cwds).agents} <= {0}
