"""Which agent a working directory belongs to."""

import json
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_pipeline.org import UNATTRIBUTED, AgentMap, Org, load

RILES_FLEET = Path(__file__).parents[2] / "orgs" / "riles-fleet"
RECORDED_CLIENTS = Path(__file__).parents[3] / "shared" / "corpora" / "recorded-clients"
AGENTS = "/srv/fleet/orgs/riles-fleet/agents"

ORG = load(RILES_FLEET)
AGENT_NAMES = [agent.name for agent in ORG.agents]
AGENT_MAP = AgentMap(ORG)

OrgWith = Callable[[str], Org]


def _agent(name: str, *folders: str) -> str:
    return (
        f"  - name: {name}\n    display_name: {name}\n    target_share: 0\n"
        f"    privacy: internal\n    folders: {json.dumps(folders)}\n"
    )


@pytest.mark.parametrize(
    ("cwd", "agent"),
    [
        # The fleet's own layout: everything below the agent's folder is the agent's.
        (f"{AGENTS}/sage", "sage"),
        (f"{AGENTS}/sage/", "sage"),
        (f"{AGENTS}/sage/prework_x", "sage"),
        (f"{AGENTS}/scribe/Zoë & 日本語", "scribe"),
        (f"{AGENTS}/hippocrates/clinic notes (draft)", "hippocrates"),
        (f"{AGENTS}/librarian/kb", "librarian"),
        (f"{AGENTS}/forge/app.v2.1/.hidden_dir", "forge"),
        (f"{AGENTS}/sage/forge", "sage"),
        # A similar name is another name, and nobody's folder stays nobody's all the way down.
        (f"{AGENTS}/sage-prework", UNATTRIBUTED),
        (f"{AGENTS}/librarian-kb", UNATTRIBUTED),
        (f"{AGENTS}/librarian-kb/scribe", UNATTRIBUTED),
        (f"{AGENTS}", UNATTRIBUTED),
        ("/srv/fleet/orgs/riles-fleet/shared", UNATTRIBUTED),
        # Another organisation's agent is not ours, even under the same name.
        ("/srv/fleet/orgs/other-fleet/agents/sage", UNATTRIBUTED),
        (f"{AGENTS}/sage/fixtures/orgs/other-fleet/agents/forge", "sage"),
        # The fleet's repository checked out again, as a worktree inside an agent's folder.
        (f"{AGENTS}/sage/wt/orgs/riles-fleet/agents/forge", "forge"),
        # Worktrees, in the agent's place ...
        (f"{AGENTS}/forge/.worktrees/fix-1", "forge"),
        (f"{AGENTS}/forge/repo-worktrees/fix-123", "forge"),
        (f"{AGENTS}/forge-worktrees/fix-1/src", "forge"),
        (f"{AGENTS}/forge.worktrees/fix-1", "forge"),
        (f"{AGENTS}/worktrees/forge/fix-1", "forge"),
        (f"{AGENTS}/forge-wt-fix", "forge"),
        # ... and anywhere else.
        ("/data/forge/.worktrees/fix/src", "forge"),
        ("/data/forge/.claude/worktrees/fix/src", "forge"),
        ("/data/forge/.claude/worktrees/sage", "forge"),
        ("/data/forge-worktrees/fix/src", "forge"),
        ("/data/forge.worktrees/fix/src", "forge"),
        ("/data/worktrees/forge/fix/src", "forge"),
        ("/data/forge-wt-fix/src", "forge"),
        ("/data/forge-wt-", UNATTRIBUTED),
        ("/data/webapp/.worktrees/fix", UNATTRIBUTED),
        # Plain project folders: the folder itself, or what lies right under a home.
        ("/home/fleet/forge", "forge"),
        ("/home/fleet/forge/src/x", "forge"),
        ("/Users/zoe/forge/src", "forge"),
        ("/root/forge/src", "forge"),
        ("/data/forge", "forge"),
        ("/data/forge/src", UNATTRIBUTED),
        ("/home/forge/webapp", UNATTRIBUTED),
        ("/home/fleet/forge/sage", "sage"),
        # Other hosts.
        (r"C:\Users\zoe\forge\src", "forge"),
        (r"c:\fleet\orgs\riles-fleet\agents\sage\x", "sage"),
        (r"\\wsl$\Ubuntu\home\zoe\forge\src", "forge"),
        (r"\\?\C:\Users\zoe\forge\src", "forge"),
        (r"/home/fleet/x\forge", UNATTRIBUTED),
        (f"file://{AGENTS}/scribe/Zo%C3%AB%20&%20%E6%97%A5", "scribe"),
        ("file:///c%3A/Users/zoe/forge/src", "forge"),
        # Spelling of the path.
        ("/home/fleet/./x//../forge/src", "forge"),
        (f"{AGENTS}/Sage/notes", "sage"),
        ("/SRV/Orgs/Riles-Fleet/Agents/SAGE", "sage"),
        ("forge", "forge"),
        ("/", UNATTRIBUTED),
        ("", UNATTRIBUTED),
        (None, UNATTRIBUTED),
    ],
)
def test_a_folder_belongs_to(cwd: str | None, agent: str) -> None:
    assert AGENT_MAP.agent_of(cwd) == agent


def test_case_decides_only_where_nothing_fits_as_written(org_with: OrgWith) -> None:
    org = org_with(f"agents:\n{_agent('forge', 'Code')}{_agent('sage')}")
    assert AgentMap(org).agent_of("/srv/code/sage") == "sage"
    assert AgentMap(org).agent_of("/srv/Code/sage") == "forge"
    assert AgentMap(org).agent_of("/srv/code/x") == "forge"


def test_a_listed_name_claims_that_folder_wherever_it_is_with_its_worktrees(
    org_with: OrgWith,
) -> None:
    agents = AgentMap(org_with(f"agents:\n{_agent('librarian', 'librarian-kb')}"))
    for cwd in (
        f"{AGENTS}/librarian-kb/x",
        "/data/librarian-kb/x/y",
        "/data/librarian-kb-worktrees/fix/src",
        "/data/librarian-kb-wt-2/src",
    ):
        assert agents.agent_of(cwd) == "librarian"
    assert agents.agent_of("/data/librarian-kb2") == UNATTRIBUTED


def test_a_listed_folder_wins_over_the_built_in_rules(org_with: OrgWith) -> None:
    org = org_with(f"agents:\n{_agent('sage')}{_agent('forge', f'{AGENTS}/sage/tools')}")
    assert AgentMap(org).agent_of(f"{AGENTS}/sage/tools/lint") == "forge"
    assert AgentMap(org).agent_of(f"{AGENTS}/sage/toolset") == "sage"


def test_of_several_listed_folders_the_deepest_wins(org_with: OrgWith) -> None:
    org = org_with(
        f"agents:\n{_agent('forge', '/srv/**')}{_agent('sage', '/srv/*/docs')}"
        f"{_agent('felix', 'drafts')}"
    )
    assert AgentMap(org).agent_of("/srv/app/src") == "forge"
    assert AgentMap(org).agent_of("/srv/app/docs/x") == "sage"
    assert AgentMap(org).agent_of("/srv/app/docs/drafts/x") == "felix"


@pytest.mark.parametrize(
    ("pattern", "cwd", "fits"),
    [
        ("/srv/*/billing", "/srv/a/billing/src", True),
        ("/srv/*/billing", "/srv/a/b/billing", False),
        ("/srv/**/billing", "/srv/a/b/billing/src", True),
        ("/srv/**/billing", "/srv/billing", True),
        ("code/billing", "/any/where/code/billing/x", True),
        ("bill-*", "/any/where/bill-7/x", True),
        ("bill-?", "/any/where/bill-77", False),
        ("bill-[0-9]", "/any/where/bill-7", True),
        ("~/work/billing", "/home/zoe/work/billing/x", True),
        ("~/work/billing", r"D:\Users\zoe\work\billing", True),
        ("~/work/billing", "/srv/work/billing", False),
        (r"C:\work\bill*", r"c:\work\billing\x", True),
        (r"work\billing", r"D:\work\billing\x", True),
        (r"\\host\share\billing", r"\\host\share\billing\x", True),
        ("/srv/Zoe\u0308", "/srv/Zo\u00eb/x", True),
    ],
)
def test_a_listed_pattern_means(org_with: OrgWith, pattern: str, cwd: str, fits: bool) -> None:
    agents = AgentMap(org_with(f"agents:\n{_agent('felix', pattern)}"))
    assert agents.agent_of(cwd) == ("felix" if fits else UNATTRIBUTED)


def test_more_organisations_and_project_roots_can_be_named(org_with: OrgWith) -> None:
    rows = _agent("sage")
    named = AgentMap(org_with(f"mapping: {{org_folders: [acme]}}\nagents:\n{rows}"))
    assert named.agent_of("/x/orgs/acme/agents/sage/y") == "sage"
    assert named.agent_of("/x/orgs/other/agents/sage/y") == UNATTRIBUTED
    any_org = AgentMap(org_with(f'mapping: {{org_folders: ["*"]}}\nagents:\n{rows}'))
    assert any_org.agent_of("/x/orgs/other/agents/sage/y") == "sage"
    rooted = AgentMap(org_with(f"mapping: {{project_roots: [/data/*]}}\nagents:\n{rows}"))
    assert rooted.agent_of("/data/team/sage/src") == "sage"
    assert rooted.agent_of("/home/zoe/sage/src") == UNATTRIBUTED


def test_the_recorded_clients_work_is_attributed_by_the_agents_folder() -> None:
    if not RECORDED_CLIENTS.is_dir():
        pytest.skip("the recorded clients are not beside this checkout")
    cwds = {
        run["cwd"]
        for truth in RECORDED_CLIENTS.glob("*/truth.json")
        for run in json.loads(truth.read_text(encoding="utf-8"))["runs"]
        if run.get("cwd")
    }
    expected = {cwd: cwd.removeprefix(f"{AGENTS}/").split("/")[0] for cwd in cwds}
    expected[f"{AGENTS}/sage-prework"] = UNATTRIBUTED
    assert {cwd: AGENT_MAP.agent_of(cwd) for cwd in cwds} == expected


any_text = st.text(st.characters(codec=None), max_size=60)
path_like = st.lists(
    st.sampled_from(
        (
            *AGENT_NAMES,
            *("orgs", "riles-fleet", "agents", "home", "..", ".", "", "C:", "file:", "%2F", "\\"),
            *("worktrees", ".worktrees", ".claude", "forge-worktrees", "sage-wt-1", "~"),
        )
    ),
    max_size=9,
).map("/".join)


@given(cwd=st.one_of(any_text, path_like, path_like.map(lambda path: path.replace("/", "\\"))))
def test_every_text_maps_to_a_known_agent_or_to_nobody(cwd: str) -> None:
    assert AGENT_MAP.agent_of(cwd) in {*AGENT_NAMES, UNATTRIBUTED}


@given(
    agent=st.sampled_from(AGENT_NAMES),
    before=st.sampled_from([f"{AGENTS}/", "/home/fleet/", "/data/", "C:\\Users\\zoe\\", ""]),
    letters=st.text(string.ascii_letters + string.digits + "_- ", min_size=1, max_size=8),
    is_prefix=st.booleans(),
)
def test_a_name_that_merely_resembles_an_agents_is_nobodys(
    agent: str, before: str, letters: str, is_prefix: bool
) -> None:
    name = agent + letters if is_prefix else letters + agent
    is_worktree = any(name.casefold().startswith(f"{known}-wt-") for known in AGENT_NAMES)
    assert (AGENT_MAP.agent_of(before + name) == UNATTRIBUTED) or is_worktree


@given(folder=any_text, cwd=st.one_of(any_text, path_like))
def test_no_listed_folder_breaks_the_map(folder: str, cwd: str) -> None:
    first = ORG.agents[0].model_copy(update={"folders": (folder,)})
    org = ORG.model_copy(update={"agents": (first, *ORG.agents[1:])})
    assert AgentMap(org).agent_of(cwd) in {*AGENT_NAMES, UNATTRIBUTED}


@given(cwd=path_like)
def test_an_answer_does_not_depend_on_what_was_asked_before(cwd: str) -> None:
    assert AGENT_MAP.agent_of(cwd) == AgentMap(ORG).agent_of(cwd)
