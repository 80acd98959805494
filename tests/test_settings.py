"""Where things are: what a command names, else the environment, else the defaults."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import DEMO_HOST
from fleet_pipeline.s3 import Address
from fleet_pipeline.settings import settings
from fleet_pipeline.transcripts.discover import Places, find

RILES_FLEET = Path(__file__).parents[1] / "orgs" / "riles-fleet"


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty working directory of a user whose home folder is empty; return that."""
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME", "FLEET_HOME", "FLEET_ORG"):
        monkeypatch.delenv(name, raising=False)
    user, work = tmp_path / "user", tmp_path / "work"
    user.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.chdir(work)
    return user


@pytest.fixture
def organisation() -> Callable[..., Path]:
    """Put an organisation with the given ``sources`` into a folder."""

    def put(folder: str = "orgs/riles-fleet", sources: str = "[]") -> Path:
        shutil.copytree(RILES_FLEET, folder, ignore=shutil.ignore_patterns("shared"))
        file = Path(folder) / "fleet.yaml"
        file.write_text(file.read_text().replace("sources: []", f"sources: {sources}"))
        return Path(folder).absolute()

    return put


def transcript(folder: Path) -> Path:
    path = folder / "projects" / "project" / "session.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("")
    return path


def test_by_default_the_home_is_in_the_working_directory() -> None:
    assert settings().home.root == Path(".fleet").absolute()


def test_a_home_whose_path_is_no_text_is_refused_by_its_name() -> None:
    with pytest.raises(ConfigurationError, match=r"home-\udcff: .*UTF-8.*--home"):
        settings("home-\udcff")


def test_what_is_named_beats_the_environment_and_that_beats_the_default(
    monkeypatch: pytest.MonkeyPatch, organisation: Callable[..., Path]
) -> None:
    for name in ("one", "two"):
        organisation(name)
    monkeypatch.setenv("FLEET_HOME", "home-one")
    monkeypatch.setenv("FLEET_ORG", "one")
    assert settings().home.root == Path("home-one").absolute()
    assert settings().org_folder == Path("one").absolute()
    named = settings(home="home-two", org_folder="two")
    assert named.home.root == Path("home-two").absolute()
    assert named.org_folder == Path("two").absolute()


def test_an_empty_variable_is_one_that_was_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_HOME", "")
    assert settings().home.root == Path(".fleet").absolute()


def test_a_tilde_is_the_users_home_folder_wherever_it_comes_from(
    user: Path, monkeypatch: pytest.MonkeyPatch, organisation: Callable[..., Path]
) -> None:
    organisation(str(user / "org"))
    (user / ".claude").mkdir()
    monkeypatch.setenv("FLEET_HOME", "~/fleet")
    made = settings(org_folder="~/org", claude=["~/.claude"])
    assert made.home.root == user / "fleet"
    assert made.org_folder == user / "org"
    assert made.claude == (user / ".claude",)


def test_a_home_folder_of_nobody_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="~nobody-of-that-name/x"):
        settings(home="~nobody-of-that-name/x")


def test_the_only_organisation_is_the_usual_one(organisation: Callable[..., Path]) -> None:
    Path("orgs/notes").mkdir(parents=True)
    mine = organisation("orgs/mine")
    assert settings().org_folder == mine
    example = organisation("orgs/riles-fleet")
    assert settings().org_folder == example


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_named_organisation_that_does_not_exist_is_told_with_the_way_to_make_one(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "environment":
        monkeypatch.setenv("FLEET_ORG", "orgs/mine")
    with pytest.raises(ConfigurationError, match="`fleet init --org orgs/mine` makes one"):
        settings(org_folder="orgs/mine" if how == "option" else None)


def test_named_folders_exclude_all_others(user: Path, organisation: Callable[..., Path]) -> None:
    transcript(user / ".claude")
    organisation(sources="[{host: box, claude: [~/.claude]}]")
    Path("named").mkdir()
    named = Path("named").absolute()
    assert settings(claude=["named"]).sources() == [Places((named,), ())]
    assert settings(codex=["named"]).sources() == [Places((), (named,))]


@pytest.mark.parametrize("missing", ["gone", "file"])
def test_a_named_folder_must_exist(missing: str) -> None:
    Path("file").write_text("")
    with pytest.raises(ConfigurationError, match=f"{missing}: there is no such folder"):
        settings(claude=[missing])
    with pytest.raises(ConfigurationError, match=f"{missing}: there is no such folder"):
        settings(codex=[missing])


def test_listed_folders_start_at_the_organisation_and_keep_their_host(
    user: Path, organisation: Callable[..., Path]
) -> None:
    folder = organisation(
        sources="[{host: box, claude: [mounted, ~/.claude]}, {host: desk, codex: [/srv/codex]}]"
    )
    assert settings().named_places() == [
        Places((folder / "mounted", user / ".claude"), (), "box", expected=True),
        Places((), (Path("/srv/codex"),), "desk", expected=True),
    ]


def test_a_listed_folder_may_be_gone_for_a_while_and_is_then_told(
    organisation: Callable[..., Path],
) -> None:
    folder = organisation(sources="[{host: box, claude: [mounted]}]")
    [places] = settings().sources()
    found = find(places)
    assert found.failures == [f"{folder}/mounted: there is no such folder"]
    assert found.failed


def test_a_listed_folder_of_nobody_is_a_mistake(organisation: Callable[..., Path]) -> None:
    organisation(sources="[{host: box, claude: [~nobody-here/.claude]}]")
    with pytest.raises(ConfigurationError, match="nobody of that name"):
        settings().sources()


def test_a_host_may_lie_in_s3(organisation: Callable[..., Path]) -> None:
    organisation(sources="[{host: box, s3: s3://fleet/logs/box/, region: eu-central-1}]")
    assert settings().sources() == [
        Places(host="box", s3=Address("fleet", "logs/box/", region="eu-central-1"), expected=True)
    ]


def test_without_any_name_this_machines_own_folders_are_read(user: Path) -> None:
    own = Places((user / ".claude", user / ".config" / "claude"), (user / ".codex",))
    assert settings().sources() == [own]


def test_the_demo_fleet_is_read_as_long_as_there_is_nothing_else(user: Path) -> None:
    demo = settings().home.demo
    demo.mkdir(parents=True)
    assert settings().sources() == [Places((demo / ".claude",), (demo / ".codex",), DEMO_HOST)]
    transcript(user / ".claude")
    assert [places.host for places in settings().sources()] == ["local"]


def test_a_user_without_a_home_folder_is_told_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(ConfigurationError, match="set HOME"):
        settings().sources()
