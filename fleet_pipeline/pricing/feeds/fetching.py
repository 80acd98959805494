"""Fetching a feed: one answer within limits, or a reason why there is none.

Belongs here: everything about the network. An answer is bounded in size and time, comes from the
host that was asked, and is never shown to anybody before an adapter has read it.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Final
from urllib.request import getproxies

import httpx

from fleet_pipeline.errors import SourceError

_HEADERS: Final = {
    "accept": "application/json",
    # Compressed answers could unpack to any size.
    "accept-encoding": "identity",
    "user-agent": f"fleet-pipeline/{version('fleet-pipeline')}",
}
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer may cost: seconds and bytes."""

    connect_seconds: float = 10
    total_seconds: float = 30
    """For all tries together, names and waiting included."""
    bytes: int = 8 << 20
    tries: int = 2
    redirects: int = 2
    wait_seconds: float = 2
    """Before another try, where the feed does not say how long."""


USUAL: Final = Limits()


class _Passing(Exception):
    """A failure that may be gone at the next try, ``after`` so many seconds."""

    def __init__(self, says: str, after: float | None = None) -> None:
        super().__init__(says)
        self.after = after


async def fetch(
    url: str, limits: Limits = USUAL, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return the body of ``url``.

    Only https, or http to this machine's own loopback address. Raises SourceError, which names the
    host and what to expect, for anything else than one whole answer in time.
    """
    asked = httpx.URL(url)
    _trusted()  # before the clock of the first answer runs
    try:
        async with asyncio.timeout(limits.total_seconds):
            return await _tries(asked, limits, headers or {})
    except TimeoutError:
        raise SourceError(
            f"{asked.host} gave no whole answer in {limits.total_seconds:g} s"
        ) from None


async def _tries(url: httpx.URL, limits: Limits, headers: Mapping[str, str]) -> bytes:
    await _check_address(url)
    timeout = httpx.Timeout(limits.total_seconds, connect=limits.connect_seconds)
    async with httpx.AsyncClient(
        headers={**_HEADERS, **headers},
        timeout=timeout,
        trust_env=not is_loopback(url.host),
        verify=_trusted(),
    ) as client:
        for tries_left in reversed(range(limits.tries)):
            try:
                return await _once(client, url, limits)
            except _Passing as failure:
                wait = limits.wait_seconds if failure.after is None else failure.after
                if not tries_left or wait > limits.total_seconds:
                    raise SourceError(f"{url.host} {failure}") from None
                await asyncio.sleep(wait)
    raise AssertionError("at least one try")


@cache
def _trusted() -> ssl.SSLContext:
    # Reading the certificates takes longer than most answers.
    return httpx.create_ssl_context()


async def _once(client: httpx.AsyncClient, url: httpx.URL, limits: Limits) -> bytes:
    here = url
    for _ in range(limits.redirects + 1):
        try:
            async with client.stream("GET", here) as response:
                if response.status_code in _REDIRECTS:
                    here = _redirected(here, response.headers.get("location", ""))
                    continue
                _check_status(response)
                return await _body(response, limits)
        except httpx.ConnectError:
            raise SourceError(f"{here.host} cannot be reached") from None
        except httpx.HTTPError as error:
            raise _Passing(f"broke off ({type(error).__name__})") from None
    raise SourceError(f"{here.host} redirects without end")


def _redirected(here: httpx.URL, location: str) -> httpx.URL:
    there = here.join(location)
    if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
        raise SourceError(f"{here.host} redirects to another host, which is not followed")
    return there


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == _TOO_MANY:
        raise _Passing("has had too many requests (429)", _retry_after(response))
    if status >= 500:
        raise _Passing(f"failed ({status})", _retry_after(response))
    if status != 200:
        raise SourceError(f"{response.url.host} refused ({status})")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise SourceError(f"{response.url.host} answered in an encoding that was not asked for")


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a feed asks to wait; a date, or nonsense, is as good as nothing."""
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else None


async def _body(response: httpx.Response, limits: Limits) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limits.bytes:
            raise SourceError(f"{response.url.host} answered more than {limits.bytes >> 20} MiB")
    return bytes(body)


async def _check_address(url: httpx.URL) -> None:
    """Refuse what would lead into a private network; a loopback address has to be named as one."""
    if is_loopback(url.host):
        return
    if url.scheme != "https":
        raise SourceError(f"{url.host} is not asked without https")
    if "https" in getproxies():
        return  # names are then the proxy's business, and may not be known here
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            url.host, url.port or 443, type=socket.SOCK_STREAM
        )
    except OSError:
        raise SourceError(f"{url.host} has no address here: is this machine offline?") from None
    for _, _, _, _, address in found:
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            raise SourceError(f"{url.host} leads into a private network, which is not followed")


def is_loopback(host: str) -> bool:
    """Say whether ``host`` is this machine, written as an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
