"""One HTTP exchange within limits: a whole answer, in time, from the host that was asked.

Belongs here: what every request of the product keeps to, whoever is asked. What a status means,
what the body holds and whether to ask again is the business of whoever asks.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Final, Literal
from urllib.request import getproxies, proxy_bypass

import httpx

Reason = Literal[
    "not_allowed", "unreachable", "timed_out", "broke_off", "too_large", "redirected", "encoded"
]
"""Why there is no answer; ``not_allowed`` means that nobody was asked."""

_HEADERS: Final = {
    "accept": "application/json",
    # Compressed answers could unpack to any size.
    "accept-encoding": "identity",
    "user-agent": f"fleet-pipeline/{version('fleet-pipeline')}",
}
UNFIT_PROXY: Final = "the environment names a proxy that is none of http or https"
_REDIRECTS: Final = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an exchange may cost."""

    connect_seconds: float
    total_seconds: float
    """For all that is asked through one connection, names and waiting included."""
    bytes: int
    redirects: int = 0


class Unanswered(Exception):
    """There is no whole answer. The message names the host, never what was sent or received."""

    def __init__(self, reason: Reason, says: str) -> None:
        """Take why there is no answer, and words for it."""
        super().__init__(says)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host said; the body of anything but a success (200) is not read."""

    host: str
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def retry_after_seconds(self) -> float | None:
        """The seconds that the host asks to wait; a date, or nonsense, is as good as nothing."""
        asked = self.headers.get("retry-after", "")
        return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else None


class Connection:
    """A way to ask one host; made by ``connection``."""

    def __init__(self, client: httpx.AsyncClient, url: httpx.URL, bounds: Bounds) -> None:
        """Take who carries it, where it leads, and what it may cost."""
        self._client = client
        self._url = url
        self._bounds = bounds

    async def get(self) -> Reply:
        """Return the answer to a plain request. Raises Unanswered."""
        return await self._ask("GET", None)

    async def post(self, content: bytes) -> Reply:
        """Return the answer to JSON that is sent. Raises Unanswered."""
        return await self._ask("POST", content)

    async def _ask(self, method: str, content: bytes | None) -> Reply:
        here = self._url
        headers = {"content-type": "application/json"} if content is not None else {}
        for _ in range(self._bounds.redirects + 1):
            try:
                async with self._client.stream(
                    method, here, content=content, headers=headers
                ) as response:
                    if response.status_code in _REDIRECTS:
                        here = _redirected(here, response.headers.get("location", ""))
                        continue
                    return Reply(
                        here.host,
                        response.status_code,
                        response.headers,
                        await self._body(response),
                    )
            except httpx.ConnectError:
                raise Unanswered("unreachable", f"{here.host} cannot be reached") from None
            except httpx.TimeoutException as error:
                says = f"{here.host} broke off ({type(error).__name__})"
                raise Unanswered("timed_out", says) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                says = f"{here.host} broke off ({type(error).__name__})"
                raise Unanswered("broke_off", says) from None
        raise Unanswered("redirected", f"{here.host} redirects without end")

    async def _body(self, response: httpx.Response) -> bytes:
        if response.status_code != 200:
            return b""
        host = response.url.host
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Unanswered("encoded", f"{host} answered in an encoding that was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._bounds.bytes:
                size = self._bounds.bytes >> 20
                raise Unanswered("too_large", f"{host} answered more than {size} MiB")
        return bytes(body)


@asynccontextmanager
async def connection(
    url: str, bounds: Bounds, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Connection]:
    """Yield a way to ask ``url``; only https, or http to this machine's own loopback address.

    Raises Unanswered for a place that is not to be asked, and when the time for everything that
    happens inside is over.
    """
    try:
        asked = httpx.URL(url)
    except httpx.InvalidURL:
        raise Unanswered("not_allowed", "nobody can be asked at an address that is none") from None
    trusted = _trusted()  # before the clock of the first answer runs
    try:
        async with asyncio.timeout(bounds.total_seconds):
            await _check_address(asked)
            async with _client(asked.host, bounds, headers or {}, trusted) as client:
                yield Connection(client, asked, bounds)
    except TimeoutError:
        says = f"{asked.host} gave no whole answer in {bounds.total_seconds:g} s"
        raise Unanswered("timed_out", says) from None


def _client(
    host: str, bounds: Bounds, headers: Mapping[str, str], trusted: ssl.SSLContext
) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            headers={**_HEADERS, **headers},
            timeout=httpx.Timeout(bounds.total_seconds, connect=bounds.connect_seconds),
            trust_env=not is_loopback(host),
            verify=trusted,
        )
    except UnicodeEncodeError:  # which quotes a key
        raise Unanswered("not_allowed", f"{host} is not asked with a key that is none") from None
    except (ImportError, ValueError, httpx.InvalidURL):  # which may quote a proxy's password
        raise Unanswered("unreachable", f"{host} cannot be asked: {UNFIT_PROXY}") from None


def is_loopback(host: str) -> bool:
    """Say whether ``host`` is this machine, written as an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@cache
def _trusted() -> ssl.SSLContext:
    # Reading the certificates takes longer than most answers.
    return httpx.create_ssl_context()


def _redirected(here: httpx.URL, location: str) -> httpx.URL:
    there = here.join(location)
    if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
        says = f"{here.host} redirects to another host, which is not followed"
        raise Unanswered("redirected", says)
    return there


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _has_proxy(host: str) -> bool:
    return bool({"https", "all"} & getproxies().keys()) and not proxy_bypass(host)


async def _check_address(url: httpx.URL) -> None:
    """Refuse what would lead into a private network; a loopback address has to be named as one."""
    if is_loopback(url.host):
        return
    if url.scheme != "https":
        raise Unanswered("not_allowed", f"{url.host} is not asked without https")
    if not _is_address(url.host) and _has_proxy(url.host):
        return  # names are then the proxy's business, and may not be known here
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            url.host, url.port or 443, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError):
        says = f"{url.host} has no address here: is this machine offline?"
        raise Unanswered("unreachable", says) from None
    for _, _, _, _, address in found:
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            says = f"{url.host} leads into a private network, which is not followed"
            raise Unanswered("not_allowed", says)
