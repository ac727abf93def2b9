"""The one tree of errors.

    PratunamError
    ├── Refused            the person asked for something that cannot be: exit code 2
    │   ├── BadFile        a party's file cannot be taken
    │   ├── BadPolicy      the policy file is wrong
    │   ├── NotFound       no such job, party, account, version
    │   ├── Conflict       somebody else was faster, or the state does not allow it
    │   └── BadSetting     a setting or the home is wrong
    ├── Busy               not now; come back in `retry_after_ms`
    ├── NotRunning         something must run for this, and does not: exit code 4
    ├── GateLost           Redis is away or begins anew: nothing may be sent
    ├── WireFault          the registrar's end cannot be understood or reached
    └── SealBroken         a sealed value does not open: wrong key, or the bytes were changed

Every error says what happened and what to do, in English and in Thai, and never quotes personal data.
"""


class PratunamError(Exception):
    """Something went wrong in the gate."""

    code = "failed"

    def __init__(
        self, message_en: str = "", *, message_th: str = "", remedy_en: str = "", remedy_th: str = ""
    ) -> None:
        """Keep the message (default: the class's docstring) and the remedy in both languages."""
        self.message_en = message_en or (type(self).__doc__ or "").strip()
        self.message_th = message_th or self.message_en
        self.remedy_en = remedy_en
        self.remedy_th = remedy_th or remedy_en
        super().__init__(self.message_en)

    def __str__(self) -> str:
        """Return message and remedy in English, for logs and terminals."""
        return f"{self.message_en} {self.remedy_en}".strip()


class Refused(PratunamError):
    """This cannot be done as asked."""

    code = "refused"


class BadFile(Refused):
    """This file cannot be taken."""

    code = "bad-file"


class BadPolicy(Refused):
    """The policy file is wrong."""

    code = "bad-policy"


class NotFound(Refused):
    """There is no such thing here."""

    code = "not-found"


class Conflict(Refused):
    """The state of things does not allow this now."""

    code = "conflict"


class BadSetting(Refused):
    """A setting of this installation is wrong."""

    code = "bad-setting"


class Busy(PratunamError):
    """The gate has too much to do at this moment."""

    code = "busy"

    def __init__(
        self,
        message_en: str = "",
        *,
        retry_after_ms: int = 1000,
        message_th: str = "",
        remedy_en: str = "Try again in a moment.",
        remedy_th: str = "โปรดลองใหม่อีกครั้งในอีกสักครู่",
    ) -> None:
        """Say when to come back, in ms."""
        super().__init__(message_en, message_th=message_th, remedy_en=remedy_en, remedy_th=remedy_th)
        self.retry_after_ms = retry_after_ms


class NotRunning(PratunamError):
    """Nothing is running on this home."""

    code = "not-running"


class GateLost(PratunamError):
    """The gate's Redis cannot be reached, or begins anew."""

    code = "gate-lost"


class WireFault(PratunamError):
    """The registrar's end could not be reached or understood."""

    code = "wire-fault"

    def __init__(self, message_en: str = "", *, maybe_delivered: bool = True) -> None:
        """Say whether a byte may have reached the registrar: if not, nothing is unknown."""
        super().__init__(message_en)
        self.maybe_delivered = maybe_delivered


class SealBroken(PratunamError):
    """A sealed value does not open."""

    code = "seal-broken"
