"""Where a command or a run finds its home, its organisation and its transcripts.

The one place that looks at the environment; everything else is told.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet_pipeline import org
from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.home import Home
from fleet_pipeline.ledger import DEMO_HOST
from fleet_pipeline.transcripts.discover import Places, default_places, find, named_places


@dataclass(frozen=True)
class Settings:
    """What one command or run works on; folders that were named explicitly exclude all others."""

    home: Home
    org_folder: Path
    claude: tuple[Path, ...] = ()
    codex: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def organisation(self) -> org.Org:
        """Return the operator's files; raises ConfigurationError naming every mistake in them."""
        return org.load(self.org_folder)

    def sources(self) -> list[Places]:
        """Return the places to read.

        The named ones, else those of the organisation, else this machine's own; where that has no
        transcript at all, the demo fleet if there is one.
        """
        if self.claude or self.codex:
            return [named_places(self.claude, self.codex)]
        if self.org_folder.is_dir() and (listed := self.organisation().sources):
            return [
                named_places(
                    [Path(folder).expanduser() for folder in source.claude],
                    [Path(folder).expanduser() for folder in source.codex],
                    source.host,
                )
                for source in listed
            ]
        own = default_places(self.environment, Path.home())
        demo = self.home.demo
        if demo.is_dir() and not find(own).files:
            return [named_places([demo / ".claude"], [demo / ".codex"], DEMO_HOST)]
        return [own]

    def has_real_transcripts(self) -> bool:
        """Say whether there is anything to read but a demo fleet."""
        return any(find(p).files for p in self.sources() if p.host != DEMO_HOST)


def settings(
    home: str | None = None,
    org_folder: str | None = None,
    claude: Sequence[str] = (),
    codex: Sequence[str] = (),
) -> Settings:
    """Return the settings of a command: what it names, else the environment, else the defaults.

    ``FLEET_HOME`` (``.fleet``) and ``FLEET_ORG`` (``orgs/riles-fleet``, or the only folder in
    ``orgs/``). Raises ConfigurationError for a named folder that does not exist.
    """
    environment = dict(os.environ)
    chosen = org_folder or environment.get("FLEET_ORG")
    if chosen and not Path(chosen).is_dir():
        raise ConfigurationError(
            f"{chosen}: there is no such folder; `fleet init --org {chosen}` makes one"
        )
    made = Settings(
        home=Home(Path(home or environment.get("FLEET_HOME") or ".fleet").absolute()),
        org_folder=Path(chosen).absolute() if chosen else _usual_org(),
        claude=tuple(Path(folder).expanduser().absolute() for folder in claude),
        codex=tuple(Path(folder).expanduser().absolute() for folder in codex),
        environment=environment,
    )
    named_places(made.claude, made.codex)
    return made


def _usual_org() -> Path:
    usual = Path("orgs/riles-fleet").absolute()
    there = [folder for folder in usual.parent.glob("*") if folder.is_dir()]
    return there[0] if len(there) == 1 else usual
