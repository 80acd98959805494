"""``fleet refresh --accept``: from a refusal to a page that says what was let pass, and why."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]
WriteTranscript = Callable[..., Path]

WEEK = ("refresh", "--as-of", "2026-06-17")
CHECK, WHY = "volume_has_not_collapsed", "the fleet rested over the holidays"


@pytest.mark.slow  # the weekly job runs three times
def test_a_check_that_was_accepted_lets_its_week_pass_and_the_page_says_why(
    fleet: Run, org: Path, claude_transcript: WriteTranscript, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_OFFLINE", "1")
    claude_transcript(20, name="before", day="2026-06-03")
    claude_transcript(1, name="after", day="2026-06-16")
    refused = fleet(*WEEK)
    assert refused.exit_code == 1
    assert f"nothing was published for 2026-06-17: {CHECK}: " in refused.stderr
    assert "accept it" in refused.stderr
    assert not Path(".fleet/site").exists()

    accepted = fleet(*WEEK, "--accept", CHECK, "--because", WHY)
    assert accepted.exit_code == 0, accepted.stderr
    assert f"accepted: {WHY}" in accepted.stderr
    week = Path(".fleet/site/weeks/2026-06-17")
    [told] = json.loads((week / "page.json").read_bytes())["checks"]["accepted"]
    assert (told["check"], told["because"]) == (CHECK, WHY)
    assert WHY in (week / "index.html").read_text()
    before = {path.name: path.read_bytes() for path in week.iterdir() if path.is_file()}

    again = fleet(*WEEK)
    assert again.exit_code == 0, again.stderr
    assert {path.name: path.read_bytes() for path in week.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--accept", CHECK), "say which check and why"),
        (("--because", WHY), "say which check and why"),
        (("--accept", "volume_has_colapsed", "--because", WHY), f"did you mean {CHECK}"),
        (("--accept", "window_is_whole", "--because", WHY), "no check of that name refuses"),
        (("--accept", CHECK, "--because", "x" * 301), "say it in 300 characters"),
    ],
)
def test_half_of_an_acceptance_or_a_wrong_name_is_bad_usage(
    fleet: Run, org: Path, given: tuple[str, ...], says: str
) -> None:
    result = fleet(*WEEK, *given)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not Path(".fleet/lake/accepted").exists()
