"""A small repository with a history of fixes, to be learned from."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import git, write_files

CART = '''\
"""What a customer buys."""


class Cart:
    def __init__(self):
        self.items = []

    def total(self):
        """The sum of the prices."""
        # Free items have none.
        return sum(item.price for item in self.items)

    def empty(self):
        self.items = []
'''
FIXED_CART = CART.replace("item.price for", "item.price or 0 for")
LOGIN = """\
def log_in(user, password):
    digest = derive(password, user.salt)
    if digest != user.digest:
        raise PermissionError("wrong password")
    return Session(user)
"""
FIXED_LOGIN = LOGIN.replace("    return", "    user.attempts = 0\n    return")
SHIP = "".join(
    f"""\
def ship_{name}(order, address):
    parcel = pack_{name}(order.items, fragile=order.fragile)
    label = print_label(address, carrier="{name}")
    parcel.stick(label, side="top")
    return Shipment(parcel, label, days={days})


"""
    for days, name in enumerate(("post", "bike", "drone", "truck", "train"), 1)
)
FIRST = {"cart.py": CART, "login.py": LOGIN, "ship.py": SHIP}
FIXED_SHIP = SHIP.replace("days=3", "days=4")
TOTAL = "Fix the total of a cart with free items"
DAYS = "Fix the days that a drone takes to arrive"
ATTEMPTS = "Fix counting the attempts after a good login"


def commit(
    root: Path,
    message: str,
    files: Mapping[str, str],
    *,
    day: int,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Commit files on a day of May 2024; returns the commit."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", f"2024-05-{day:02}T12:00:00+00:00")
    write_files(root, files)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)
    return git(root, "rev-parse", "HEAD")


def make_shop(root: Path, monkeypatch: pytest.MonkeyPatch, **more: str) -> list[str]:
    """Commit the shop and three fixes of it; returns the commits, the oldest first."""
    days = iter(range(1, 28))
    return [
        commit(root, message, files, day=next(days), monkeypatch=monkeypatch)
        for message, files in (
            ("Begin the shop", {**FIRST, **more}),
            (f"{TOTAL}\n\nThey have no price.\n\nFixes: #7", {"cart.py": FIXED_CART}),
            (DAYS, {"ship.py": FIXED_SHIP}),
            (ATTEMPTS, {"login.py": FIXED_LOGIN, "tests/test_login.py": "def test(): ...\n"}),
        )
    ]
