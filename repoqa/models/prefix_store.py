"""What a model has read, kept on disk for the processes that follow: tokens, and their keys and
values, in safetensors files of the user's cache.

A file is of one model: its weights, how its positions are scaled, the numbers it computes in, and
the releases of the libraries that compute. It is used as far as its tokens are those of a prompt,
so that nothing stale can be read from it. What was unused longest goes first where the files take
more than the limit; a file that does not read, or whose numbers are not those that were written, is
as if it were absent.
"""

import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from repoqa.models.device import Device
from repoqa.models.held import Held, common
from repoqa.models.key_values import can_rewind, filled, key_values
from repoqa.models.plan import Setting

# Fewer tokens are read sooner than a file is.
LEAST = 256
SUFFIX = ".safetensors"
_FORM = 3  # of the files: another one makes other names
_TOKENS = "tokens"
# A file is replaced by a longer one that begins with this much of it: a follow-up's prompt lacks
# the last question.
_REPLACED = 0.75


@dataclass(frozen=True, slots=True)
class Found:
    """A kept file, how many tokens it has, and how many of a prompt's first tokens they are."""

    path: Path
    tokens: int
    shared: int


@dataclass(frozen=True, slots=True)
class PrefixStore:
    """The files of one model in `folder`; those of all models take `limit` bytes at most."""

    folder: Path
    limit: int
    model: str

    def fill(self, held: Held, model: Any, prompt: Sequence[int], *, room: int) -> Found | None:
        """Bring what is kept of `prompt` into `held`, where that is more than it has already."""
        found = max(self._files(prompt), key=lambda each: each.shared, default=None)
        if found is None or found.shared < held.shared(prompt) + LEAST:
            return None
        cache = key_values(model.config, tokens=room, setting=held.setting)
        if not can_rewind(cache):
            return None
        try:
            with safe_open(found.path, framework="pt") as file:
                sums = file.metadata() or {}
                for number, layer in enumerate(cache.layers):
                    parts = (_sound(file, f"{kind}.{number}", sums) for kind in layer.kinds)
                    cut = (part[:, :, : found.shared, :].to(model.device) for part in parts)
                    layer.add(tuple(cut))
        except (OSError, SafetensorError):
            with contextlib.suppress(OSError):
                found.path.unlink()
            return None
        held.cache, held.tokens = cache, list(prompt[: found.shared])
        with contextlib.suppress(OSError):
            os.utime(found.path)
        return found

    def keep(self, held: Held, tokens: int, *, used: Found | None) -> None:
        """Keep the first `tokens` of what is held, where there is room and no file has them yet."""
        has_all = filled(held.cache) >= tokens and can_rewind(held.cache)
        if tokens < LEAST or not has_all or (used and used.shared >= tokens - 1):
            return
        states = {
            f"{kind}.{number}": part
            for number, layer in enumerate(held.cache.layers)
            for kind, part in zip(layer.kinds, layer.parts(tokens), strict=True)
        }
        if sum(state.nbytes for state in states.values()) > self.limit:
            return
        # Only to be told of when it is looked for: the answer is there already.
        with contextlib.suppress(OSError, SafetensorError):
            self._write(held.tokens[:tokens], states)
            if used and used.shared >= _REPLACED * used.tokens:
                used.path.unlink()
            self._forget()

    def _files(self, prompt: Sequence[int]) -> Iterator[Found]:
        """The model's files that begin as the prompt does; its last token is never among them."""
        for path in sorted(self.folder.glob(f"{self.model}-*{SUFFIX}")):
            try:
                with safe_open(path, framework="pt") as file:
                    tokens = _sound(file, _TOKENS, file.metadata() or {}).tolist()
            except (OSError, SafetensorError):
                with contextlib.suppress(OSError):
                    path.unlink()
                continue
            yield Found(path, len(tokens), min(common(tokens, prompt), len(prompt) - 1))

    def _write(self, tokens: list[int], states: Mapping[str, torch.Tensor]) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ids = torch.tensor(tokens)
        name = hashlib.sha256(ids.numpy().tobytes()).hexdigest()[:16]
        descriptor, partial = tempfile.mkstemp(dir=self.folder)
        os.close(descriptor)
        try:
            whole = {name: state.contiguous() for name, state in states.items()} | {_TOKENS: ids}
            save_file(whole, partial, {name: _checksum(state) for name, state in whole.items()})
            Path(partial).replace(self.folder / f"{self.model}-{name}{SUFFIX}")
        finally:
            Path(partial).unlink(missing_ok=True)

    def _forget(self) -> None:
        """Remove what was unused longest beyond the limit, files of other models too."""
        used = sorted(
            ((path.stat().st_mtime_ns, path) for path in self.folder.iterdir()), reverse=True
        )
        size = 0
        for _, path in used:
            size += path.stat().st_size
            if size > self.limit:
                path.unlink(missing_ok=True)


def _sound(file: Any, name: str, sums: Mapping[str, str]) -> torch.Tensor:
    """A tensor of an open file. Raises SafetensorError where it is not what was written."""
    tensor: torch.Tensor = file.get_tensor(name)
    if _checksum(tensor) != sums.get(name):
        raise SafetensorError(f"{name} is damaged")
    return tensor


def _checksum(tensor: torch.Tensor) -> str:
    return f"{zlib.crc32(tensor.cpu().flatten().view(torch.uint8).numpy().data):08x}"


def model_key(
    files: Sequence[Path], device: Device, setting: Setting, *, rope: Mapping[str, Any] | None
) -> str:
    """What the files of a model are named by: another key where anything would compute or keep
    other numbers. `files` are those of its weights, its config, and what changes them."""
    facts = [
        _FORM,
        torch.__version__,
        version("transformers"),
        device,
        setting,
        sorted((rope or {}).items()),
    ]
    for path in files:
        state = path.stat()
        facts += [path.name, state.st_size, state.st_mtime_ns]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
