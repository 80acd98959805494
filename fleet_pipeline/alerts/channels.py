"""How an alert gets to where it is read. Addresses and passwords come from the environment.

Each function returns when the other side has taken it, and raises Untold otherwise, in words that
name a host and never an address: that of a webhook is a secret.
"""

import smtplib
import ssl
import time
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

import httpx

from fleet_pipeline.alerts.failure import Failure
from fleet_pipeline.guarded_http import UNFIT_PROXY, is_loopback
from fleet_pipeline.org import Alert

_SECONDS: Final = 5.0
"""For each answer; ``telling`` sees to the whole."""
_TRIES: Final = 2
_PAUSE_SECONDS: Final = 1.0
_IMPLICIT_TLS: Final = 465


class Untold(Exception):
    """An alert was not taken; says why, in words for the operator."""


def send(alert: Alert, failure: Failure, environment: Mapping[str, str]) -> None:
    """Tell of ``failure`` on the channel that ``alert`` names. Raises Untold."""
    if alert.slack:
        _post(alert.slack, {"text": _for_slack(failure.text)}, environment)
    elif alert.webhook:
        _post(alert.webhook, failure.document(), environment)
    else:
        _mail(alert, failure, environment)


def assert_ready(alert: Alert, environment: Mapping[str, str]) -> None:
    """See whether an alert could be sent, and send nothing. Raises Untold: what is missing."""
    if variable := alert.slack or alert.webhook:
        _address(variable, environment)
    elif alert.login and ":" not in _secret(alert.login, environment):
        raise Untold(f"{alert.login} holds no user:password")


def _for_slack(text: str) -> str:
    """Return text with what Slack takes for markup escaped (api.slack.com, Formatting text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _secret(variable: str, environment: Mapping[str, str]) -> str:
    if not (value := environment.get(variable, "").strip()):
        raise Untold(f"{variable} is not set in the environment")
    return value


def _address(variable: str, environment: Mapping[str, str]) -> httpx.URL:
    try:
        url = httpx.URL(_secret(variable, environment))
    except httpx.InvalidURL:
        raise Untold(f"{variable} holds no address") from None
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise Untold(f"{variable} holds no https address")
    if not url.host:
        raise Untold(f"{variable} holds an address without a host")
    return url


def _post(variable: str, document: Mapping[str, object], environment: Mapping[str, str]) -> None:
    url = _address(variable, environment)
    try:
        client = httpx.Client(timeout=_SECONDS, trust_env=not is_loopback(url.host))
    except (ImportError, ValueError, httpx.InvalidURL):  # which may quote a proxy's password
        raise Untold(f"{url.host} cannot be told: {UNFIT_PROXY}") from None
    with client:
        _send_to(client, url, document)


def _send_to(client: httpx.Client, url: httpx.URL, document: Mapping[str, object]) -> None:
    """Post a document, once more where the fault may have passed."""
    for left in reversed(range(_TRIES)):
        try:
            # The body of an answer is of no interest: what matters is that the alert was taken.
            with client.stream("POST", url, json=document) as response:
                status = response.status_code
        except httpx.TimeoutException:
            raise Untold(f"{url.host} did not answer within {_SECONDS:g} s") from None
        except httpx.HTTPError as error:
            why, passes = f"{url.host} cannot be reached ({type(error).__name__})", True
        else:
            if 200 <= status < 300:
                return
            why, passes = f"{url.host} answered {status}", status >= 500 or status == 429
        if not (passes and left):
            raise Untold(why)
        time.sleep(_PAUSE_SECONDS)


def _mail(alert: Alert, failure: Failure, environment: Mapping[str, str]) -> None:
    assert alert.smtp and alert.sender
    host, _, port = alert.smtp.rpartition(":")
    message = EmailMessage()
    message["Subject"] = " ".join(failure.title.split())
    message["From"], message["To"] = alert.sender, ", ".join(alert.email)
    message["Date"], message["Auto-Submitted"] = formatdate(), "auto-generated"
    message.set_content(failure.text)
    login = _secret(alert.login, environment) if alert.login else None
    trusted = ssl.create_default_context()
    try:
        if int(port) == _IMPLICIT_TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, int(port), timeout=_SECONDS, context=trusted
            )
        else:
            server = smtplib.SMTP(host, int(port), timeout=_SECONDS)
        with server:
            if not isinstance(server, smtplib.SMTP_SSL):
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=trusted)
                elif login and not is_loopback(host):
                    raise Untold(f"{host} offers no TLS, and gets no password without it")
            if login:
                user, _, password = login.partition(":")
                server.login(user, password)
            server.send_message(message)
    except smtplib.SMTPAuthenticationError:
        raise Untold(f"{host} does not take what {alert.login} holds") from None
    except smtplib.SMTPRecipientsRefused:
        raise Untold(f"{host} takes no mail for {', '.join(alert.email)}") from None
    except smtplib.SMTPServerDisconnected:  # also what smtplib makes of a time that is over
        raise Untold(f"{host} broke off, or said nothing for {_SECONDS:g} s") from None
    except smtplib.SMTPException as error:
        raise Untold(f"{host} did not take the mail ({type(error).__name__})") from None
    except TimeoutError:
        raise Untold(f"{host} did not answer within {_SECONDS:g} s") from None
    except OSError as error:
        raise Untold(f"{host} cannot be reached ({type(error).__name__})") from None
