"""What assets need from outside: where the home, the organisation and the transcripts are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import dagster as dg

from fleet_pipeline.settings import Settings, settings
from fleet_pipeline.store_format import bring_up_to_date


class Fleet(dg.ConfigurableResource):  # type: ignore[type-arg]  # Dagster's generic is for resources that build others
    """The fleet that the graph works for; what is left empty comes from the environment."""

    home: str = ""
    org: str = ""
    claude: list[str] = []  # noqa: RUF012 - a pydantic field, copied for each instance
    codex: list[str] = []  # noqa: RUF012 - the same

    def settings(self) -> Settings:
        """Return the folders of this run, resolved when it runs and not when it is defined."""
        return settings(self.home or None, self.org or None, self.claude, self.codex)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Self]:
        """Be the home's only writer for as long as the run lasts.

        Two runs of one week would otherwise read each other's half-made tables. Raises BusyError
        when another process does not let go within a minute.
        """
        home = self.settings().home
        home.prepare()
        with home.lock(f"run {context.run.run_id if context.run else 'of a part'}"):
            bring_up_to_date(home)
            yield self
