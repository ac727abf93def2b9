"""What can befall accounts and sessions from outside: a restart, a hijack, a suspension, another password.

It must be the same whether control asks for it or a scripted fault strikes.
"""

from registrar.central import Central
from registrar.sessions import RESTART
from registrar.state import AccountState


def restart(central: Central, now_ns: int) -> None:
    """The registrar forgets all sessions; their connections are reset."""
    for session in list(central.sessions.live()):
        central.sessions.end(session, RESTART, now_ns)


def hijack(central: Central, account: AccountState, now_ns: int) -> None:
    """Somebody else logs in with this account."""
    central.sessions.open(account, now_ns, foreign=True)


def end_sessions(central: Central, account: AccountState, now_ns: int) -> None:
    """The account is suspended or removed: its sessions end at once."""
    for session in list(central.sessions.live()):
        if session.account is account:
            central.sessions.end(session, "account-suspended", now_ns)


def befall(central: Central, kind: str, account: AccountState, now_ns: int) -> None:
    """Do what a scripted fault of this kind says."""
    if kind == "restart":
        restart(central, now_ns)
    elif kind == "hijack":
        hijack(central, account, now_ns)
    elif kind == "password":
        account.secret += "-changed"
    else:
        account.suspended = True
        end_sessions(central, account, now_ns)
