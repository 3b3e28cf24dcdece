"""The script that turns published benchmarks into reports, on rows in their own formats."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from repoqa.evaluation.reports import Gold, Report, read

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "public_reports.py"
PATCH = """\
diff --git a/docs/changes.rst b/docs/changes.rst
--- a/docs/changes.rst
+++ b/docs/changes.rst
@@ -1,3 +1,4 @@
 Changes
 =======
+- totals
 --
diff --git a/shop/cart.py b/shop/cart.py
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -10,5 +10,6 @@ class Cart:
     def total(self):
-        return sum(self.items)
+        items = self.items or ()
+        return sum(items)
     #
     def empty(self):
         self.items = None
@@ -40,3 +41,4 @@ def ship(cart):
     a = 1
     b = 2
+    c = 3
     return a
diff --git a/shop/new.py b/shop/new.py
new file mode 100644
--- /dev/null
+++ b/shop/new.py
@@ -0,0 +1 @@
+x = 1
"""
VERIFIED = {
    "repo": "ada/shop",
    "instance_id": "ada__shop-7",
    "base_commit": "a" * 40,
    "patch": PATCH,
    "test_patch": "diff --git a/tests/test_cart.py b/tests/test_cart.py\n",
    "problem_statement": "total is wrong\r\n\r\nIt fails.",
    "hints_text": "",
    "created_at": "2024-01-01T00:00:00Z",
    "version": "1.0",
    "FAIL_TO_PASS": '["test_total"]',
    "difficulty": "<15 min fix",
}
MULTILINGUAL = {
    "org": "ada",
    "repo": "press",
    "number": 12,
    "state": "closed",
    "title": "Fix total",
    "body": "Fixes #3 and #4",
    "base": {"label": "ada:main", "ref": "main", "sha": "b" * 40},
    "resolved_issues": [
        {"number": 3, "title": "wrong total", "body": "It is 0."},
        {"number": 4, "title": "crash", "body": None},
    ],
    "fix_patch": PATCH.replace("cart.py", "cart.rs").replace("new.py", "new.rs"),
    "test_patch": "",
    "fixed_tests": {},
    "instance_id": "ada__press_12",
}
RANGES = ((11, 11), (41, 41))


def written(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def converted(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False
    )


def test_published_rows_become_reports(tmp_path: Path) -> None:
    files = (
        written(tmp_path / "verified.jsonl", VERIFIED),
        written(tmp_path / "press_dataset.jsonl", MULTILINGUAL),
    )
    done = converted(*files, "--history", "ada/press=bob/press")
    assert done.returncode == 0, done.stderr
    (tmp_path / "reports.jsonl").write_text(done.stdout)
    python, rust = read(tmp_path / "reports.jsonl")
    assert python == Report(
        id="ada__shop-7",
        lang="python",
        repo="ada/shop",
        history="ada/shop",
        base_commit="a" * 40,
        problem_statement="total is wrong\r\n\r\nIt fails.",
        gold=(Gold("shop/cart.py", RANGES),),
    )
    assert rust == Report(
        id="ada__press-12",
        lang="rust",
        repo="ada/press",
        history="bob/press",
        base_commit="b" * 40,
        problem_statement="wrong total\nIt is 0.\n\ncrash",
        gold=(Gold("shop/cart.rs", RANGES),),
    )


def test_rows_of_another_set_are_left_out(tmp_path: Path) -> None:
    other = VERIFIED | {"instance_id": "ada__shop-8"}
    verified = written(tmp_path / "verified.jsonl", VERIFIED, other)
    lite = written(tmp_path / "lite.jsonl", VERIFIED)
    done = converted(verified, "--leave-out", lite)
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["ada__shop-8"]


def test_a_fix_that_only_adds_files_has_no_place(tmp_path: Path) -> None:
    adding = VERIFIED | {"patch": PATCH[PATCH.index("diff --git a/shop/new.py") :]}
    done = converted(written(tmp_path / "verified.jsonl", adding))
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("row", [{"id": 7}, VERIFIED | {"patch": 7}])
def test_a_row_of_neither_shape_is_refused(tmp_path: Path, row: dict[str, Any]) -> None:
    done = converted(written(tmp_path / "verified.jsonl", row))
    assert done.returncode == 1
    assert "ValidationError" in done.stderr
