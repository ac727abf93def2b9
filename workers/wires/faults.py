"""The one place where errors of aiohttp and of sockets become WireFault; neither an address nor a text from outside gets through."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from domain.errors import WireFault


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the transport raises into WireFault; `maybe_delivered` is false only where no connection ever stood."""
    try:
        yield
    except (TimeoutError, aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
        raise WireFault(kind_of(error), maybe_delivered=not never_connected(error)) from None


def never_connected(error: BaseException) -> bool:
    """Say whether the connection was never made, so that no byte can have left."""
    return isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))


def kind_of(error: BaseException) -> str:
    """Name the kind of trouble without its text (texts carry URLs)."""
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError)):
        return "The registrar's certificate is not trusted, or TLS failed."
    if never_connected(error):
        return "The registrar cannot be reached."
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "The registrar did not answer in time."
    return f"The connection to the registrar broke ({type(error).__name__})."
