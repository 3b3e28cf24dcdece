"""Slows down guessing: an address with many failed logins has to wait."""

from collections import defaultdict, deque
from datetime import datetime

from accounts.errors import TooManyAttempts
from accounts.settings import ThrottlePolicy
from accounts.users import normalize


class Throttle:
    """Failed logins per address, in memory; a restart forgives everybody."""

    def __init__(self, policy: ThrottlePolicy) -> None:
        self._policy = policy
        self._failures: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def check(self, address: str, now: datetime) -> None:
        """Raises TooManyAttempts while the address has to wait."""
        failures = self._failures[normalize(address)]
        while failures and now - failures[0] > self._policy.window:
            failures.popleft()
        if len(failures) >= self._policy.attempts:
            raise TooManyAttempts("too many attempts, please wait a few minutes")

    def failed(self, address: str, now: datetime) -> None:
        """Count a failed login."""
        self._failures[normalize(address)].append(now)

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address."""
        self._failures.pop(normalize(address), None)
