"""Whether what is in dist/ works where there is no checkout: `make release` ends with this.

    try_release.py DIST

Installs the wheel and the locked packages into a new environment elsewhere, and there publishes a
demo fleet, loads the graph by Dagster's own command and asks the interface for an answer. The sdist
must build the same wheel. Says what was seen; ends with an error at the first thing that fails.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zipfile
from hashlib import sha256
from pathlib import Path

UV = Path(sys.executable).with_name("uv")
AS_OF = "2026-06-17"
MODULE = "assets.definitions"


def main(dist: Path) -> None:
    """Try both artefacts."""
    [wheel], [sdist] = dist.glob("*.whl"), dist.glob("*.tar.gz")
    with tempfile.TemporaryDirectory(prefix="fleet-release-") as folder:
        elsewhere = Path(folder)
        require_the_same_wheel(wheel, sdist, elsewhere / "sdist")
        python = install(wheel, dist / "requirements.txt", elsewhere / "venv")
        publish(python.with_name("fleet"), elsewhere)
        serve(python.with_name("fleet"), python.with_name("dagster"), elsewhere)


def require_the_same_wheel(wheel: Path, sdist: Path, folder: Path) -> None:
    """Build a wheel from the sdist; it must hold the same files."""
    with tarfile.open(sdist) as archive:
        # The argument is younger than Python 3.11.0; this is passed over where it is not known.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    [source] = folder.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    run(command, cwd=source)
    [again] = folder.glob("*.whl")
    assert contents(again) == contents(wheel), "the sdist builds another wheel"
    print(f"the sdist builds the same wheel: {len(contents(wheel))} files")


def contents(wheel: Path) -> dict[str, str]:
    """Return the digest of each file in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def install(wheel: Path, requirements: Path, venv: Path) -> Path:
    """Return the Python of a new environment that has the wheel and what it needs, no more."""
    run([UV, "venv", "--quiet", "--python", sys.executable, venv])
    python = venv / "bin" / "python"
    into = [UV, "pip", "install", "--quiet", "--python", python]
    run([*into, "--require-hashes", "--compile-bytecode", "-r", requirements])
    run([*into, "--no-deps", wheel])
    run([UV, "pip", "check", "--quiet", "--python", python])
    listed = subprocess.run(
        [UV, "pip", "list", "--python", python, "--format", "json"], capture_output=True, check=True
    )
    print(f"installed: {len(json.loads(listed.stdout))} packages")
    return python


def publish(fleet: Path, elsewhere: Path) -> None:
    """Publish a demo fleet with the installed command and the example organisation it carries."""
    run([fleet, "demo", "--out", "demo", "--requests", "300", "--as-of", AS_OF], elsewhere)
    read = ["--claude", "demo/.claude", "--codex", "demo/.codex"]
    run([fleet, "refresh", *read, "--as-of", AS_OF], elsewhere)
    week = elsewhere / ".fleet" / "site" / "weeks" / AS_OF
    page, truth = (
        json.loads(path.read_text()) for path in (week / "page.json", elsewhere / "demo/truth.json")
    )
    for client, counted in page["usage"].items():
        assert counted["requests"] == truth["usage"][client]["requests"], client
    assert page["org"] == "riles-fleet", page["org"]
    assert (week / "index.html").stat().st_size > 50_000
    run([fleet, "init", "--org", "orgs/mine"], elsewhere)
    print(f"published {AS_OF}: {page['usage']['claude']['requests']} requests, as the truth has it")


def serve(fleet: Path, dagster: Path, elsewhere: Path) -> None:
    """Let Dagster load the graph and serve it."""
    shutil.rmtree(elsewhere / "orgs", ignore_errors=True)
    home = elsewhere / ".fleet"
    surroundings = {"DAGSTER_HOME": str(home / "dagster"), "FLEET_HOME": str(home)}
    run([dagster, "definitions", "validate", "-m", MODULE], elsewhere, surroundings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        [dagster, "dev", "-m", MODULE, "-h", "127.0.0.1", "-p", port],
        cwd=elsewhere,
        env=apart() | surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        locations = []
        deadline = time.monotonic() + 180
        while not locations and time.monotonic() < deadline:
            time.sleep(1)
            assert process.poll() is None, "dagster dev ended"
            locations = loaded(port)
        assert locations, "dagster dev did not load the graph"
    finally:
        process.terminate()
        process.wait(60)
    print(f"dagster dev serves {', '.join(locations)}")


def loaded(port: str) -> list[str]:
    """Return the jobs that the interface offers, none while it does not answer."""
    question = {"query": "{repositoriesOrError{...on RepositoryConnection{nodes{jobs{name}}}}}"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps(question).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            nodes = json.load(response)["data"]["repositoriesOrError"].get("nodes", [])
    except OSError:
        return []
    return sorted(job["name"] for node in nodes for job in node["jobs"] if job["name"][0] != "_")


def apart() -> dict[str, str]:
    """Return an environment in which nothing leads back to the checkout."""
    gone = ("PYTHONPATH", "VIRTUAL_ENV", "FLEET_HOME", "FLEET_ORG", "DAGSTER_HOME")
    kept = {name: value for name, value in os.environ.items() if name not in gone}
    return kept | {"FLEET_OFFLINE": "1"}


def run(
    command: list[object], cwd: Path | None = None, surroundings: dict[str, str] | None = None
) -> None:
    """Run a command; what it said is shown if it fails."""
    said = [str(part) for part in command]
    done = subprocess.run(
        said, cwd=cwd, env=apart() | (surroundings or {}), capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(said)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
