"""The files of a fleet that nobody has configured yet, with agents guessed from observed folders.

Only texts are made here; looking for transcripts and writing files is the command line's part.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

import yaml

from fleet_pipeline.org.agent_map import seats
from fleet_pipeline.org.folders import (
    FolderPattern,
    Names,
    as_written,
    escaped,
    is_absolute,
    joined,
    split,
)
from fleet_pipeline.org.loading import FILES
from fleet_pipeline.org.schema import UNATTRIBUTED

# Folders right under a home that hold projects and are none themselves.
_CONTAINERS = frozenset(
    {"code", "dev", "desktop", "documents", "downloads", "git", "github"}
    | {"projects", "repos", "src", "work", "workspace"}
)
_TEMPORARY = (("/", "tmp"), ("/", "private"), ("/", "var", "folders"), ("/", "var", "tmp"))
_WORKTREE = re.compile(r"(?P<project>.+?)(?:-worktrees|\.worktrees|-wt-.+)")
_HOME = FolderPattern.of("~", as_written)


def starting_files(claude_cwds: Sequence[str], name: str) -> dict[str, str]:
    """Return the text of every file of a minimal organisation, by file name; they load as they are.

    One agent for each project folder among the working directories, worktrees and subfolders folded
    into their project, ordered by path. ``name`` becomes the organisation's name and must be fit
    for the name of a folder.
    """
    templates = files("fleet_pipeline.org") / "templates"
    texts = {file: (templates / file).read_text(encoding="utf-8") for file in FILES}
    texts["fleet.yaml"] = texts["fleet.yaml"].replace("__NAME__", _quoted(name))
    texts["agents.yaml"] += _agents(_projects(claude_cwds))
    return texts


def _agents(projects: Sequence[Names]) -> str:
    if not projects:
        return "# No project folder was found yet.\nagents: []\n"
    taken = {UNATTRIBUTED}
    rows = "".join(_agent(_free_name(project, taken), project) for project in projects)
    return f"agents:\n{rows}"


def _agent(name: str, project: Names) -> str:
    display_name = re.sub(r"[-_]+", " ", name).strip() or name
    return (
        f"  - name: {_quoted(name)}\n"
        f"    display_name: {_quoted(display_name[:1].upper() + display_name[1:])}\n"
        "    target_share: 0\n"
        "    privacy: internal\n"
        f"    folders: [{_quoted(escaped(joined(project)))}]\n"
    )


def _free_name(project: Names, taken: set[str]) -> str:
    """Return a name that no other agent has: the folder's, if need be after its parent's."""
    name = project[-1].strip()
    candidates = [name, f"{project[-2].strip()}-{name}"] if len(project) > 2 else [name]
    candidates += [f"{name}-{number}" for number in range(2, len(taken) + 3)]
    free = next(candidate for candidate in candidates if candidate.casefold() not in taken)
    taken.add(free.casefold())
    return free


def _projects(cwds: Iterable[str]) -> list[Names]:
    """Return the outermost project folders by path; case alone makes no second one."""
    found: dict[Names, Names] = {}
    for names in sorted(filter(_can_be_a_path, {split(cwd) for cwd in cwds})):
        for project in _project(names):
            found.setdefault(_folded(project), project)
    return [
        project
        for key, project in found.items()
        if seats(project) or not any(key[:depth] in found for depth in range(1, len(key)))
    ]


def _project(names: Names) -> Iterator[Names]:
    """Yield the project folder that a working directory lies in, if it lies in one."""
    own = seats(names)[:1]
    project = _without_worktree(names[: own[0] + 1] if own else names)
    if (
        is_absolute(names)
        and len(project) > 1
        and project[-1].strip()
        and not _holds_projects(project)
    ):
        yield project


def _without_worktree(names: Names) -> Names:
    for at, name in enumerate(names):
        if name == ".worktrees" or (name == "worktrees" and names[at - 1 : at] == (".claude",)):
            above = names[:at]
            return above[:-1] if above[-1:] == (".claude",) else above
        if name == "worktrees":
            return names[: at + 2]
        worktree = _WORKTREE.fullmatch(name)
        if worktree:
            return (*names[:at], worktree["project"])
    return names


def _holds_projects(names: Names) -> bool:
    homes = _HOME.depths(names)
    in_home = len(names) - 1 in homes and names[-1].casefold() in _CONTAINERS
    temporary = any(names[: len(folder)] == folder for folder in _TEMPORARY)
    return in_home or temporary or len(names) in homes or names[-1] == "worktrees"


def _folded(names: Names) -> Names:
    return tuple(unicodedata.normalize("NFC", name).casefold().strip() for name in names)


def _can_be_a_path(names: Names) -> bool:
    return not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in "".join(names))


def _quoted(text: str) -> str:
    """Return text as YAML on one line, in quotes only where it needs them."""
    if re.fullmatch(r"[A-Za-z/][A-Za-z0-9_./-]*", text) and yaml.safe_load(text) == text:
        return text
    dumped: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf"))
    return dumped.strip()
