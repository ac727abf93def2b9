"""What a child does to itself before it looks at a file: limits on memory and CPU, a low rank, no core dump, death with its parent.

Nothing heavy may be imported before `confine` has run.
"""

import ctypes
import os
import resource
import signal
import sys

#: reading and checking files gives way to sending records
NICE = 3
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_M_MMAP_THRESHOLD = -3


def confine(memory: int, cpu_s: int, parent: int) -> None:
    """Set the limits (bytes, seconds of CPU) and end at once when the process `parent` is gone already."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)
    # an interrupt at the terminal is the parent's to handle: it ends us
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def return_memory() -> None:
    """Give freed memory back to the system; for once, after a step that needed much more than what comes."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)


def map_large(size: int) -> None:
    """From now on, take what is larger (bytes) from the system each time and give it back: it leaves no holes among what is small."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(_M_MMAP_THRESHOLD, size)
