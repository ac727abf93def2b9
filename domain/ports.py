"""Small ports by which a lower room reaches up; `pratunam/` wires them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol


class Doorbell(Protocol):
    """Rings an actor that lives in `workers/`. A ring is a wish: it may be lost or doubled without harm; it carries ids only."""

    def check_job(self, job: str) -> None:
        """Ask for a file to be checked."""
        ...

    def run_sessions(self, registry: str, parties: Sequence[str]) -> None:
        """Ask for one more session of each party, as often as it is named, in this order."""
        ...

    def send_notice(self, notice: str) -> None:
        """Ask for a notice to be delivered."""
        ...


class Spool(Protocol):
    """Sealed blobs in numbered chunks, readable from every worker host; never plain text (callers seal first)."""

    async def put(self, blob: str, chunk: int, data: bytes) -> None:
        """Write one chunk durably; writing the same chunk again replaces it."""
        ...

    async def get(self, blob: str, chunk: int) -> bytes:
        """Read one chunk; raises NotFound."""
        ...

    def chunks(self, blob: str) -> AsyncIterator[bytes]:
        """Yield all chunks in order."""
        ...

    async def delete(self, blob: str) -> None:
        """Remove a blob and all its chunks; nothing happens when it is gone."""
        ...

    async def blobs(self) -> Mapping[str, int]:
        """Return all blobs, each with when it was last written to (ms since the epoch)."""
        ...
