"""One connection to the registrar: bytes out at once, an answer's head and body told in the step in which they are read.

No task, queue or future stands between the socket and whoever listens. It must not know what a line or a record is.
Reading is llhttp's (`httptools`); what an answer may be is bounded here, so that no answer fills the memory.
"""

import asyncio
import select
import socket
import struct
from collections.abc import Callable
from typing import Protocol

import httptools

#: the most that heads, trailers and chunk headers may hold before a body's next byte (bytes)
LONGEST_HEAD = 65_536
#: headers that anybody asks for
_HEARD = {b"date": "Date", b"retry-after": "Retry-After"}


class Listener(Protocol):
    """Whoever has the connection: one request at a time."""

    def on_head(self, status: int, headers: dict[str, str]) -> None:
        """Take the status and what was kept of the headers."""
        ...

    def on_body(self, data: bytes) -> None:
        """Take what one read held of the body."""
        ...

    def on_complete(self, *, may_stay: bool) -> None:
        """Take the end of the answer; `may_stay`: the server keeps the connection open."""
        ...

    def on_broken(self, code: str) -> None:
        """Take that no more can come: `broken`, or `unreadable`."""
        ...


class _Unasked(Exception):
    """An answer that nobody asked for, or a head beyond its limit: reading stops there."""


class Connection(asyncio.Protocol):
    """A transport with a parser."""

    def __init__(self, gone: Callable[["Connection"], None]) -> None:
        """Tell `gone` when the transport is closed for good."""
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        #: with TLS, the transport below it
        self._below: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._listener: Listener | None = None
        self._has_answered = False
        self._reset()

    def _reset(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._head_told = False
        self._framed = False
        self._may_stay = False
        self._complete = False
        self._pieces: list[bytes] = []
        self._held = 0
        self._head_bytes = 0

    # --- what a request does ------------------------------------------------------------------------

    def serve(self, listener: Listener | None) -> None:
        """Tell `listener` from now on; None while nobody has it."""
        self._listener = listener
        self._reset()

    def is_open(self) -> bool:
        """Say whether bytes can still be written."""
        return self._transport is not None and not self._transport.is_closing()

    def is_clear(self) -> bool:
        """Say whether a byte written now would be the next to leave."""
        transport, below = self._transport, self._below
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            return False
        return below is None or not below.get_write_buffer_size()

    def has_news(self) -> bool:
        """Say whether the socket holds bytes, or an end, that were not read yet.

        TLS has bytes of its own to read before the first answer (session tickets), which are no news.
        """
        if self._transport is None:
            return True
        if not self._has_answered and self._transport.get_extra_info("ssl_object") is not None:
            return False
        handle = self._transport.get_extra_info("socket")
        if handle is None or handle.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(handle.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport."""
        assert self._transport is not None, "written before it stands"
        self._transport.write(data)

    def cut(self) -> None:
        """Drop the connection with a reset, so that what the kernel still holds is thrown away too; nobody is told."""
        self._listener = None
        if self._transport is not None:
            handle = self._transport.get_extra_info("socket")
            if handle is not None and handle.fileno() >= 0:
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def close(self) -> None:
        """Close politely, or with a reset where bytes would leave afterwards; nobody is told."""
        self._listener = None
        if self._transport is not None and not self.is_clear():
            self.cut()
        elif self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Drop the connection and tell whoever has it."""
        self._lost(with_error=True)
        if self._transport is not None:
            self._transport.abort()

    # --- what the transport tells -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
        handle = transport.get_extra_info("socket")
        if handle is not None:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        parser, listener = self._parser, self._listener
        if parser is None or listener is None:  # nobody has asked for anything
            self.close()
            return
        self._held += len(data)
        spoilt = False
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            spoilt = True
        self._tell(listener, spoilt=spoilt or self._held > LONGEST_HEAD)

    def eof_received(self) -> None:
        self._lost()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(with_error=exc is not None)
        self._transport = None
        self._parser = None  # parser and connection hold each other
        self._gone(self)

    def _tell(self, listener: Listener, *, spoilt: bool) -> None:
        """Tell what one read held, in order; whoever listens may let go of the connection on the way."""
        if not self._head_told and self._status >= 200:
            self._head_told = True
            listener.on_head(self._status, self._headers)
        if self._pieces and self._listener is listener:
            pieces, self._pieces = self._pieces, []
            listener.on_body(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if self._listener is not listener:
            return
        if self._complete:
            listener.on_complete(may_stay=self._may_stay and not spoilt)
        elif spoilt:
            listener.on_broken("unreadable")

    def _lost(self, *, with_error: bool = False) -> None:
        """The other side is gone: the end of an answer that has no other end, else a break."""
        listener = self._listener
        if listener is None:
            return
        if self._head_told and not self._framed and not with_error:
            listener.on_complete(may_stay=False)
        else:
            listener.on_broken("broken")
        if self._listener is listener:
            self.close()

    # --- what the parser tells ----------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin an answer; a second one, that nobody asked for, is an error."""
        if self._complete:
            raise _Unasked

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the few that are asked for; the first of a kind counts."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > LONGEST_HEAD:
            raise _Unasked
        if self._status >= 200:  # a trailer
            return
        lower = name.lower()
        if lower in _HEARD:
            self._headers.setdefault(_HEARD[lower], value.decode("latin-1"))
        elif lower in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        """An interim answer (1xx) says nothing: what it held is forgotten, but not how much."""
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:
            self._headers, self._framed = {}, False
            return
        self._status = status
        self._may_stay = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """Keep a piece until the read is through."""
        self._held = 0
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was an interim one."""
        if self._status >= 200:
            self._complete = self._has_answered = True
