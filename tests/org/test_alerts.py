"""Whom to tell of a failed run: what may stand in ``fleet.yaml``, and what is a secret."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fleet_pipeline.org import load

Spoil = Callable[[str, str, str], None]
Told = Callable[[], list[str]]
OWNER = "owner: Analyst\n"


def test_alerts_and_the_site_are_read(folder: Path, spoil: Spoil) -> None:
    alerts = (
        "site_url: https://fleet.example.org/\n"
        "alerts:\n  - slack: FLEET_SLACK_URL\n  - webhook: FLEET_ALERT_URL\n"
        "  - {email: [a@example.org], sender: f@example.org, smtp: 'mail.example.org:587'}\n"
    )
    spoil("fleet.yaml", OWNER, OWNER + alerts)
    org = load(folder)
    assert org.site_url == "https://fleet.example.org"
    assert [bool(each.slack) for each in org.alerts] == [True, False, False]
    assert org.alerts[2].email == ("a@example.org",)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("slack: https://hooks.slack.com/services/a-secret", "secrets stay out of this file"),
        ("webhook: a-secret", "secrets stay out of this file"),
        ("{slack: A, webhook: B}", "is one of three things"),
        ("{}", "is one of three things"),
        ("email: [a@example.org]", "does not say how mail goes"),
        ("{slack: A, smtp: 'mail.example.org:25'}", "is no mail"),
        ("{email: [nobody], sender: f@example.org, smtp: 'm:25'}", "is no e-mail address"),
        ("{email: [a@b.c], sender: f@b.c, smtp: mail.example.org}", "needs a host and a port"),
    ],
)
def test_a_mistake_is_named_and_a_secret_is_not_repeated(
    written: str, says: str, spoil: Spoil, told: Told
) -> None:
    spoil("fleet.yaml", OWNER, f"{OWNER}alerts:\n  - {written}\n")
    [line] = told()
    assert says in line and "fleet.yaml:5: alerts[0]" in line
    assert "a-secret" not in line
