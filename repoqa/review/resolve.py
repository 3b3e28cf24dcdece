"""Whether a use of a name means a certain definition, as far as names, imports and files tell.

There is no type inference here: a receiver is known where it is `self`, a type's or module's name,
or where its file declares it with the type's name on the same line.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from repoqa.parsing.names import last_identifier
from repoqa.records import Symbol
from repoqa.review.sites import Site, Uses
from repoqa.review.versions import Version, called_name, is_constructor, last_name, owner_of

Meaning = Literal["sure", "maybe", "other"]
OWN_OBJECT = ("self", "this", "cls", "Self", "super", "parent")
# Files that are imported by the name of their folder.
FOLDER_FILES = ("__init__", "index", "mod", "lib", "main")
# A name without a receiver means what the file defines or imports.
SCOPED_TO_FILE = ("python", "javascript", "typescript", "tsx")
SCOPED_TO_FOLDER = ("go",)
# A method may be called without a receiver inside its class.
IMPLICIT_OBJECT = ("java", "cpp", "csharp", "kotlin", "scala", "swift", "ruby", "php")
DEEPEST_BASES = 8


@dataclass(frozen=True, slots=True)
class Target:
    """A definition that uses may mean, and the paths of others of the same name.

    `languages` are alike where one's code can call the other's.
    """

    version: Version
    symbol: Symbol
    others: Collection[str]

    @property
    def path(self) -> str:
        """The definition's file."""
        return self.version.path

    @property
    def owner(self) -> str:
        """The type it is called on; "" for a function and a constructor."""
        return "" if is_constructor(self.symbol) else owner_of(self.symbol)


def meaning(site: Site, target: Target, uses: Uses) -> Meaning:
    """Whether a use means the target."""
    language = uses.index.parsed(site.path).language
    if family(language) != family(target.version.parsed.language):
        return "other"
    receiver = last_identifier(site.call.receiver) if site.call else ""
    if target.owner:
        return _of_method(site, target, uses, receiver=receiver)
    return _of_function(site, target, uses, receiver=receiver)


def family(language: str) -> str:
    """One name for languages whose code can call the other's."""
    return {"tsx": "javascript", "typescript": "javascript", "c": "cpp", "kotlin": "java"}.get(
        language, language
    )


def _of_method(site: Site, target: Target, uses: Uses, *, receiver: str) -> Meaning:
    language = target.version.parsed.language
    owner = target.owner
    if site.call is None:
        return "other" if target.others else "maybe"
    if receiver in OWN_OBJECT or (not receiver and language in IMPLICIT_OBJECT):
        inherits = site.owner == owner or owner in ancestors(site.owner, uses)
        return "sure" if inherits else "other" if site.owner else "maybe"
    if not receiver:
        # Called on what another call or an index gives, or no method at all.
        return "maybe" if site.call.receiver else "other"
    if receiver == owner or declares(site, owner, uses):
        return "sure"
    types = [s for _, s in uses.definitions(receiver) if s.kind in ("class", "type")]
    return "other" if types and owner not in ancestors(receiver, uses) else "maybe"


def _of_function(site: Site, target: Target, uses: Uses, *, receiver: str) -> Meaning:
    language = target.version.parsed.language
    if site.call and site.call.receiver:
        return _through_module(site, target, uses, receiver=receiver)
    if site.path == target.path:
        return "sure"
    if language in SCOPED_TO_FOLDER:
        return "sure" if _folder(site.path) == _folder(target.path) else "other"
    return _imported(site, target, uses) or _in_sight(site, target, uses)


def _in_sight(site: Site, target: Target, uses: Uses) -> Meaning:
    """A name that the file neither defines nor imports by itself."""
    if target.version.parsed.language in SCOPED_TO_FILE:
        return "maybe" if _imports_module(site.path, target, uses) else "other"
    if site.path in target.others:
        return "other"
    return "maybe" if target.others else "sure"


def _through_module(site: Site, target: Target, uses: Uses, *, receiver: str) -> Meaning:
    """What stands before the name is a module, a package, a namespace or, elsewhere, an object."""
    language = target.version.parsed.language
    names = _module_names(target.path)
    if receiver in names or (language == "rust" and receiver in ("crate", "super", "self")):
        return "maybe" if target.others and language != "go" else "sure"
    if language == "cpp" and "." not in (site.call.receiver if site.call else ""):
        is_object = site.call is not None and "->" in site.call.receiver
        return "other" if is_object else "maybe" if target.others else "sure"
    return "maybe" if _imports_module(site.path, target, uses) and not target.others else "other"


def _imported(site: Site, target: Target, uses: Uses) -> Meaning | None:
    """What a file's import of the name means; None where it does not import it by name."""
    name = called_name(target.symbol)
    for reference in uses.index.parsed(site.path).references:
        if reference.kind != "import" or last_identifier(reference.name) != name:
            continue
        module = module_of(reference.name, name)
        if not module or is_module(module, target.path):
            return "sure"
        if any(is_module(module, other) for other in target.others):
            return "other"
        # A package may hand on what a file of it defines: `from shop import derive`.
        inside = any(is_module(module, folder) for folder in _folders(target.path))
        if inside or target.version.parsed.language == "rust":
            return "maybe" if target.others else "sure"
        return "other"
    return None


def _imports_module(path: str, target: Target, uses: Uses) -> bool:
    """Whether a file imports the target's module, or all that it defines."""
    return any(
        reference.kind == "import" and is_module(reference.name, target.path)
        for reference in uses.index.parsed(path).references
    )


def module_of(imported: str, name: str) -> str:
    """What an import takes a name from: `shop.passwords` of `shop.passwords.derive`."""
    return imported[: imported.rfind(name)].rstrip(".:/")


def is_module(module: str, path: str) -> bool:
    """Whether the last part of an imported module names a file, or the folder it stands for."""
    parts = re.split(r"[./\\]+", module.removesuffix(".js").strip("./"))
    return bool(parts[-1]) and parts[-1] in _module_names(path)


def _module_names(path: str) -> tuple[str, ...]:
    """The names that code may give the module of a file."""
    folder, _, file = path.rpartition("/")
    stem = file.partition(".")[0]
    last = last_name(folder.replace("/", "."))
    if stem in FOLDER_FILES:
        return (last,) if last else (stem,)
    return (stem, last) if file.endswith(".go") else (stem,)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _folders(path: str) -> tuple[str, ...]:
    """The packages around a file, as if each had an `__init__`."""
    parts = path.split("/")[:-1]
    return tuple("/".join((*parts[:end], "__init__.py")) for end in range(1, len(parts) + 1))


def ancestors(name: str, uses: Uses) -> frozenset[str]:
    """The names of all types that the types of a name inherit from."""
    found: set[str] = set()
    waiting = [name] if name else []
    for _ in range(DEEPEST_BASES):
        bases = {
            last_identifier(base)
            for each in waiting
            for _, symbol in uses.definitions(each)
            for base in symbol.bases
        }
        waiting = sorted(bases - found)
        found |= bases
    return frozenset(found)


def declares(site: Site, owner: str, uses: Uses) -> bool:
    """Whether the function around a use (the file, for `self.x`) declares its receiver's type."""
    receiver = last_identifier(site.call.receiver) if site.call else ""
    lines = uses.index.lines(site.path)
    if site.around and not (site.call and "." in site.call.receiver):
        lines = lines[site.around.start - 1 : site.around.end]
    declared = _declaration(receiver, owner)
    return any(declared(line) for line in lines if owner in line and receiver in line)


def _declaration(receiver: str, owner: str) -> Callable[[str], object]:
    """Finds `x: Type`, `x = Type(`, `x := &Type{`, `Type x`, `let x = Type::new(` in a line."""
    name, kind = re.escape(receiver), re.escape(owner)
    after = rf"\b{name}\s*(?::=|[:=]|\s)[^;]*?\b{kind}\b"
    before = rf"\b{kind}\b(?:<[^;]*>)?[\s*&]+{name}\b"
    return re.compile(f"{after}|{before}").search
