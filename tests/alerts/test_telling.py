"""Alerts reach real servers; one that is down, slow or refuses is told of, and stops nothing."""

import socket
import time
from collections.abc import Iterator

import pytest

from fleet_pipeline.alerts import Failure, channels, tell
from fleet_pipeline.org import Alert

from .conftest import MailServer, free_port
from .hooks import Hook

SLACK, WEBHOOK = Alert(slack="FLEET_SLACK_URL"), Alert(webhook="FLEET_ALERT_URL")


def email(server: str, login: str | None = None) -> Alert:
    return Alert(
        email=("analyst@example.org",), sender="fleet@example.org", smtp=server, login=login
    )


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(channels, "_SECONDS", 0.5)


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_webhook_gets_the_week_the_run_and_the_reasons(hook: Hook, failure: Failure) -> None:
    assert tell([WEBHOOK], failure, {"FLEET_ALERT_URL": hook.url}) == []
    [document] = hook.taken
    assert document == {
        "schema_version": 1,
        "fleet": "riles-fleet",
        "job": "weekly_sweep_job",
        "run_id": "4711",
        "as_of": "2026-06-17",
        "says": "riles-fleet: nothing was published for 2026-06-17",
        "reasons": ["days_add_up: off by <1> & more"],
    }


def test_slack_gets_text_in_which_nothing_is_markup(hook: Hook, failure: Failure) -> None:
    assert tell([SLACK], failure, {"FLEET_SLACK_URL": hook.url}) == []
    [document] = hook.taken
    assert list(document) == ["text"]
    assert "days_add_up: off by &lt;1&gt; &amp; more" in document["text"]
    assert document["text"].startswith("riles-fleet: nothing was published for 2026-06-17\n")


@pytest.mark.parametrize("login", [None, "FLEET_SMTP_LOGIN"])
def test_mail_comes_with_the_title_as_its_subject(
    mail: MailServer, failure: Failure, login: str | None
) -> None:
    variables = {"FLEET_SMTP_LOGIN": "fleet:a:secret"}
    assert tell([email(mail.address, login)], failure, variables) == []
    [message] = mail.box.mails
    assert message["Subject"] == "riles-fleet: nothing was published for 2026-06-17"
    assert (message["From"], message["To"]) == ("fleet@example.org", "analyst@example.org")
    assert message["Auto-Submitted"] == "auto-generated"
    assert "days_add_up: off by <1> & more" in message.get_payload(decode=True).decode()


def test_what_passes_is_tried_once_more_and_what_does_not_pass_is_not(
    hook: Hook, failure: Failure
) -> None:
    variables = {"FLEET_ALERT_URL": hook.url}
    hook.status = [500, 200]
    assert tell([WEBHOOK], failure, variables) == []
    hook.status = [500, 500, 200]
    assert tell([WEBHOOK], failure, variables) == ["webhook: 127.0.0.1 answered 500"]
    hook.status = [404, 200]
    assert tell([WEBHOOK], failure, variables) == ["webhook: 127.0.0.1 answered 404"]
    assert len(hook.taken) == 1


def test_a_server_that_is_down_is_told_of_and_its_secret_is_not(failure: Failure) -> None:
    address = f"http://127.0.0.1:{free_port()}/hooks/a-secret"
    [said] = tell([WEBHOOK], failure, {"FLEET_ALERT_URL": address})
    assert said == "webhook: 127.0.0.1 cannot be reached (ConnectError)"
    [said] = tell([email(f"127.0.0.1:{free_port()}")], failure, {})
    assert said == "email: 127.0.0.1 cannot be reached (ConnectionRefusedError)"


def test_a_server_that_says_nothing_is_given_up(silent: int, failure: Failure) -> None:
    variables = {"FLEET_ALERT_URL": f"http://127.0.0.1:{silent}/"}
    began = time.monotonic()
    said = tell([WEBHOOK, email(f"127.0.0.1:{silent}")], failure, variables)
    assert said == [
        "webhook: 127.0.0.1 did not answer within 0.5 s",
        "email: 127.0.0.1 broke off, or said nothing for 0.5 s",
    ]
    assert time.monotonic() - began < 5


def test_one_that_is_slow_holds_up_no_other_and_nobody_for_long(
    hook: Hook, mail: MailServer, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "_SECONDS", 60)
    hook.pause_seconds = 5
    began = time.monotonic()
    said = tell(
        [WEBHOOK, email(mail.address)], failure, {"FLEET_ALERT_URL": hook.url}, longest_seconds=1
    )
    assert said == ["webhook: was not done in time"]
    assert len(mail.box.mails) == 1
    assert time.monotonic() - began < 4


def test_a_password_goes_to_another_machine_through_tls_or_not_at_all(
    mail: MailServer,
    mail_with_tls: MailServer,
    failure: Failure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channels, "is_loopback", lambda _: False)
    variables = {"LOGIN": "fleet:a:secret"}
    [said] = tell([email(mail.address, "LOGIN")], failure, variables)
    assert said == "email: 127.0.0.1 offers no TLS, and gets no password without it"
    assert tell([email(mail_with_tls.address, "LOGIN")], failure, variables) == []
    monkeypatch.delenv("SSL_CERT_FILE")
    [said] = tell([email(mail_with_tls.address, "LOGIN")], failure, variables)
    assert said == "email: 127.0.0.1 cannot be reached (SSLCertVerificationError)"
    assert (len(mail.box.mails), len(mail_with_tls.box.mails)) == (0, 1)


def test_a_mail_server_that_refuses_is_told_of(mail: MailServer, failure: Failure) -> None:
    [said] = tell([email(mail.address, "LOGIN")], failure, {"LOGIN": "fleet:wrong"})
    assert said == "email: 127.0.0.1 does not take what LOGIN holds"
    mail.box.answer = "554 no"
    [said] = tell([email(mail.address)], failure, {})
    assert said == "email: 127.0.0.1 did not take the mail (SMTPDataError)"
    assert mail.box.mails == []


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "webhook: FLEET_ALERT_URL is not set in the environment"),
        ("http://example.org/a-secret", "webhook: FLEET_ALERT_URL holds no https address"),
        ("a-secret", "webhook: FLEET_ALERT_URL holds no https address"),
        ("https://a-secret:x", "webhook: FLEET_ALERT_URL holds no address"),
    ],
)
def test_a_variable_that_holds_no_address_is_named_and_not_repeated(
    value: str | None, says: str, failure: Failure
) -> None:
    assert tell([WEBHOOK], failure, {"FLEET_ALERT_URL": value} if value else {}) == [says]


def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://somebody:hunter2@127.0.0.1:9")
    [said] = tell([WEBHOOK], failure, {"FLEET_ALERT_URL": "https://example.org/a-secret"})
    assert said.startswith("webhook: example.org cannot be told: the environment names a proxy")
    assert "hunter2" not in said


def test_a_reason_that_names_what_is_no_text_is_told_all_the_same(
    hook: Hook, mail: MailServer
) -> None:
    odd = Failure("f", "fleet refresh", None, None, ("/srv/odd-\udcff: cannot be read",))
    channels_of_both = [WEBHOOK, email(mail.address)]
    assert tell(channels_of_both, odd, {"FLEET_ALERT_URL": hook.url}) == []
    assert hook.taken[0]["reasons"] == ["/srv/odd-?: cannot be read"]


def test_a_command_without_a_run_says_where_to_look() -> None:
    alone = Failure("f", "fleet refresh", None, "2026-06-17", ("the share is gone",))
    assert alone.title == "f: nothing was published for 2026-06-17"
    assert alone.text.endswith(
        "fleet refresh; `fleet doctor` looks at everything, changes nothing."
    )
    assert alone.document()["run_id"] is None


def test_a_long_story_is_cut(failure: Failure) -> None:
    many = Failure("f", "j", "1", None, tuple(f"{n}: {'x' * 900}" for n in range(30)))
    assert many.title == "f: j failed"
    assert len(many.told()) == 11 and many.told()[-1] == "and 20 more"
    assert len(many.text) < 6000
