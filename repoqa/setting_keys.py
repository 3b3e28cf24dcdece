"""The keys of the settings: what each source may give, and in which form."""

import msgspec

ENVIRONMENT_PREFIX = "REPOQA_"


class Source(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"server_url": "server.url", "server_model": "server.model"},
):
    """The types that one source may give; a budget may be a number or written `13k`."""

    model: str | msgspec.UnsetType = msgspec.UNSET
    budget: int | str | msgspec.UnsetType = msgspec.UNSET
    answer: int | str | msgspec.UnsetType = msgspec.UNSET
    server_url: str | msgspec.UnsetType = msgspec.UNSET
    server_model: str | msgspec.UnsetType = msgspec.UNSET
    api_key: str | msgspec.UnsetType = msgspec.UNSET
    cache_dir: str | msgspec.UnsetType = msgspec.UNSET
    cache_limit: int | str | msgspec.UnsetType = msgspec.UNSET
    prefix_cache: int | str | msgspec.UnsetType = msgspec.UNSET
    rope: str | msgspec.UnsetType = msgspec.UNSET
    rope_factor: float | str | msgspec.UnsetType = msgspec.UNSET
    ignore: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


FIELD_OF = dict(zip(Source.__struct_encode_fields__, Source.__struct_fields__, strict=True))
KEYS = tuple(FIELD_OF)
CONFIG_KEYS = tuple(key for key in KEYS if key != "api_key")
REPOSITORY_KEYS = ("budget", "ignore")
KEY_OF_VARIABLE = {f"{ENVIRONMENT_PREFIX}{name.upper()}": key for key, name in FIELD_OF.items()}
SECTIONS = ("server",)
TOKEN_KEYS = ("budget", "answer")
SIZE_KEYS = ("cache_limit", "prefix_cache")
NUMBER_KEYS = ("rope_factor",)
LIST_KEYS = ("ignore",)
