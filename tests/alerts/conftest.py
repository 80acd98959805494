"""A failure to tell of, and servers on this machine to tell."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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


@contextmanager
def _receiving(trusted: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    box = Mailbox()
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=_knows,
        auth_require_tls=trusted is not None,
        tls_context=trusted,
    )
    controller.start()
    yield MailServer(f"127.0.0.1:{controller.port}", box)
    controller.stop()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with _receiving() as server:
        yield server


@pytest.fixture
def mail_with_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A server that offers STARTTLS, with a certificate that this machine trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a mail server of the tests")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "server.pem").write_bytes(private + certificate.public_bytes(pem))
    (tmp_path / "trusted.pem").write_bytes(certificate.public_bytes(pem))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    with _receiving(context) as server:
        yield server


@pytest.fixture
def failure() -> Failure:
    return Failure(
        fleet="riles-fleet",
        job="weekly_sweep_job",
        run_id="4711",
        close="2026-06-17",
        reasons=("nothing was published for 2026-06-17: days_add_up: off by <1> & more",),
    )
