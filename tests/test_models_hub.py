"""The Hugging Face hub's own client against a small hub on a thread."""

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from commands import Done, repoqa_process, write_profile

from repoqa.errors import ModelError
from repoqa.models.profile import Profile
from repoqa.models.weights import ensure_checkpoint, find_checkpoint, is_complete
from repoqa.protocols import Silent
from repoqa.settings import profile_directory

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"architectures": ["LlamaForCausalLM"]}',
    "tokenizer.json": b"{}",
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"pickled",
    "original/model.safetensors": b"the same in another form",
    "modeling.py": b"import os",
    "data/mbpp.jsonl": json.dumps(
        {"task_id": 11, "text": "Double it.", "code": "", "test_list": ["assert twice(2) == 4"]}
    ).encode(),
    "data/mbpp.parquet": b"PAR1 and more",
}
DESCRIBED = ("gated", "good", "pickled")
ASK = """\
import json
import sys
from pathlib import Path
from repoqa.errors import ModelError
from repoqa.models.profile import Profile
from repoqa.models.weights import ensure_checkpoint, find_checkpoint

class Counted:
    def __init__(self): self.told = []
    def start(self, stage, *, total=None, unit=""): self.told += [stage, total]
    def advance(self, amount=1): self.told.append(amount)
    def finish(self): self.told.append("done")

progress = Counted()
profile = Profile("mine", "transformers", "llama2", "", weights=sys.argv[1])
try:
    place = ensure_checkpoint(profile, cache=Path("unused"), progress=progress)
except ModelError as error:
    print(error)
else:
    assert place == find_checkpoint(profile, cache=Path("unused"))
    print(json.dumps(progress.told))
    print(json.dumps(sorted(path.name for path in place.iterdir())))
"""


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's interface as a download asks for."""

    protocol_version = "HTTP/1.1"
    server: "HubServer"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        if path.startswith(tuple(f"/api/models/owner/{name}" for name in DESCRIBED)):
            self.tell(json.dumps(self.described(path)).encode())
        elif path.startswith("/datasets/owner/tasks/resolve/"):
            self.give(path.partition("/resolve/")[2].partition("/")[2])
        elif path.startswith("/owner/gated/"):
            self.refuse(403, "GatedRepo")
        elif path.startswith("/owner/good/"):
            self.give(path.removeprefix(f"/owner/good/resolve/{COMMIT}/"))
        else:
            self.refuse(404, "RepoNotFound")

    do_HEAD = do_GET

    def described(self, path: str) -> Any:
        if path.startswith("/api/models/owner/pickled"):
            name = "pytorch_model.bin"
            siblings = [{"rfilename": name, "size": 7, "blobId": digest(FILES[name])}]
            return {"id": "owner/pickled", "sha": COMMIT, "siblings": siblings, "tags": []}
        if "/tree/" in path:
            return [
                {"type": "file", "path": name, "size": len(content), "oid": digest(content)}
                for name, content in FILES.items()
            ]
        siblings = [
            {"rfilename": name, "size": len(content), "blobId": digest(content)}
            for name, content in FILES.items()
        ]
        name = "/".join(path.split("/")[3:5])
        return {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "tags": []}

    def give(self, name: str) -> None:
        if name not in FILES:
            self.refuse(404, "EntryNotFound")
            return
        etag = self.server.etags.get(name, digest(FILES[name]))
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        content, asked = FILES[name], self.headers.get("Range", "")
        if self.command == "GET" and asked:
            self.server.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.tell(content[start:], headers, status=206)
        elif self.command == "GET" and name == self.server.cut_off:
            self.server.cut_off = ""
            self.tell(content, headers, cut_at=len(content) // 2)
            self.server.released.wait(60)
        else:
            self.tell(content, headers)

    def tell(
        self,
        content: bytes,
        headers: dict[str, str] | None = None,
        *,
        status: int = 200,
        cut_at: int | None = None,
    ) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[:cut_at])

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep the tests' output clean."""


class HubServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hub)
        self.asked: list[str] = []
        self.ranges: list[str] = []
        self.released = threading.Event()  # a file that was cut off stays half sent until then
        self.etags: dict[str, str] = {}
        self.cut_off = ""


def digest(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def hub() -> Iterator[HubServer]:
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(name: str, folder: Path, port: int, **environment: str) -> str:
    """What a process of its own prints: the hub's client reads its settings once."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, name],
        env=os.environ
        | {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(folder)}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_only_the_files_wanted_are_fetched_and_only_once(hub: HubServer, tmp_path: Path) -> None:
    wanted = ["config.json", "model.safetensors", "tokenizer.json"]
    size = sum(len(FILES[name]) for name in wanted)
    told, names = ask("owner/good", tmp_path, hub.server_port).splitlines()
    first, total, *amounts, last = json.loads(told)
    assert (first, total, last) == ("Fetching owner/good", size, "done")
    assert sum(amounts) == size
    assert json.loads(names) == wanted
    assert not [path for path in hub.asked if path.endswith((".bin", ".py"))]
    assert not [path for path in hub.asked if "original" in path]
    assert all("owner/good" in path for path in hub.asked), "the hub's client asks for nothing else"
    hub.asked.clear()
    told, names = ask("owner/good", tmp_path, hub.server_port).splitlines()
    assert (json.loads(told), json.loads(names)) == ([], wanted)
    assert not hub.asked


def test_a_model_the_hub_does_not_have(hub: HubServer, tmp_path: Path) -> None:
    said = ask("owner/absent", tmp_path, hub.server_port)
    assert "the Hugging Face hub has no model owner/absent" in said


def test_a_licence_not_yet_accepted(hub: HubServer, tmp_path: Path) -> None:
    said = ask("owner/gated", tmp_path, hub.server_port)
    assert "accepted its licence" in said
    assert "https://huggingface.co/owner/gated" in said
    assert "hf auth login" in said


def test_no_network_and_none_wanted(tmp_path: Path) -> None:
    said = ask("owner/good", tmp_path, 9)
    assert "owner/good could not be fetched" in said
    assert "hf download owner/good" in said
    said = ask("owner/good", tmp_path, 9, HF_HUB_OFFLINE="1")
    assert "owner/good could not be fetched" in said


def test_pickled_weights_are_refused_before_anything_is_fetched(
    hub: HubServer, tmp_path: Path
) -> None:
    said = ask("owner/pickled", tmp_path, hub.server_port)
    assert "owner/pickled has no safetensors" in said
    assert "pickled files (pytorch_model.bin), which can run code" in said
    assert not [path for path in hub.asked if "/resolve/" in path]


def command_of_pull() -> list[str]:
    """`repoqa models pull mine`."""
    profile_directory().mkdir(parents=True, exist_ok=True)
    (profile_directory() / "mine.toml").write_text(
        'engine = "transformers"\nformat = "llama2"\nsummary = ""\nweights = "owner/good"\n'
    )
    return [sys.executable, "-m", "repoqa", "models", "pull", "mine"]


def environment_of(folder: Path, port: int) -> dict[str, str]:
    """That of a user whose Hugging Face mirror is the hub here."""
    return os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(folder)}


def pull(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_of_pull(),
        env=environment_of(folder, port),
        capture_output=True,
        text=True,
        check=False,
    )


def begun(folder: Path, hub: HubServer) -> int:
    """A pull that dies in the middle of its largest file; what it leaves of that, in bytes."""
    etag, size = hub.etags["model.safetensors"], len(FILES["model.safetensors"]) // 2
    hub.cut_off = "model.safetensors"
    part = folder / "hub" / "models--owner--good" / "blobs" / f"{etag}.repoqa-part"
    process = subprocess.Popen(
        command_of_pull(),
        env=environment_of(folder, hub.server_port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    hub.released.set()
    assert 0 < part.stat().st_size <= size
    return part.stat().st_size


def test_a_pull_that_is_cut_off_goes_on_where_it_was(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = random.Random(5).randbytes(22 << 20)  # the hub's client writes 10 MB at once
    monkeypatch.setitem(FILES, "model.safetensors", weights)
    hub.etags["model.safetensors"] = hashlib.sha256(weights).hexdigest()
    hub.cut_off = "model.safetensors"
    first = begun(tmp_path, hub)
    done = pull(tmp_path, hub.server_port)
    assert done.returncode == 0, done.stderr
    place = Path(done.stdout.strip())
    assert (place / "model.safetensors").read_bytes() == weights
    assert hub.ranges == [f"bytes={first}-"]
    assert not list(tmp_path.rglob("*-part"))


def test_weights_that_were_damaged_are_found_and_fetched_anew(
    hub: HubServer, tmp_path: Path
) -> None:
    weights = FILES["model.safetensors"]
    hub.etags["model.safetensors"] = hashlib.sha256(weights).hexdigest()
    place = Path(pull(tmp_path, hub.server_port).stdout.strip()) / "model.safetensors"
    place.resolve().write_bytes(b"WEIGHTS")
    done = pull(tmp_path, hub.server_port)
    assert done.returncode == 3
    assert "model.safetensors is not the file that the hub has" in done.stderr
    assert pull(tmp_path, hub.server_port).returncode == 0
    assert place.read_bytes() == weights


def test_tasks_are_fetched_from_a_data_set_once(hub: HubServer, tmp_path: Path) -> None:
    """By the command, with a model that solves the one task there is."""
    write_profile("right", "```python\ndef twice(x):\n    return 2 * x\n```")

    def measure(file: str, port: int) -> Done:
        tasks = f"hf://datasets/owner/{file}"
        command = ("eval", "code", "--suite", "mbpp", "--model", "right", "--tasks", tasks)
        own = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(tmp_path)}
        return repoqa_process(*command, where=tmp_path, **own)

    for port in (hub.server_port, 9):
        done = measure("tasks/data/mbpp.jsonl", port)
        assert done.code == 0, done.stderr
        row = next(line for line in done.stdout.splitlines() if line.startswith("| right "))
        assert row.split()[3::2] == ["1", "1", "100.0"]
    assert {path for path in hub.asked if not path.endswith("/mbpp.jsonl")} == set()
    for file, port, said, code in (
        ("tasks/data/other.jsonl", hub.server_port, "has no hf://datasets/owner/tasks/data/o", 2),
        ("absent@v1/mbpp.jsonl", hub.server_port, "the Hugging Face hub has no hf://", 2),
        ("mbpp.jsonl", hub.server_port, "names no file of a data set", 2),
        ("tasks/data/mbpp.parquet", hub.server_port, "is a Parquet file, which is not read", 2),
        ("tasks@v2/data/mbpp.jsonl", 9, "could not be fetched", 3),
    ):
        done = measure(file, port)
        assert (done.code, done.stdout) == (code, ""), done.stderr
        assert said in done.stderr


# --- folders of the user's ----------------------------------------------------------------------


def profile_of(weights: str) -> Profile:
    return Profile("mine", "transformers", "llama2", "", weights=weights)


def test_a_local_folder_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    profile = profile_of(str(tmp_path))
    assert find_checkpoint(profile, cache=Path("unused")) == tmp_path
    assert ensure_checkpoint(profile, cache=Path("unused"), progress=Silent()) == tmp_path


def test_shards_count_only_together(tmp_path: Path) -> None:
    names = {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    (tmp_path / "model-1.safetensors").write_bytes(b"")
    assert not is_complete(tmp_path)
    (tmp_path / "model-2.safetensors").write_bytes(b"")
    assert is_complete(tmp_path)


@pytest.mark.parametrize("files", [(), ("config.json",), ("config.json", "pytorch_model.bin")])
def test_a_folder_without_safetensors_is_refused(tmp_path: Path, files: tuple[str, ...]) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelError, match="it needs config.json and safetensors"):
        ensure_checkpoint(profile_of(str(tmp_path)), cache=Path("unused"), progress=Silent())


def test_what_is_neither_a_folder_nor_an_id_is_refused() -> None:
    for weights, told in (("", "names no weights"), ("a/b/c", "is not a Hugging Face id")):
        with pytest.raises(ModelError, match=told):
            ensure_checkpoint(profile_of(weights), cache=Path("unused"), progress=Silent())
