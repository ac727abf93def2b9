"""Gives a process the loopback address of its host: connections leave from there, so that a link knows whose they are.

It also puts a process into a build without a guard, where one is named.
"""

import os
import socket
from typing import Any

_ADDRESS = os.environ.get("GAUNTLET_ADDRESS", "")


def _from_own_address(name: str) -> None:
    connect = getattr(socket.socket, name)

    def connect_from(self: socket.socket, address: Any) -> Any:
        if self.family == socket.AF_INET and self.getsockname()[1] == 0:
            self.bind((_ADDRESS, 0))
        return connect(self, address)

    setattr(socket.socket, name, connect_from)


if _ADDRESS:
    for each in ("connect", "connect_ex"):
        _from_own_address(each)

if os.environ.get("GAUNTLET_WITHOUT"):
    from tests.gauntlet import unguarded

    unguarded.begin(os.environ["GAUNTLET_WITHOUT"])
