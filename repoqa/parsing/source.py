"""A file's bytes as a tree with its text: what reads more of the code than symbols tell."""

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node, Tree

from repoqa.parsing import languages
from repoqa.parsing.parse import syntax_tree
from repoqa.parsing.text import decode

# Deeper nodes are of no code that people write; a tree's walk is bounded by it.
DEEPEST_NODE = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file. Nodes must not outlive it; their text is taken from `content`."""

    language: str
    content: bytes
    tree: Tree

    def text(self, node: Node) -> str:
        """The text of a node."""
        return self.content[node.start_byte : node.end_byte].decode(errors="replace")

    def nodes(self) -> Iterator[Node]:
        """Every named node, in the order of the file."""
        waiting = [(self.tree.root_node, 0)]
        while waiting:
            node, depth = waiting.pop()
            yield node
            if depth < DEEPEST_NODE:
                waiting += [(child, depth + 1) for child in reversed(node.named_children)]


def read_source(path: str, content: bytes) -> Source | None:
    """The file's tree; None for text without a grammar and where the parser gives up."""
    text = decode(content)
    language = languages.detect(path, content) if text is not None else ""
    if text is None or not language:
        return None
    utf8 = content if content.isascii() else text.encode()
    tree = syntax_tree(language, utf8)
    return None if tree is None else Source(language, utf8, tree)


def line_of(node: Node) -> int:
    """The line a node starts on, from 1."""
    return node.start_point[0] + 1


def last_line_of(node: Node) -> int:
    """The line a node ends on, from 1."""
    return node.end_point[0] + 1
