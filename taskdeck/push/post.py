"""One message to an address outside: looked up once, checked, bounded in time, its answer's body never read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import aiohttp
from yarl import URL

from taskdeck import __version__
from taskdeck.domain.reach import Reach, first_refusal, is_address

TIMEOUT_S = 10.0
"""From the look-up of the name to the head of the answer."""
LOOK_UPS = 4
"""Names looked up at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The receiver's status, or why there is none."""

    status: int | None
    error: str | None


class Post:
    """Sends messages. Made and closed on the event loop; `connections` is how many may be open at once."""

    def __init__(self, reach: Reach, connections: int) -> None:
        self._reach = reach
        # threads of its own: a name server that does not answer must hold up nobody else's work
        self._names = ThreadPoolExecutor(LOOK_UPS, "taskdeck-names")
        # no connection is kept: the next message's address is looked up and checked anew
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            skip_auto_headers=("Accept", "Accept-Encoding"),
        )

    async def close(self) -> None:
        self._names.shutdown(wait=False, cancel_futures=True)
        await self._session.close()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST `body`; never raises for what a receiver or its network does."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._send(URL(url), headers, body)
        except TimeoutError:
            return Answer(None, f"no answer within {TIMEOUT_S:g} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, _in_words(error))

    async def _send(self, url: URL, headers: Mapping[str, str], body: bytes) -> Answer:
        host = url.raw_host or ""
        addresses = [host] if is_address(host) else await self._look_up(host, url.port or 0)
        why = first_refusal(self._reach, addresses, plain=url.scheme == "http")
        if why is not None:
            return Answer(None, f"refused: {why}")
        # to the very address that was checked, under the name that was asked for
        own = {"Host": url.raw_authority, "User-Agent": f"taskdeck/{__version__}", "Content-Type": "application/json"}
        async with self._session.post(
            url.with_host(addresses[0]),
            data=body,
            headers=own | dict(headers),
            allow_redirects=False,
            server_hostname=None if is_address(host) else host,
        ) as response:
            return _judged(response.status)

    async def _look_up(self, host: str, port: int) -> list[str]:
        """The addresses of a name, in numbers."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._names, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(place[0]) for *_, place in found]


def _judged(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer(status, None)
    if 300 <= status < 400:
        return Answer(status, f"answered {status}; redirects are not followed")
    return Answer(status, f"answered {status}")


def _in_words(error: Exception) -> str:
    """What went wrong, in words of our own: nothing that a receiver wrote is passed on."""
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "the receiver's certificate is not valid for its name"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no TLS connection came about"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection ({error.os_error.strerror or 'refused'})"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionError):
        return "the connection was cut before an answer came"
    return "no valid HTTP answer came"
