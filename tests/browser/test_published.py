"""What the demo fleet's week publishes, as a browser, a printer and a validator take it."""

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .test_page import LOOKS, OPEN_ALL, violations

pytestmark = pytest.mark.slow

ORG = Path(__file__).parents[2] / "orgs" / "riles-fleet"
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


@pytest.mark.parametrize("name", PAGES)
def test_every_published_page_is_valid_html(week: Path, name: str) -> None:
    jar, java = os.environ.get("VNU_JAR"), shutil.which("java")
    if not (jar and java):
        pytest.skip(
            "the Nu HTML Checker is missing; on Debian: apt-get install default-jre-headless,"
            " npm pack vnu-jar, and VNU_JAR=…/vnu.jar"
        )
    checked = subprocess.run(
        [java, "-jar", jar, week / name], capture_output=True, text=True, check=False
    )
    assert checked.stderr.splitlines() == []
