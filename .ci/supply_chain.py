"""What this product is made of: its packages, their licences, whether any is known to be unsafe.

    supply_chain.py runtime     the part of requirements.lock that running it takes, with hashes
    supply_chain.py sbom        the same as a bill of materials, CycloneDX 1.6 as JSON
    supply_chain.py licences    every package of the lock with its licence
    supply_chain.py pth         fails if .venv runs code at start-up that nobody expects
    supply_chain.py audit       asks pip-audit; 3 if its source of advisories cannot be reached

To be run by the Python of .venv: what is installed there tells who needs whom.
"""

import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path("requirements.lock")
PRODUCT = "fleet-pipeline"
AUDITOR = "pip-audit==2.10.1"

EXPECTED_PTH = {
    "_editable_impl_fleet_pipeline.pth": "the checkout itself, installed in place",
    "coloredlogs.pth": "coloredlogs, which Dagster uses: acts if COLOREDLOGS_AUTO_INSTALL is set",
    "distutils-precedence.pth": "setuptools",
    "_virtualenv.pth": "virtualenv",
    "a1_coverage.pth": "coverage",
}
"""Files that Python reads at every start, and whose they are. A stealer of March 2026 was one."""


def pins() -> dict[str, dict[str, str]]:
    """Return of each locked package its entries in the lock by version, hashes and all.

    One package may have several: a version for each range of Python versions.
    """
    found: dict[str, dict[str, str]] = {}
    for entry in re.split(r"\n(?=\S)", LOCK.read_text()):
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry):
            found.setdefault(canonicalize_name(match[1]), {})[match[2]] = entry.rstrip()
    return found


def needed(name: str, extras: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield every package that running ``name`` here takes, itself included."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(name), extras)]
    while waiting:
        package, wanted = waiting.pop()
        if (package, wanted) in seen:
            continue
        seen.add((package, wanted))
        yield package
        for text in distribution(package).requires or ():
            requirement = Requirement(text)
            surroundings = [{"extra": extra} for extra in (*wanted, "")]
            marker = requirement.marker
            if marker is None or any(marker.evaluate(each) for each in surroundings):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))


def runtime() -> list[str]:
    """Return the names of the locked packages that running the product takes."""
    return sorted(set(needed(PRODUCT)) - {PRODUCT})


def licence(package: Distribution) -> str:
    """Return what a package says its licence is."""
    about = package.metadata
    if expression := about.get("License-Expression"):
        return expression
    prefix = "License :: "
    classified = [text for text in about.get_all("Classifier") or () if text.startswith(prefix)]
    if classified:
        return " and ".join(sorted(text.rpartition(" :: ")[2] for text in classified))
    text = (about.get("License") or "").strip()
    return text.splitlines()[0][:60] if text else "not stated"


def sbom() -> dict[str, object]:
    """Return the bill of materials of what running the product takes."""
    locked = pins()
    components = []
    for name in runtime():
        version = distribution(name).version
        entry = locked[name][version]
        components.append(
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{name}@{version}",
                "name": name,
                "version": version,
                "purl": f"pkg:pypi/{name}@{version}",
                "licenses": [{"license": {"name": licence(distribution(name))}}],
                "externalReferences": [
                    {
                        "type": "distribution",
                        "url": f"pkg:pypi/{name}@{version}",
                        "hashes": [
                            {"alg": "SHA-256", "content": digest}
                            for digest in re.findall(r"sha256:([0-9a-f]{64})", entry)
                        ],
                    }
                ],
            }
        )
    own = distribution(PRODUCT)
    reference = f"pkg:pypi/{PRODUCT}@{own.version}"
    edges = [
        {"ref": purl(name), "dependsOn": sorted(map(purl, direct(name)))} for name in runtime()
    ]
    asked = sorted(map(purl, direct(PRODUCT)))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, reference + LOCK.read_text())}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": PRODUCT,
                "version": own.version,
                "purl": reference,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": reference, "dependsOn": asked}, *edges],
    }


def purl(name: str) -> str:
    """Return how the world names the version of a package that is installed here."""
    return f"pkg:pypi/{name}@{distribution(name).version}"


def direct(name: str) -> set[str]:
    """Return the packages that ``name`` asks for by itself, without extras."""
    requirements = [Requirement(text) for text in distribution(name).requires or ()]
    return {
        canonicalize_name(one.name)
        for one in requirements
        if one.marker is None or one.marker.evaluate({"extra": ""})
    }


def licences() -> Iterator[str]:
    """Yield a line for each installed package: name, version, what it is for, licence."""
    at_run_time = set(runtime())
    found = {canonicalize_name(one.name): one for one in distributions()}
    for name in sorted(set(found) & set(pins())):
        purpose = "run" if name in at_run_time else "develop"
        yield f"{name:<34} {found[name].version:<14} {purpose:<8} {licence(found[name])}"


def unexpected_pth() -> list[str]:
    """Return the start-up files in .venv that nobody expects, and expected ones that run code."""
    found = []
    for path in sorted(Path(sysconfig.get_paths()["purelib"]).glob("*.pth")):
        if path.name not in EXPECTED_PTH:
            found.append(f"{path}: nobody knows what this start-up file is for; look into it")
        elif path.name == "_editable_impl_fleet_pipeline.pth" and "import" in path.read_text():
            found.append(f"{path}: it should only name the checkout, and it runs code")
    return found


def audit() -> int:
    """Print what pip-audit knows of the lock; 0 clean, 1 found something, 3 could not ask."""
    uvx = Path(sys.executable).with_name("uvx")
    command = [
        str(uvx), "--quiet", AUDITOR, "--requirement", str(LOCK), "--disable-pip", "--no-deps",
        "--format", "json", "--progress-spinner", "off",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = done.stderr.strip().splitlines()
        print(f"NOT AUDITED: pip-audit gave no answer ({said[-1] if said else done.returncode})")
        return 3
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    unsafe = [one for one in packages if one.get("vulns")]
    for one in unsafe:
        ids = ", ".join(found["id"] for found in one["vulns"])
        print(f"{one['name']} {one['version']}: {ids}")
    print(
        f"{len(packages) - len(skipped)} of {len(packages)} packages audited, {len(unsafe)} unsafe"
    )
    if unsafe:
        return 1
    if skipped:
        print("NOT AUDITED, the source of advisories does not know or answer for them:")
        print(f"  {len(skipped)} packages, {', '.join(skipped[:5])}, ...")
        return 3
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["runtime"]:
            locked = pins()
            print("\n".join(entry for name in runtime() for entry in locked[name].values()))
        case ["sbom"]:
            print(json.dumps(sbom(), indent=1))
        case ["licences"]:
            print("\n".join(licences()))
        case ["pth"]:
            sys.exit("\n".join(unexpected_pth()) or None)
        case ["audit"]:
            sys.exit(audit())
        case _:
            sys.exit(__doc__)
