"""The shape of whom to tell of a run that failed; secrets are named here and stay elsewhere."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from fleet_pipeline.org.strict import Strict, Text

_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_ADDRESS: Final = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")
_SERVER: Final = re.compile(r"[^\s:/@]+:[0-9]{1,5}")


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        # What stands there instead may be the secret itself: it is not repeated.
        raise ValueError(
            "is no name of an environment variable; secrets stay out of this file: put it into a"
            " variable such as FLEET_ALERT_URL, and write the variable's name"
        )
    return text


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("is no e-mail address")
    return text


def _server(text: str) -> str:
    if not _SERVER.fullmatch(text) or not 0 < int(text.rpartition(":")[2]) < 65536:
        raise ValueError("needs a host and a port")
    return text


Variable = Annotated[Text, AfterValidator(_variable)]
EmailAddress = Annotated[Text, AfterValidator(_address)]


class Alert(Strict):
    """One way to tell of a run that failed: Slack, a webhook of one's own, or e-mail."""

    slack: Variable | None = Field(
        default=None,
        description="the variable that holds the address of an incoming webhook of Slack",
        examples=["FLEET_SLACK_URL"],
    )
    webhook: Variable | None = Field(
        default=None,
        description="the variable that holds an address which takes JSON",
        examples=["FLEET_ALERT_URL"],
    )
    email: tuple[EmailAddress, ...] = Field(
        default=(), description="who gets mail", examples=["[analyst@example.org]"]
    )
    sender: EmailAddress | None = Field(
        default=None, description="whom the mail is from", examples=["fleet@example.org"]
    )
    smtp: Annotated[Text, AfterValidator(_server)] | None = Field(
        default=None, description="the mail server", examples=["mail.example.org:587"]
    )
    login: Variable | None = Field(
        default=None,
        description="the variable that holds user:password, if the server wants them",
        examples=["FLEET_SMTP_LOGIN"],
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Alert":
        if [bool(self.slack), bool(self.webhook), bool(self.email)].count(True) != 1:
            raise ValueError(
                "is one of three things; write one of slack: <variable>, webhook: <variable>"
                " or email: [<address>]"
            )
        if self.email and not (self.sender and self.smtp):
            raise ValueError("does not say how mail goes; add sender: <address>, smtp: <host:port>")
        if not self.email and (self.sender or self.smtp or self.login):
            raise ValueError("is no mail; leave out sender, smtp and login")
        return self
