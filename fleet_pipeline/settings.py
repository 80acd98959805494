"""Where a command or a run finds its home, its organisation and its transcripts.

The one place that looks at the environment; everything else is told.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import DEMO_HOST, Home
from fleet_pipeline.transcripts.discover import Places, default_places, find, named_places

if TYPE_CHECKING:
    from fleet_pipeline.org import Org

_USUAL_ORG: Final = Path("orgs/riles-fleet")
_SHIPPED_ORG: Final = Path(__file__).parent / "org" / "example" / "riles-fleet"
"""The same in an installed wheel, for whoever has no `orgs/` yet; a checkout has none here."""


@dataclass(frozen=True)
class Settings:
    """What one command or run works on; folders that were named explicitly exclude all others."""

    home: Home
    org_folder: Path
    claude: tuple[Path, ...] = ()
    codex: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # it holds keys

    @property
    def offline(self) -> bool:
        """Say whether nothing may be asked of the network (``FLEET_OFFLINE``)."""
        return self.environment.get("FLEET_OFFLINE", "") not in ("", "0")

    def organisation(self) -> "Org":
        """Return the operator's files; raises ConfigurationError naming every mistake in them."""
        from fleet_pipeline import org  # a third of a second that naming folders does not need

        return org.load(self.org_folder)

    def sources(self) -> list[Places]:
        """Return the places to read.

        The named ones, else this machine's own; where those hold no transcript at all, the demo
        fleet if there is one. Raises ConfigurationError for a folder that the command names and
        that does not exist; one that the organisation lists may be gone for a while.
        """
        if self.claude or self.codex:
            return [named_places(self.claude, self.codex)]
        if listed := self.named_places():
            return listed
        own, demo = self.own_places(), self.home.demo
        if demo.is_dir() and not find(own).files:
            return [Places((demo / ".claude",), (demo / ".codex",), DEMO_HOST)]
        return [own]

    def named_places(self) -> list[Places]:
        """Return the places that the command names, else those that the organisation lists.

        Whether or not they exist; none at all means that this machine's own are to be read.
        """
        if self.claude or self.codex:
            return [Places(self.claude, self.codex)]
        if not self.org_folder.is_dir():
            return []
        organisation = self.organisation()
        return [
            Places(
                tuple(organisation.path(folder) for folder in source.claude),
                tuple(organisation.path(folder) for folder in source.codex),
                source.host,
                source.address,
                expected=True,
            )
            for source in organisation.sources
        ]

    def places_of(self, host: str) -> Places:
        """Return where the transcripts of this machine are, which goes by the name ``host``.

        The named folders, else those that the organisation lists for it, else the clients' own.
        """
        if self.claude or self.codex:
            return named_places(self.claude, self.codex)
        for places in self.named_places():
            if places.host == host and not places.s3:
                return places
        return self.own_places()

    def own_places(self) -> Places:
        """Return where the clients of this machine write, whether or not anything is there."""
        return this_machine(self.environment)


def settings(
    home: str | None = None,
    org_folder: str | None = None,
    claude: Sequence[str] = (),
    codex: Sequence[str] = (),
) -> Settings:
    """Return the settings of a command: what it names, else the environment, else the defaults.

    ``FLEET_HOME`` (``.fleet``) and ``FLEET_ORG`` (``orgs/riles-fleet``, or the only organisation
    in ``orgs/``). Raises ConfigurationError for a named folder that does not exist, and
    for a home that a newer version wrote.
    """
    made = _chosen(home, org_folder, claude, codex)
    from fleet_pipeline.store_format import require_known_format  # as above: not for --help

    require_known_format(made.home)
    named_places(made.claude, made.codex)
    return made


def of_organisation(org_folder: str | None) -> Settings:
    """Return the settings of whoever only needs the organisation, to tell what is wrong elsewhere.

    Raises ConfigurationError for a named organisation that does not exist.
    """
    return _chosen(None, org_folder)


def _chosen(
    home: str | None,
    org_folder: str | None,
    claude: Sequence[str] = (),
    codex: Sequence[str] = (),
) -> Settings:
    environment = dict(os.environ)
    chosen = org_folder or environment.get("FLEET_ORG")
    if chosen and not _absolute(chosen).is_dir():
        raise ConfigurationError(
            f"{chosen}: there is no such folder; `fleet init --org {chosen}` makes one"
        )
    return Settings(
        home=Home(_in_utf8(_absolute(home or environment.get("FLEET_HOME") or ".fleet"))),
        org_folder=_absolute(chosen) if chosen else _usual_org(),
        claude=tuple(_absolute(folder) for folder in claude),
        codex=tuple(_absolute(folder) for folder in codex),
        environment=environment,
    )


def this_machine(environment: Mapping[str, str] = os.environ) -> Places:
    """Return where the clients of this machine write, whatever any organisation lists."""
    try:
        return default_places(environment, Path.home())
    except RuntimeError:
        raise ConfigurationError("this user has no home folder: set HOME") from None


def _absolute(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ConfigurationError(f"{text}: nobody of that name has a home folder here") from None


def _in_utf8(home: Path) -> Path:
    """Return ``home``; what reads and writes tables knows no path that is no text."""
    try:
        str(home).encode()
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"{home}: the home of the fleet needs a path in UTF-8; choose another with --home"
        ) from None
    return home


def _usual_org() -> Path:
    there = [file.parent for file in _USUAL_ORG.parent.glob("*/fleet.yaml")]
    if not there and _SHIPPED_ORG.is_dir():
        return _SHIPPED_ORG
    return (there[0] if len(there) == 1 else _USUAL_ORG).absolute()
