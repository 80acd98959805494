"""What `fleet ingest` takes beside ccusage, in pairs of runs: `make bench`.

    python benchmarks/bench.py [--pairs N] [--corpus DIR] [--ccusage PROGRAM] [--large]

Each pair is one run of either on the same transcripts, in alternating order. CPU is user and system
time of a process and its children, the peak that of the largest of them, as the kernel counts both.
What is read is a generated month of a fleet, and what was counted is held against its truth.
"""

import argparse
import json
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, NoReturn

CHECKOUT = Path(__file__).parents[1]
GENERATOR = CHECKOUT.parent / "shared" / "tools" / "corpus.py"
FLEET = Path(sys.executable).with_name("fleet")


class Life(NamedTuple):
    """How many requests a fleet made, on how many days."""

    requests: int
    days: int


MONTH, MILLION = Life(107_338, 30), Life(1_000_000, 280)
"""The reference month, and nine more of the same fleet: its history grows, not its days."""

BYTES_OF_A_REQUEST = 21_000
"""What the generator writes for one, all lines around it included."""


class Cost(NamedTuple):
    """What one run took: seconds of CPU (of them in the kernel) and of the clock, MiB at its peak.

    Linux never counts less than this script itself had at its peak, so that it holds nothing.
    """

    cpu: float
    peak: float
    wall: float
    kernel: float


def run(command: Sequence[object], variables: Mapping[str, str], out: Path | None = None) -> Cost:
    """Run a command to its end and return what it took; its output goes to ``out``, if anywhere."""
    with (out or Path(os.devnull)).open("wb") as stream:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **variables},
            stdout=stream,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        give_up(f"{' '.join(map(str, command))} ended with {process.returncode}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / unit, wall, used.ru_stime)


def give_up(why: str) -> NoReturn:
    sys.exit(f"bench: {why}")


class Fleet:
    """`fleet ingest` on the transcripts of one folder, into one home."""

    def __init__(self, home: Path, transcripts: Path) -> None:
        self._home, self._claude = home, transcripts / ".claude"

    def ingest(self) -> Cost:
        return run([FLEET, "ingest", "--home", self._home, "--claude", self._claude], {})

    def days(self) -> Cost:
        return run([FLEET, "usage", "daily", "--json", "--home", self._home], {}, self._answer)

    @property
    def _answer(self) -> Path:
        return self._home.with_name("days.json")

    def must_be_exact(self, truth: Mapping[str, int]) -> None:
        """End with what is off, if anything is."""
        self.days()
        totals = json.loads(self._answer.read_bytes())["totals"]
        names = {
            "requests": "requests",
            "inputTokens": "input",
            "outputTokens": "output",
            "cacheCreationTokens": "cache_creation",
            "cacheReadTokens": "cache_read",
        }
        off = {ours: totals[ours] - truth[true] for ours, true in names.items()}
        if any(off.values()):
            give_up(f"the ledger is off by {off}")


class Ccusage:
    """ccusage on the transcripts of one folder; it keeps nothing from one run to the next."""

    def __init__(self, program: Path, empty: Path) -> None:
        self._program, self._empty = program, empty
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        self.version = asked.stdout.split()[-1]

    def daily(self, transcripts: Path) -> Cost:
        command = [self._program, "claude", "daily", "--json", "--offline", "--timezone", "UTC"]
        variables = {
            "HOME": str(self._empty),
            "CLAUDE_CONFIG_DIR": str(transcripts / ".claude"),
        }
        return run(command, variables)


def read_only(transcripts: Path) -> Cost:
    """Return what it takes to find and decode lines, and to make nothing of them."""
    return run([sys.executable, CHECKOUT / "benchmarks" / "floor.py", transcripts / ".claude"], {})


def find_ccusage(named: Path | None, folder: Path) -> Path:
    """Return the program that was named, else the one on the path, else one fresh from npm."""
    named = named or (Path(os.environ["CCUSAGE"]) if "CCUSAGE" in os.environ else None)
    if found := named or shutil.which("ccusage"):
        return Path(found)
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"@ccusage/ccusage-{sys.platform}-{machine}"
    try:
        subprocess.run(
            ["npm", "install", "--silent", "--prefix", folder, package],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    except (OSError, subprocess.CalledProcessError):
        give_up(f"no ccusage here, and npm brought no {package}; name a program with CCUSAGE=")
    program = folder / "node_modules" / package / "bin" / "ccusage"
    program.chmod(0o755)  # the package comes without the mark; its usual wrapper sets it
    return program


def generated(life: Life, folder: Path | None) -> tuple[Path, dict[str, int]]:
    """Return a corpus of so many requests, made once and kept, and its true totals."""
    requests, days = life
    folder = folder or Path(tempfile.gettempdir()) / f"fleet-bench-{requests}-{days}"
    truth = folder / "truth.json"
    if not truth.exists():
        if not GENERATOR.exists():
            give_up(f"{GENERATOR}, which writes transcripts, is missing; name some with --corpus")
        folder.mkdir(parents=True, exist_ok=True)
        needed, free = requests * BYTES_OF_A_REQUEST * 1.2, shutil.disk_usage(folder).free
        space = f"{needed / 1e9:.1f} GB of {free / 1e9:.1f} GB free"
        say(f"writing {requests:,} requests to {folder}: {space}")
        if needed > free:
            give_up("there is not enough room for them; TMPDIR= names another place")
        command = [
            sys.executable,
            str(GENERATOR),
            "--requests",
            str(requests),
            "--days",
            str(days),
            "--out",
            str(folder),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for path in (folder / ".claude").rglob("*.jsonl"):
            date_as_written(path)
    return folder, json.loads(truth.read_bytes())["total"]


def date_as_written(path: Path) -> None:
    """Give a file the time of its latest line, as a client's has that wrote it line by line."""
    said = re.findall(rb'"timestamp":"([^"]+)"', path.read_bytes())
    moments = [datetime.fromisoformat(text.decode()) for text in said]
    if moments:
        latest = max(moments).timestamp()
        os.utime(path, (latest, latest))


def size_of(transcripts: Path) -> int:
    return sum(path.stat().st_size for path in (transcripts / ".claude").rglob("*.jsonl"))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as folder:
        yield Path(folder)


class Growth:
    """A copy of a corpus whose last hundredth comes late: some files are cut within a line.

    They are ``latest`` ones, as from one night to the next, or any, on all days of the month.
    """

    def __init__(
        self, corpus: Path, folder: Path, *, latest: bool = False, share: float = 0.01
    ) -> None:
        self.transcripts = folder / ("growing-latest" if latest else "growing")
        shutil.copytree(corpus / ".claude", self.transcripts / ".claude", copy_function=_link)
        files = sorted(self.transcripts.rglob("*.jsonl"))
        wanted, self._cuts = share * size_of(self.transcripts), dict[Path, tuple[Path, int]]()
        if latest:
            order = sorted(files, key=lambda path: path.stat().st_mtime_ns, reverse=True)
        else:
            order = random.Random(7).sample(files, len(files))
        for path in order:
            if self._late_bytes() >= wanted:
                break
            whole = corpus / path.relative_to(self.transcripts)
            with whole.open("rb") as file:
                file.seek(whole.stat().st_size // 2)
                cut = file.tell() + (file.read(1) == b"\n")
            self._cuts[path] = whole, cut
            path.unlink()
            shutil.copyfile(whole, path)
        self.withhold()

    def withhold(self) -> None:
        for path, (_, cut) in self._cuts.items():
            os.truncate(path, cut)

    def let_come(self) -> None:
        for path, (whole, cut) in self._cuts.items():
            with whole.open("rb") as source, path.open("ab") as file:
                source.seek(cut)
                shutil.copyfileobj(source, file)

    def _late_bytes(self) -> int:
        return sum(whole.stat().st_size - cut for whole, cut in self._cuts.values())

    def __str__(self) -> str:
        files = len(self._cuts)
        return f"{self._late_bytes() / 1e6:.1f} MB in {files} files, each cut within a line"


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def compare(corpus: Path, truth: Mapping[str, int], ccusage: Ccusage, pairs: int) -> None:
    """Print what either takes to read all, nothing and a hundredth anew, by two kinds of growth."""
    taken: defaultdict[str, list[tuple[Cost, Cost]]] = defaultdict(list)
    answers: list[Cost] = []
    floor: list[tuple[Cost, Cost]] = []
    with scratch() as folder:
        growths = {
            "1% new, in the latest files": Growth(corpus, folder, latest=True),
            "1% new, in any files": Growth(corpus, folder),
        }
        for growth in growths.values():
            Fleet(growth.transcripts.with_suffix(".home"), growth.transcripts).ingest()
        for pair in range(pairs):
            say(f"pair {pair + 1} of {pairs}")

            def beside_ccusage(kind: str, fleet: Fleet, place: Path, swap: int = pair % 2) -> None:
                if swap:
                    theirs, ours = ccusage.daily(place), fleet.ingest()
                else:
                    ours, theirs = fleet.ingest(), ccusage.daily(place)
                taken[kind].append((ours, theirs))
                fleet.must_be_exact(truth)

            cold = Fleet(folder / "cold", corpus)
            beside_ccusage("cold", cold, corpus)
            floor.append((read_only(corpus), taken["cold"][-1][1]))
            beside_ccusage("nothing new", cold, corpus)
            answers.append(cold.days())
            shutil.rmtree(folder / "cold")
            for kind, growth in growths.items():
                shutil.copytree(growth.transcripts.with_suffix(".home"), folder / "grown")
                growth.let_come()
                beside_ccusage(
                    kind, Fleet(folder / "grown", growth.transcripts), growth.transcripts
                )
                growth.withhold()
                shutil.rmtree(folder / "grown")
    print(f"\n{pairs} pairs; medians, and the smallest and largest")
    for kind, growth in growths.items():
        print(f"{kind}: {growth}")
    print(f"\n| | fleet | ccusage {ccusage.version} | fleet / ccusage |")
    print("|---|---|---|---|")
    for kind, costs in taken.items():
        print_row(f"{kind}: CPU, s", costs, "cpu", ".2f")
        print_row(f"{kind}: peak, MiB", costs, "peak", ".0f")
        print_row(f"{kind}: clock, s", costs, "wall", ".2f")
    print_row("lines found and decoded, nothing kept: CPU, s", floor, "cpu", ".2f")
    asked = [answer.cpu for answer in answers]
    print(f"| then `fleet usage daily`: CPU, s | {spread(asked, '.2f')} | | |")


def print_row(name: str, costs: Sequence[tuple[Cost, Cost]], field: str, digits: str) -> None:
    ours = [getattr(cost, field) for cost, _ in costs]
    theirs = [getattr(cost, field) for _, cost in costs]
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    cells = (spread(ours, digits), spread(theirs, digits), f"**{spread(ratios, '.3f')}**")
    print(f"| {name} | {' | '.join(cells)} |")


def spread(values: Sequence[float], digits: str) -> str:
    middle = statistics.median(values)
    return f"{middle:{digits}} ({min(values):{digits}}..{max(values):{digits}})"


def grow(month: tuple[Path, dict[str, int]], million: tuple[Path, dict[str, int]]) -> None:
    """Print how CPU and memory grow from a month to a million requests: one cold run each."""
    print(
        "| requests | GB | CPU, s | of it in the kernel | peak, MiB | clock, s"
        " | nothing new: CPU, s |"
    )
    print("|---|---|---|---|---|---|---|")
    per_gb, of_user, peaks = [], [], []
    for corpus, truth in (month, million):
        with scratch() as folder:
            fleet, size = Fleet(folder / "home", corpus), size_of(corpus) / 1e9
            cost, again = fleet.ingest(), fleet.ingest()
            fleet.must_be_exact(truth)
        per_gb.append(cost.cpu / size)
        of_user.append((cost.cpu - cost.kernel) / size)
        peaks.append(cost.peak)
        print(
            f"| {truth['requests']:,} | {size:.2f} | {cost.cpu:.2f}"
            f" | {cost.kernel:.2f} | {cost.peak:.0f} | {cost.wall:.2f} | {again.cpu:.2f} |",
            flush=True,
        )
    cpu, user, peak = (few[1] / few[0] for few in (per_gb, of_user, peaks))
    print(
        f"\n{cpu:.2f} times the CPU for each GB, {user:.2f} times without the kernel's (which reads"
        f" from the disk what does not fit into memory), {peak:.2f} times the peak"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--corpus", type=Path, help="a month that was generated before")
    parser.add_argument("--ccusage", type=Path, help="its program; else CCUSAGE, the path, or npm")
    parser.add_argument("--large", action="store_true", help="a million requests beside the month")
    parser.add_argument("--large-corpus", type=Path, help="a million that were generated before")
    asked = parser.parse_args()
    month = generated(MONTH, asked.corpus)
    size, files = size_of(month[0]), sum(1 for _ in (month[0] / ".claude").rglob("*.jsonl"))
    print(
        f"{month[1]['requests']:,} requests, {size / 1e9:.2f} GB in {files:,} files; Python"
        f" {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    if asked.large:
        grow(month, generated(MILLION, asked.large_corpus))
        return
    with scratch() as folder:
        ccusage = Ccusage(find_ccusage(asked.ccusage, folder / "npm"), folder)
        compare(*month, ccusage, asked.pairs)


if __name__ == "__main__":
    main()
