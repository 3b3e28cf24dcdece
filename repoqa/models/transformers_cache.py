"""The same keys and values for transformers' models, which know a cache by its classes."""

from typing import Any

from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from repoqa.models.plan import Setting
from repoqa.models.reserved import ReservedLayer


class _Reserved(ReservedLayer, DynamicLayer):  # type: ignore[misc]
    """A layer that transformers takes for one of its own that grow."""

    def __init__(self, tokens: int, setting: Setting) -> None:
        DynamicLayer.__init__(self)
        ReservedLayer.__init__(self, tokens, setting)
        self.is_initialized = True


def reserved_cache(config: Any, tokens: int, setting: Setting) -> Any:
    """An empty cache for `tokens`; transformers' own where a layer does not attend to all."""
    growing = DynamicCache(config=config)
    if all(type(layer) is DynamicLayer for layer in growing.layers):
        return Cache(layers=[_Reserved(tokens, setting) for _ in growing.layers])
    return growing
