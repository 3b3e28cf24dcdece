"""Session tokens: opaque, kept as digests, expiring by age and by idleness."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from accounts.errors import SessionExpired
from accounts.settings import SessionPolicy

TOKEN_BYTES = 32


@dataclass(frozen=True)
class Session:
    """Who is logged in, since when, and when they were last seen."""

    user_id: int
    started: datetime
    seen: datetime


class SessionStore:
    """Sessions in memory, by the digest of their token: a leaked dump logs nobody in."""

    def __init__(self, policy: SessionPolicy) -> None:
        self._policy = policy
        self._sessions: dict[str, Session] = {}

    def start(self, user_id: int, now: datetime) -> str:
        """Begin a session and return its token, which is shown once and never stored."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._sessions[_digest(token)] = Session(user_id, started=now, seen=now)
        return token

    def check(self, token: str, now: datetime) -> Session:
        """The session of a token, marked as seen now. Raises SessionExpired."""
        session = self._sessions.get(_digest(token))
        if session is None:
            raise SessionExpired("please log in")
        if self._is_over(session, now):
            del self._sessions[_digest(token)]
            raise SessionExpired("please log in again")
        current = replace(session, seen=now)
        self._sessions[_digest(token)] = current
        return current

    def end(self, token: str) -> None:
        """Log out; an unknown token is no error."""
        self._sessions.pop(_digest(token), None)

    def _is_over(self, session: Session, now: datetime) -> bool:
        too_old = now - session.started >= self._policy.lifetime
        too_idle = now - session.seen >= self._policy.idle
        return too_old or too_idle


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("ascii", "replace")).hexdigest()
