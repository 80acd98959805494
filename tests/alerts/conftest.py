"""A failure to tell of, and servers on this machine to tell."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult

from fleet_pipeline.alerts import Failure

from .hooks import Hook, hooked


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as made:
        yield made


class Mailbox(Message):
    """What a mail server took."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Any] = []
        self.answer = ""

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer:
            return self.answer
        return str(await super().handle_DATA(server, session, envelope))


@dataclass
class MailServer:
    address: str
    box: Mailbox


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _knows(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    return AuthResult(
        success=(given.login, given.password) == (b"fleet", b"a:secret"), handled=False
    )


@pytest.fixture
def mail() -> Iterator[MailServer]:
    box = Mailbox()
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=_knows,
        auth_require_tls=False,
    )
    controller.start()
    yield MailServer(f"127.0.0.1:{controller.port}", box)
    controller.stop()


@pytest.fixture
def failure() -> Failure:
    return Failure(
        fleet="riles-fleet",
        job="weekly_sweep_job",
        run_id="4711",
        close="2026-06-17",
        reasons=("nothing was published for 2026-06-17: days_add_up: off by <1> & more",),
    )
