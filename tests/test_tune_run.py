"""`repoqa tune run` and `eval`: what a model is shown, how it is trained, and that runs go on."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from checkpoints import byte_level_tokenizer, code_llama_tokenizer, write_checkpoint
from commands import ROOT, environment, repoqa
from conftest import git
from schemas import validator
from tuned_shop import CART, SHIP

from repoqa.cli.tuning import interruptions
from repoqa.errors import ModelError, UsageError
from repoqa.models.adapter import ADAPTER_CONFIG, ADAPTER_WEIGHTS, CARD, adapter_of
from repoqa.models.local import LocalModel
from repoqa.models.memory import parameters
from repoqa.models.plan import Place
from repoqa.models.profile import Profile, load_profile
from repoqa.models.tokens import codec_of
from repoqa.models.weights import weight_files
from repoqa.parsing.parse import parse
from repoqa.protocols import Silent
from repoqa.records import Prompt, Segment
from repoqa.settings import config_path, profile_directory, read_settings
from repoqa.tuning import folder
from repoqa.tuning.encode import TOO_LONG, Encoded, Form, encoded
from repoqa.tuning.examples import Example, FixPair, Shown
from repoqa.tuning.gaps import CodeFile, gaps
from repoqa.tuning.need import refuse_too_large, training_bytes
from repoqa.tuning.recipe import Recipe, batches, rate_at, step_count
from repoqa.tuning.run import Base, Task, form_of, tune
from repoqa.tuning.state import UNFINISHED, Position, read_position

GAPS = tuple(gaps(CodeFile("ship.py", SHIP, parse("ship.py", SHIP.encode()), 1)))
FIX = FixPair(
    "0123456789ab",
    7,
    "Fix the total of a cart",
    (Shown("cart.py", 5, tuple(CART.splitlines()[4:]), ((11, 11),)),),
    "cart.py:11 Cart.total\n\n```diff\n-    return 1\n+    return 2\n```",
)
RECIPE = Recipe("tiny", "", rank=4, epochs=4, rate=0.01, length=600, batch=2)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("llama"), byte_level_tokenizer())


@pytest.fixture
def base(checkpoint: Path) -> Base:
    """The tiny model, as the user's own profile `tiny` has it."""
    profile_directory().mkdir(parents=True)
    (profile_directory() / "tiny.toml").write_text(
        'engine = "transformers"\nformat = "chatml"\nsummary = "tiny"\nanswer = 40\n'
        f'weights = "{checkpoint}"\nstop = ["<|im_end|>"]\n'
    )
    return Base(load_profile("tiny", directories=(profile_directory(),)), checkpoint)


@pytest.fixture
def examples(base: Base) -> tuple[Encoded, ...]:
    left_out: Counter[str] = Counter()
    found = tuple(encoded([FIX, *GAPS], form_of(base, RECIPE.length), left_out=left_out))
    assert len(found) == 6
    assert not left_out
    return found


def write_examples(where: Path, train: tuple[Example, ...], held_out: tuple[Example, ...]) -> Path:
    about = folder.About("shop", None, folder.counted(train), folder.counted(held_out), {}, {}, 0)
    folder.write(where, about, train=train, held_out=held_out)
    return where


def trained(task: Task, position: Position | None = None, *, stop: int | None = None) -> Position:
    """Where a run is after it was told to stop at a step, or at its end."""
    asked = iter(range(1, 1000))
    return tune(
        task,
        position,
        is_stopped=lambda: next(asked) == stop,
        note=lambda text: None,
        progress=Silent(),
    )


@pytest.fixture
def task(base: Base, examples: tuple[Encoded, ...], tmp_path: Path) -> Task:
    """A run that is done."""
    task = Task(base, RECIPE, examples, tmp_path / "adapter", save_every=100)
    trained(task)
    return task


def text_of(ids: tuple[int, ...], base: Base) -> str:
    decoder = codec_of(base.checkpoint, name="tiny").decoder(joined=True)
    return "".join(map(decoder.push, ids))


def test_a_fix_is_put_as_ask_puts_a_question(base: Base) -> None:
    (found,) = encoded([FIX], form_of(base, 1024), left_out=Counter())
    codec = codec_of(base.checkpoint, name="tiny")
    end = codec.control_id("<|im_end|>")
    assert found.target == (*codec.encode(FIX.answer), end)
    text = text_of(found.prompt, base)
    assert "cart.py:5-14\n5     def __init__(self):" in text
    assert "11         return sum(item.price for item in self.items)" in text
    assert "Question:\nFix the total of a cart\n" in text
    assert found.prompt.count(end) == 2  # two turns end, the answer's begins
    assert not found.is_shortened


def test_no_example_is_longer_than_the_length_and_no_answer_is_cut(base: Base) -> None:
    whole = {
        each.id: each for each in encoded([FIX, *GAPS], form_of(base, 2000), left_out=Counter())
    }
    for length in (900, 400, 300, 120, 64):
        left_out: Counter[str] = Counter()
        found = list(encoded([FIX, *GAPS], form_of(base, length), left_out=left_out))
        assert len(found) + left_out[TOO_LONG] == 6
        for each in found:
            assert len(each.prompt) + len(each.target) <= length
            assert each.target == whole[each.id].target
            assert each.is_shortened is (each.prompt != whole[each.id].prompt)
            if each.lines:  # what is nearest to the gap is kept
                text = text_of(each.prompt, base)
                assert text_of(whole[each.id].prompt, base).endswith(text)
    with pytest.raises(UsageError, match="trained on 2,048 tokens"):
        form_of(base, 4096)


def test_gaps_have_code_llamas_marks_in_both_orders(tmp_path: Path) -> None:
    code_llama_tokenizer().save(str(tmp_path / "tokenizer.json"))
    codec = codec_of(tmp_path, name="llama")
    profile = Profile("llama", "transformers", "continued", "", infill="codellama")
    found = list(encoded(GAPS, Form(profile, codec, 2000), left_out=Counter()))
    begins = {each.prompt[:3] for each in found}
    assert {begin[:2] for begin in begins} == {(1, 32_007)}
    assert {each.prompt[2] == 32_008 for each in found} == {True, False}
    for each, gap in zip(found, GAPS, strict=True):
        before, after = codec.encode(gap.prefix), codec.encode_joined(gap.suffix)
        first = (1, 32_007, *before, 32_008, *after, 32_009)
        other = (1, 32_007, 32_008, *after, 32_009, *before)
        assert each.prompt in (first, other)
        assert each.target == (*codec.encode_joined(gap.middle), 32_010)


def test_the_steps_of_a_recipe() -> None:
    recipe = Recipe("tiny", "", epochs=2, batch=4, seed=3)
    found = list(batches(recipe, 10))
    assert step_count(recipe, 10) == len(found) == 6
    assert step_count(replace_steps(recipe, 5), 10) == 5
    assert sorted(sum(found[:3], [])) == sorted(sum(found[3:], [])) == list(range(10))
    assert found[:3] != found[3:]
    assert found == list(batches(recipe, 10))
    rates = [rate_at(recipe, step, 20) for step in range(20)]
    assert max(rates) == recipe.rate == rates[1]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] > 0


def replace_steps(recipe: Recipe, steps: int) -> Recipe:
    return msgspec.structs.replace(recipe, steps=steps)


def test_the_loss_is_on_what_is_to_be_said_alone(base: Base, examples: tuple[Encoded, ...]) -> None:
    import torch
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    from repoqa.tuning.train import surprise

    model = LlamaForCausalLM.from_pretrained(base.checkpoint, dtype=torch.float32).eval()
    for each in examples[:3]:
        ids = torch.tensor([[*each.prompt, *each.target]])
        labels = ids.clone()
        labels[0, : len(each.prompt)] = -100
        with torch.inference_mode():
            mean = float(model(input_ids=ids, labels=labels).loss)
            assert float(surprise(model, each)) == pytest.approx(mean * len(each.target), rel=1e-4)


def test_a_stopped_run_goes_on_to_the_same_adapter(
    base: Base, examples: tuple[Encoded, ...], tmp_path: Path
) -> None:
    whole = Task(base, RECIPE, examples, tmp_path / "whole", save_every=100)
    end = trained(whole)
    assert len(end.losses) == whole.steps == 12
    assert end.losses[-1] < end.losses[0]
    cut = replace(whole, folder=tmp_path / "cut")
    position = trained(cut, stop=5)
    assert position == Position(RECIPE, end.losses[:5])
    assert [path.name for path in cut.folder.iterdir()] == [UNFINISHED]
    assert read_position(cut.folder) == position
    assert trained(cut, position) == end
    names = sorted(path.name for path in cut.folder.iterdir())
    assert names == sorted((ADAPTER_CONFIG, ADAPTER_WEIGHTS, CARD))
    for name in names:
        assert (cut.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    other = replace(whole, recipe=msgspec.structs.replace(RECIPE, seed=1), folder=tmp_path / "b")
    trained(other)
    weights = [(each.folder / ADAPTER_WEIGHTS).read_bytes() for each in (whole, other)]
    assert weights[0] != weights[1]


KILLED = """
import os, signal
from repoqa.cli import tuning
count = 0
def is_stopped():
    global count
    count += 1
    if count == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
from contextlib import nullcontext
tuning.interruptions = lambda note: nullcontext(is_stopped)
from repoqa.cli.app import main
import sys
sys.argv = ["repoqa", "tune", "run", "data", "--model", "tiny", "--out", "cut", *sys.argv[1:]]
main()
"""


def test_a_killed_run_goes_on_to_the_same_adapter_and_the_whole_way_to_an_answer(
    base: Base, tmp_path: Path
) -> None:
    """The loss of a run that was killed between two saves is that of the steps since the last."""
    write_examples(tmp_path / "data", (FIX, *GAPS[:4]), GAPS[4:])
    settings = ("--length", "600", "--batch", "2", "--epochs", "4", "--rate", "0.01")
    command = [sys.executable, "-c", KILLED, *settings, "--save-every", "3"]
    killed = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    position = read_position(tmp_path / "cut")
    assert position is not None
    assert len(position.losses) == 6

    run = ("tune", "run", "data", "--model", "tiny")
    whole = repoqa(*run, "--out", "whole", *settings, where=tmp_path)
    assert whole.code == 0, whole.stderr
    losses = json.loads((tmp_path / "whole" / CARD).read_text())["losses"]
    assert position.losses == tuple(losses[:6])
    assert re.fullmatch(
        r"12 steps: loss \d\.\d{3}, in the end \d\.\d{3} nats a token\nwhole\n", whole.stdout
    )
    assert (tmp_path / "whole" / "loss.png").read_bytes().startswith(b"\x89PNG")

    again = repoqa(*run, "--out", "cut", where=tmp_path)
    assert (again.code, "Go on with it: --resume" in again.stderr) == (2, True)
    other = repoqa(*run, "--out", "cut", "--resume", "--rank", "2", where=tmp_path)
    assert (other.code, "other settings: --rank" in other.stderr) == (2, True)
    resumed = repoqa(
        "tune", "run", "data", "--out", "cut", "--resume", "--profile", "shop", where=tmp_path
    )
    assert resumed.code == 0, resumed.stderr
    for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG, CARD):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    over = repoqa(*run, "--out", "cut", where=tmp_path)
    assert (over.code, "already" in over.stderr) == (2, True)
    compared_and_used(tmp_path, base)


def compared_and_used(where: Path, base: Base) -> None:
    """The adapter is measured, listed, and answers."""
    measured = repoqa("tune", "eval", "data", "--adapter", "cut", "--json", where=where)
    assert measured.code == 0, measured.stderr
    scores = json.loads(measured.stdout)
    validator("tune-eval").validate(scores)
    assert scores["model"] == "tiny"
    before, after = scores["before"]["infill"], scores["after"]["infill"]
    assert after["perplexity"] < before["perplexity"]
    assert (before["examples"], before["exact"]) == (1, 0)
    table = repoqa("tune", "eval", "data", "--adapter", "cut", where=where).stdout.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    perplexities = [f"{score['perplexity']:.3f}" for score in (before, after)]
    assert cells[0] == ["held out", "examples", "tokens", "before", "after"]
    assert cells[2] == [
        "gaps in functions: perplexity",
        "1",
        str(before["tokens"]),
        *perplexities,
    ]
    assert cells[3][3:] == ["0 of 1", f"{after['exact']} of 1"]

    text = (profile_directory() / "shop.toml").read_text()
    assert text == (
        f'extends = "tiny"\nsummary = "tiny, tuned on shop"\nadapter = "{where / "cut"}"\n'
    )
    listed = repoqa("models", "list", where=where).stdout
    assert re.search(r"^shop +here, .* MB, adapter 0\.\d MB +tiny, tuned on shop$", listed, re.M)
    assert str(where / "cut") in repoqa("models", "show", "shop", where=where).stdout
    taken = repoqa("tune", "run", "data", "--profile", "shop", where=where)
    assert (taken.code, "there is a model profile shop already" in taken.stderr) == (2, True)
    twice = repoqa("tune", "run", "data", "--model", "shop", where=where)
    assert (twice.code, "shop is tuned already" in twice.stderr) == (2, True)
    (where / "ship.py").write_text(SHIP)
    filled = repoqa("fill", "ship.py:2", "--model", "shop", "--repo", ".", where=where)
    assert filled.code == 0, filled.stderr
    assert answers(base.profile, base) != answers(
        load_profile("shop", directories=(profile_directory(),)), base
    )
    reviewed(where)


def reviewed(where: Path) -> None:
    """The adapter reviews a change, and does so anew when another one has taken its place."""
    from safetensors.torch import load_file, save_file

    git(where, "init", "--quiet")
    git(where, "add", "ship.py")
    git(where, "commit", "--quiet", "--message=Begin")
    (where / "ship.py").write_text(SHIP.replace("order, address", "order, address, day"))
    kept = read_settings(environment=os.environ, flags={}).cache_dir / "reviews"
    weights = where / "cut" / ADAPTER_WEIGHTS
    halved = {name: matrix / 2 for name, matrix in load_file(weights).items()}
    for is_new, count in ((False, 1), (False, 1), (True, 2)):
        if is_new:
            save_file(halved, weights)
        done = repoqa("review", "--worktree", "--model", "shop", "--json", where=where)
        assert done.code == 0, done.stderr
        assert json.loads(done.stdout)["run"]["model"] == "shop"
        assert len(list(kept.iterdir())) == count


def answers(profile: Profile, base: Base) -> str:
    segments = (Segment("def ship_bike(order, address):\n"),)
    model = LocalModel(profile, base.checkpoint)
    return "".join(model.stream(Prompt((), segments, 9, True), progress=Silent()))


def test_the_merged_adapter_is_the_adapter_beside_the_weights(
    base: Base, examples: tuple[Encoded, ...], task: Task
) -> None:
    import torch

    from repoqa.models.adapter import attached
    from repoqa.models.checkpoint import read_config
    from repoqa.models.device import Device
    from repoqa.models.load import load, load_trainable

    config = read_config(base.profile, base.checkpoint)
    device = Device("cpu", "here", torch.float32)
    ids = torch.tensor([examples[0].prompt])
    with torch.inference_mode():
        plain = load_trainable(base.checkpoint, config, device)
        before = plain(ids).logits
        beside = attached(load_trainable(base.checkpoint, config, device), task.folder).eval()
        merged = load(base.checkpoint, config, device, adapter=task.folder)
        assert torch.allclose(merged(ids).logits, beside(ids).logits, atol=1e-3)
        assert not torch.allclose(merged(ids).logits, before, atol=1e-2)
        with beside.disable_adapter():
            assert torch.equal(beside(ids).logits, before)


def test_an_adapter_of_other_weights_is_refused(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = task.base
    own = replace(base.profile, adapter=str(task.folder))
    assert adapter_of(own, base.checkpoint) == task.folder
    other = write_checkpoint(tmp_path / "other", byte_level_tokenizer(), num_hidden_layers=1)
    with pytest.raises(ModelError, match="was trained on tiny, not on the weights"):
        LocalModel(own, other)
    (task.folder / CARD).unlink()  # as one that was made elsewhere
    model = LocalModel(own, other)
    with pytest.raises(ModelError, match="those of another model"):
        list(model.stream(Prompt((), (Segment("x = 1"),), 9, True), progress=Silent()))
    weights = task.folder / ADAPTER_WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(ModelError, match="does not fit"):
        LocalModel(own, base.checkpoint).loaded(9, progress=Silent())
    weights.rename(task.folder / "adapter_model.bin")  # a pickle is never read
    with pytest.raises(ModelError, match="needs adapter_config.json and adapter_model.safetensors"):
        LocalModel(own, base.checkpoint)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModelError, match="peft, which is not installed"):
        LocalModel(own, base.checkpoint)


def test_ctrl_c_lets_the_step_end_and_a_second_one_ends_at_once() -> None:
    notes: list[str] = []
    handler = signal.getsignal(signal.SIGINT)
    with interruptions(notes.append) as is_stopped:
        assert not is_stopped()
        signal.raise_signal(signal.SIGINT)
        assert is_stopped()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert len(notes) == 1
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_saves_the_run_and_says_how_to_go_on(base: Base, tmp_path: Path) -> None:
    write_examples(tmp_path / "data", GAPS, GAPS[:1])

    def press() -> None:
        while not (tmp_path / "out" / UNFINISHED).is_file():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=press, daemon=True)
    pressing.start()
    settings = ("--model", base.profile.name, "--epochs", "500", "--save-every", "1")
    run = ("tune", "run", "data", "--out", "out")
    done = repoqa(*run, *settings, "--profile", "mine", where=tmp_path)
    pressing.join()
    assert done.code == 130, done.stderr
    position = read_position(tmp_path / "out")
    assert position is not None
    taken = len(position.losses)
    said = f"stopped after step {taken} of 1,000; go on: repoqa {' '.join(run)} --resume"
    assert f"{said} --profile mine\n" in done.stderr
    assert not (tmp_path / "out" / ADAPTER_WEIGHTS).exists()


def test_what_cannot_fit_in_memory_is_never_begun(base: Base) -> None:
    from repoqa.models.checkpoint import read_config

    shape = read_config(base.profile, base.checkpoint)
    numbers = parameters(weight_files(base.checkpoint))
    needed = training_bytes(shape, numbers, RECIPE, bits=32)
    said = refuse_too_large(shape, numbers, RECIPE, place=Place("here", needed, 1, bits=32))
    assert said.endswith("GiB of memory on here")
    with pytest.raises(ModelError, match="training tiny with 600 tokens an example takes about"):
        refuse_too_large(shape, numbers, RECIPE, place=Place("here", needed - 1, 1, bits=32))
    longer = msgspec.structs.replace(RECIPE, length=1200)
    assert training_bytes(shape, numbers, longer, bits=32) > needed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nowhere"), "nowhere holds no training examples"),
        (("run", "data", "--resume"), "data/tiny holds no run to go on with"),
        (("run", "data", "--model", "server"), "does not run on this machine"),
        (("run", "data", "--length", "64"), "no example fits in 64 tokens"),
        (("run", "data", "--profile", "a/b"), "is no name for a profile"),
        (("eval", "data", "--adapter", "data"), "data holds no adapter that"),
    ],
)
@pytest.mark.usefixtures("base")
def test_wrong_usage(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    config_path().write_text('model = "tiny"\n')
    write_examples(tmp_path / "data", (FIX,), GAPS)
    done = repoqa("tune", *arguments, where=tmp_path)
    assert (done.code, said in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("command", ["data", "run", "eval"])
def test_the_help_that_the_page_shows_is_the_help_printed(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    printed = repoqa("tune", command, "--help", where=tmp_path).stdout
    page = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8")
    assert f"<!-- help: tune {command} -->\n```text\n{printed}```" in page
