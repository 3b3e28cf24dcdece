"""What a model has read, held for the next prompt that begins with the same tokens.

A follow-up, the next window of a sweep and the same question asked again begin like the prompt
before them: only what differs is read anew. At least the prompt's last token always is, since the
answer follows from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from repoqa.models.key_values import WHOLE, can_rewind, filled, kept, key_values, make_room, rewind
from repoqa.models.plan import Setting


@dataclass(slots=True)
class Held:
    """Tokens, and their keys and values, which may be those of fewer of them: a read that was
    stopped on the way leaves layers that have got further than others. `setting` is how they are
    kept."""

    setting: Setting = WHOLE
    tokens: list[int] = field(default_factory=list)
    cache: Any = None

    def begin(self, config: Any, prompt: Sequence[int], *, room: int) -> int:
        """Make ready for `prompt`, with `room` for so many tokens in all; return how many of its
        first tokens need not be read."""
        shared = min(self.shared(prompt), len(prompt) - 1)
        if shared > 0:
            rewind(self.cache, shared)
            make_room(self.cache, room)
        else:
            shared = 0
            self.cache = None  # before the next: both together may be too large
            self.cache = key_values(config, tokens=room, setting=self.setting)
        self.tokens = list(prompt)
        return shared

    @property
    def size(self) -> int:
        """The bytes of what is held."""
        return kept(self.cache) if self.cache is not None and can_rewind(self.cache) else 0

    def shared(self, prompt: Sequence[int]) -> int:
        """How many of the first tokens of `prompt` are held."""
        if self.cache is None or not can_rewind(self.cache):
            return 0
        return common(self.tokens[: filled(self.cache)], prompt)


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many of their first tokens are the same."""
    pairs = zip(one, other, strict=False)
    least = min(len(one), len(other))
    return next((place for place, (a, b) in enumerate(pairs) if a != b), least)
