"""A fleet in a folder of its own, and the graph at work on it."""

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from assets import runs
from assets.definitions import defs
from assets.partitions import key_of
from fleet_pipeline.home import Home
from fleet_pipeline.settings import Settings

CLOSE = date(2026, 6, 17)
ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"


@dataclass(frozen=True)
class Fleet:
    """Where one fleet's files are, and the graph at work on them."""

    root: Path
    transcripts: Path

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    @property
    def org(self) -> Path:
        return self.root / "org"

    @property
    def settings(self) -> Settings:
        folders = self.transcripts / ".claude", self.transcripts / ".codex"
        return Settings(self.home, self.org, (folders[0],), (folders[1],))

    def run(self, close: date, assets: list[str] | None = None) -> dg.ExecuteInProcessResult:
        """Run the weekly job, or only some of its assets, and keep nothing of the run."""
        return defs.resolve_job_def("weekly_sweep_job").execute_in_process(
            run_config=runs.run_config(self.settings),
            partition_key=key_of(close),
            asset_selection=[dg.AssetKey(name) for name in assets] if assets else None,
            instance=dg.DagsterInstance.ephemeral(),
            raise_on_error=False,
        )

    def page(self, close: date | str) -> dict[str, object]:
        folder = self.home.site if close == "latest" else self.home.site / "weeks"
        page: dict[str, object] = json.loads((folder / str(close) / "page.json").read_bytes())
        return page

    def table(self, name: str, close: date = CLOSE) -> Path:
        return self.home.lake / "weekly" / name / f"{key_of(close)}.parquet"

    def published(self) -> dict[str, bytes | str]:
        """Return everything that anybody outside may read, and where `latest` leads."""
        places = [self.home.site, self.org / "shared"]
        files = [path for place in places if place.is_dir() for path in place.rglob("*")]
        return {
            path.relative_to(self.root).as_posix(): (
                str(path.readlink()) if path.is_symlink() else path.read_bytes()
            )
            for path in files
            if path.is_symlink() or path.is_file()
        }

    def copy(self, root: Path) -> "Fleet":
        shutil.copytree(self.root, root, symlinks=True)
        return Fleet(root, self.transcripts)


@dataclass(frozen=True)
class Published:
    """A fleet whose newest week has been published, with what was said of it."""

    fleet: Fleet
    outcome: runs.Outcome
