"""The limited process in which files are read and checked: `python -m intake.child MEMORY CPU_SECONDS PARENT`.

It holds no key but the blind index's, opens no ledger and no spool, and says nothing on standard error.
"""

import sys

from intake.limits import confine


def main() -> None:
    """Do the one task that comes through standard input, and end."""
    confine(*(int(word) for word in sys.argv[1:4]))
    from intake.serve import serve

    serve()


if __name__ == "__main__":
    main()
