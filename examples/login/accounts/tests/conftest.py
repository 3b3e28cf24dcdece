import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from accounts.service import AccountService
from accounts.sessions import SessionStore
from accounts.settings import PasswordPolicy, SessionPolicy, ThrottlePolicy
from accounts.throttle import Throttle
from accounts.users import UserStore


class Clock:
    """A clock that the tests move."""

    def __init__(self) -> None:
        self.now = datetime(2024, 4, 2, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def users() -> Iterator[UserStore]:
    database = sqlite3.connect(":memory:")
    yield UserStore(database)
    database.close()


@pytest.fixture
def make_service(users: UserStore, clock: Clock) -> Callable[..., AccountService]:
    """Makes services on the same users, as a restart with other settings does."""

    def make(rounds: int = 1_000) -> AccountService:
        return AccountService(
            users,
            SessionStore(SessionPolicy()),
            Throttle(ThrottlePolicy()),
            policy=PasswordPolicy(rounds=rounds),
            clock=clock,
        )

    return make
