"""What the shop can do with accounts: sign up, log in, find out who is there, log out."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from accounts import passwords
from accounts.errors import InvalidCredentials
from accounts.sessions import SessionStore
from accounts.settings import PasswordPolicy
from accounts.throttle import Throttle
from accounts.users import User, UserStore

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The default clock."""
    return datetime.now(UTC)


class AccountService:
    """Ties the stores together; the only place that sees a password in the clear."""

    def __init__(
        self,
        users: UserStore,
        sessions: SessionStore,
        throttle: Throttle,
        *,
        policy: PasswordPolicy,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._throttle = throttle
        self._policy = policy
        self._clock = clock

    def sign_up(self, address: str, password: str) -> User:
        """Create an account. Raises AddressTaken or WeakPassword."""
        hashed = passwords.create(password, self._policy)
        return self._users.add(address, hashed, self._clock())

    def log_in(self, address: str, password: str) -> str:
        """Return a session token. Raises InvalidCredentials or TooManyAttempts."""
        now = self._clock()
        self._throttle.check(address, now)
        user = self._users.find(address)
        if user is None or not passwords.matches(password, user.password):
            self._throttle.failed(address, now)
            raise InvalidCredentials("wrong address or password")
        self._throttle.succeeded(address)
        self._renew_hash(user, password)
        self._users.record_login(user, now)
        return self._sessions.start(user.id, now)

    def who_is(self, token: str) -> int:
        """The user id behind a session token. Raises SessionExpired."""
        return self._sessions.check(token, self._clock()).user_id

    def log_out(self, token: str) -> None:
        """End the session."""
        self._sessions.end(token)

    def _renew_hash(self, user: User, password: str) -> None:
        if passwords.is_outdated(user.password, self._policy):
            renewed = passwords.strengthen(password, user.password, self._policy)
            self._users.replace_password(user, renewed)
            log.info("renewed the password hash of user %d", user.id)
