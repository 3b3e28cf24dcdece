"""What one check found."""

from dataclasses import dataclass
from typing import Literal

State = Literal["fine", "lacking", "missing"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that repoqa needs or can use, in words for the user.

    `state` is `missing` where `repoqa ask` cannot answer because of it, `lacking` where it can,
    but at the price told in `cost`. `remedy` is the command or the step that mends it.
    """

    subject: str
    found: str
    state: State = "fine"
    cost: str = ""
    remedy: str = ""
