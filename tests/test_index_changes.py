"""However a repository changes, only new content is parsed and the answer is a fresh index's."""

import shutil
import tempfile
from pathlib import Path

from conftest import RepositoryMaker, git, write_files
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from test_index_build import FILES, indexed, ranking

from repoqa.repository.snapshot import open_snapshot

NAMES = st.sampled_from(["shop/cart.py", "shop/prices.py", "shop/new.py", "notes.txt", "a.py"])
TEXTS = st.sampled_from(
    [
        "def price(cart):\n    return 3\n",
        "class Cart:\n    def total(self):\n        return price(self)\n",
        "class Cart:\n    def amount(self):\n        return total(self)\n",
        "the price of a Cart\n",
    ]
)


class Changing(RuleBasedStateMachine):
    """A repository that is asked about after every change, always with the same cache."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp())
        self.root, self.cache = self.base / "repository", self.base / "cache"
        self.seen: set[tuple[str, str]] = set()  # every content that was parsed, by file name

    @initialize()
    def make(self) -> None:
        self.root.mkdir()
        git(self.root, "init", "--quiet")
        write_files(self.root, FILES)
        self.commit()
        git(self.root, "branch", "other")

    def commit(self) -> None:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message=x")

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        write_files(self.root, {name: text})

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        if (self.root / old).exists():
            (self.root / old).rename(self.root / new)

    @rule()
    def switch(self) -> None:
        self.commit()
        git(self.root, "switch", "--quiet", "--detach", "other")
        git(self.root, "branch", "--force", "other", "main")
        git(self.root, "switch", "--quiet", "--force-create", "main")

    @rule()
    def rebase_and_pull(self) -> None:
        """What others committed meanwhile comes in below what was committed here."""
        self.commit()
        git(self.root, "rebase", "--quiet", "--strategy-option=ours", "other")

    @rule()
    def go_back(self) -> None:
        git(self.root, "reset", "--quiet", "--hard", "other")

    @invariant()
    def answers_are_those_of_a_fresh_index(self) -> None:
        if not self.root.exists():
            return
        snapshot = open_snapshot(self.root)
        now = {(Path(entry.path).name, entry.oid) for entry in snapshot.files}
        new = [e for e in snapshot.files if (Path(e.path).name, e.oid) not in self.seen]
        index, fresh = indexed(self.root, self.cache), indexed(self.root, None)
        assert index.parsed_count == len(new)
        assert index.paths == fresh.paths
        assert index.skipped == fresh.skipped
        assert ranking(index) == ranking(fresh)
        for name in ("Cart.total", "Cart.amount", "price"):
            assert index.defined(name) == fresh.defined(name)
        self.seen |= now

    def teardown(self) -> None:
        shutil.rmtree(self.base)


def test_any_changes_parse_new_content_alone_and_nothing_stale_is_served() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Changing, settings=settings(max_examples=8, stateful_step_count=8, deadline=None)
    )


def test_clones_and_worktrees_share_what_was_parsed(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    root = make_repository(FILES)
    expected = ranking(indexed(root, tmp_path / "cache"))
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    git(root, "worktree", "add", "--quiet", "../tree", "--detach")
    for place in ("clone", "tree"):
        index = indexed(tmp_path / place, tmp_path / "cache")
        assert index.parsed_count == 0
        assert ranking(index) == expected
