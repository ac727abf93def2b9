"""What a worker process carries: sessions never wait for libraries that only checks use."""

import asyncio
import sys

from tests.source import ROOT

_LOOK = """
import sys
import pratunam.worker_process
from profiles.codes import codes_of
assert codes_of("party-members")
print(*sorted(sys.modules))
"""


async def test_a_worker_loads_nothing_that_only_checks_use() -> None:
    """Loading polars in a session's first moment stood still for a second."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _LOOK, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    out, _ = await child.communicate()
    loaded = set(out.decode().split())
    assert "workers.process" in loaded
    assert not loaded & {"polars", "geothai", "fastexcel", "profiles.book"}
