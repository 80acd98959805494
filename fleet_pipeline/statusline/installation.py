"""The entry in Claude Code's ``settings.json`` that has it run ``fleet statusline``.

One entry is spliced into the text, or out of it: everything else in the file, order and blanks
included, stays byte for byte. Nothing is written before ``Change.apply``. Loaded by ``fleet init``
only, never for the line itself.
"""

import json
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import write_whole

KEY: Final = "statusLine"
SETTINGS: Final = "settings.json"
BACKUP: Final = "settings.json.before-fleet"
"""What the settings were before the entry was made; lies beside them, and goes with the entry."""

_BLANK: Final = " \t\r\n"
_PRIVATE: Final = 0o600


@dataclass(frozen=True)
class Change:
    """What is about to be done to ``path``: its bytes before and after, None for no file.

    ``removed`` and ``added`` are the entry's JSON values, None for no entry; ``kept`` is what the
    backup holds afterwards, None for no backup.
    """

    path: Path
    before: bytes | None
    after: bytes | None
    removed: str | None
    added: str | None
    kept: bytes | None

    def described(self) -> list[str]:
        """Return lines for a person: the file, and the one entry as it was and as it will be."""
        lines = [f"{self.path}:" if self.before is not None else f"{self.path}, a new file:"]
        lines += [f'  - "{KEY}": {self.removed}'] if self.removed is not None else []
        lines += [f'  + "{KEY}": {self.added}'] if self.added is not None else []
        return lines

    def apply(self) -> None:
        """Do it, in one step that cannot be seen half done.

        Raises ConfigurationError where the file has changed meanwhile, OSError where the disk
        refuses; the file is then as it was.
        """
        # Settings may be a link into a folder of dotfiles, which it stays.
        target, backup = self.path.resolve(), self.path.with_name(BACKUP)
        if _bytes_of(target) != self.before:
            raise ConfigurationError(f"{self.path} was changed just now; run the command again")
        mode = stat.S_IMODE(target.stat().st_mode) if self.before is not None else _PRIVATE
        if self.kept is not None:
            write_whole(backup, self.kept)
        if self.after is None:
            target.unlink()
        else:
            write_whole(target, self.after, mode=mode)
        if self.kept is None:
            backup.unlink(missing_ok=True)


def installation(folder: Path, command: str, *, replace: bool = False) -> Change | None:
    """Return what makes Claude Code, whose folder this is, run ``command``; None if it does so.

    Raises ConfigurationError for settings that are no JSON object and, unless ``replace``, for
    another status line that is configured.
    """
    path = folder / SETTINGS
    before = _bytes_of(path)
    settings = _Settings(path, before)
    entry = json.dumps({"type": "command", "command": command})
    there = settings.entry()
    if there is not None and _is_ours(there):
        return None
    if there is not None and not replace:
        raise ConfigurationError(
            f"{path} configures another status line: {there}; nothing was changed,"
            " --replace-statusline puts fleet's in its place"
        )
    return Change(path, before, settings.with_entry(entry), there, entry, kept=before)


def removal(folder: Path) -> Change | None:
    """Return what undoes ``installation``; None where the status line is not fleet's.

    What was replaced comes back; what else was changed since stays changed. Raises
    ConfigurationError for settings, or a backup of them, that are no JSON object.
    """
    path = folder / SETTINGS
    before = _bytes_of(path)
    settings = _Settings(path, before)
    there = settings.entry()
    if there is None or not _is_ours(there):
        return None
    kept = _bytes_of(folder / BACKUP)
    original = _Settings(folder / BACKUP, kept)
    replaced = original.entry()
    after: bytes | None
    if original.with_entry(there) == before:
        after = kept
    else:
        after = settings.with_entry(replaced) if replaced else settings.without_entry()
    return Change(path, before, after, there, replaced, kept=None)


def fleet_command(environment: Mapping[str, str]) -> str:
    """Return the command that runs this very ``fleet`` from any shell.

    Its full path, where the name alone would find none or another one: what a virtual environment
    puts on the path is gone outside of it.
    """
    own = Path(sys.executable).with_name("fleet")
    active = environment.get("VIRTUAL_ENV")
    places = environment.get("PATH", os.defpath).split(os.pathsep)
    lasting = [place for place in places if not active or Path(place) != Path(active, "bin")]
    found = shutil.which("fleet", path=os.pathsep.join(lasting))
    by_name = not own.exists() or (found is not None and Path(found).resolve() == own.resolve())
    return "fleet statusline" if by_name else f"{shlex.quote(str(own))} statusline"


@dataclass(frozen=True)
class _Member:
    """Where a member of the outermost object lies in the text."""

    key: str
    begin: int
    value: int
    end: int


class _Settings:
    """The text of a settings file and where its members lie in it; no file is an empty object."""

    def __init__(self, path: Path, data: bytes | None) -> None:
        try:
            self._text = "{}\n" if data is None else data.decode()
            told: object = json.loads(self._text)
        except (ValueError, RecursionError) as error:
            where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise ConfigurationError(
                f"{path} is no plain JSON{where} (comments are none), so that it cannot be edited"
                " safely; nothing was changed"
            ) from None
        if not isinstance(told, dict):
            raise ConfigurationError(f"{path} holds no JSON object; nothing was changed")
        self.members = self._members()

    def entry(self) -> str | None:
        """Return the value of the entry as it is written, the one that counts of several."""
        member = self._member()
        return self._text[member.value : member.end] if member else None

    def with_entry(self, value: str) -> bytes:
        """Return the file with ``value`` as its entry, at its old place or else at the end."""
        text = self._text
        if member := self._member():
            return (text[: member.value] + value + text[member.end :]).encode()
        entry = f'"{KEY}": {value}'
        if not self.members:
            brace = text.index("{") + 1
            return (text[:brace] + f"\n  {entry}\n" + text[text.rindex("}") :]).encode()
        last = self.members[-1]
        blank = text[len(text[: last.begin].rstrip(_BLANK)) : last.begin]
        return (text[: last.end] + f",{blank}{entry}" + text[last.end :]).encode()

    def without_entry(self) -> bytes:
        """Return the file without its entry, and without the comma and blanks that it came with."""
        member = self._member()
        if member is None:
            return self._text.encode()
        place, text = self.members.index(member), self._text
        if place:
            begin, end = self.members[place - 1].end, member.end
        elif len(self.members) > 1:
            begin, end = member.begin, self.members[1].begin
        else:
            begin, end = text.index("{") + 1, text.rindex("}")
        return (text[:begin] + text[end:]).encode()

    def _member(self) -> _Member | None:
        named = [member for member in self.members if member.key == KEY]
        return named[-1] if named else None

    def _members(self) -> list[_Member]:
        """Find the members of an object that is known to be whole."""
        text, decode = self._text, json.JSONDecoder().raw_decode
        found, at = [], text.index("{") + 1
        while (at := self._past(at, _BLANK + ",")) and text[at] != "}":
            begin = at
            key, at = decode(text, begin)
            value = self._past(at, _BLANK + ":")
            _, at = decode(text, value)
            found.append(_Member(key, begin, value, at))
        return found

    def _past(self, at: int, passed: str) -> int:
        while self._text[at] in passed:
            at += 1
        return at


def _is_ours(entry: str) -> bool:
    value = json.loads(entry)
    command = value.get("command") if isinstance(value, dict) else None
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return False
    return len(words) == 2 and Path(words[0]).name == "fleet" and words[1] == "statusline"


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
