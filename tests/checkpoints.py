"""Small real models for tests: tokenizers trained here, and a random Llama that uses one."""

import json
import random
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.normalizers import Prepend, Replace
from tokenizers.normalizers import Sequence as Normalizers

CHAT_CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA_CONTROLS = ("<unk>", "<s>", "</s>")
SPACE = "\u2581"
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
# The bytes that SmolLM2's vocabulary has no token for.
UNTOLD = bytes((0x04, 0x06, 0x13, 0x14, 0x16, 0x1D, 0xC0, 0xC1, 0xF1, 0xF2, *range(0xF5, 0x100)))
CODE = '''\
def login(user, password):
    """Return the session of a user, or None where the password is wrong."""
    if user.attempts >= 5:
        raise Locked(f"{user.name} is locked")
    for attempt in range(10):
        if check(password, user.salt + "pepper") == user.digest:
            return Session(user, expires=now() + 3600)
\treturn None  # tabs, caf\u00e9, na\u00efve, \u4e2d\u6587, \U0001f600


class Session:
    def __init__(self, user, expires):
        self.user = user
        self.expires = expires
        self.tokens = {}
'''


def byte_level_tokenizer(*, single_digits: bool = True) -> Tokenizer:
    """A tokenizer of SmolLM2's shape; some bytes have no token in it, as in the real one."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, split]) if single_digits else split
    tokenizer.decoder = decoders.ByteLevel()
    untold = {chr(byte if byte > 0x20 else 0x100 + byte) for byte in UNTOLD}
    alphabet = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - untold)
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=[AddedToken(text, special=True) for text in CHAT_CONTROLS],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator([CODE] * 4, trainer)
    return tokenizer


def llama_tokenizer() -> Tokenizer:
    """A tokenizer of Llama 2's shape: SentencePiece BPE with byte tokens."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = Normalizers([Prepend(SPACE), Replace(" ", SPACE)])
    # Only while training, so that no piece crosses a space, as none of Llama's does.
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(f"{SPACE}+[^{SPACE}\\n]*|\\n"), "isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=[*LLAMA_CONTROLS, *BYTES], show_progress=False
    )
    training = CODE.replace("\n", " ") + CODE.replace("\U0001f600", "")
    tokenizer.train_from_iterator([training] * 4, trainer)
    definition = json.loads(tokenizer.to_str())
    definition["pre_tokenizer"] = None
    definition["added_tokens"] = [
        token for token in definition["added_tokens"] if token["content"] in LLAMA_CONTROLS
    ]
    return Tokenizer.from_str(json.dumps(definition))


def sentence_piece_model(tokenizer: Tokenizer) -> bytes:
    """The vocabulary of `llama_tokenizer` as SentencePiece would have saved it."""
    ids = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    kinds = dict.fromkeys(BYTES, 6) | {"<unk>": 2, "<s>": 3, "</s>": 3}
    message = b""
    for place, (piece, _) in enumerate(ids):
        text = piece.encode()
        score = struct.pack("<f", -float(place))
        block = b"\x0a" + _varint(len(text)) + text + b"\x15" + score
        block += b"\x18" + _varint(kinds.get(piece, 1))
        message += b"\x0a" + _varint(len(block)) + block
    return message


def _varint(number: int) -> bytes:
    encoded = b""
    while number >= 0x80:
        encoded += bytes((number & 0x7F | 0x80,))
        number >>= 7
    return encoded + bytes((number,))


def write_checkpoint(folder: Path, tokenizer: Tokenizer, **changes: Any) -> Path:
    """A random Llama of two layers with `tokenizer`, as transformers saves it."""
    import torch
    from transformers.models.llama.configuration_llama import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    settings = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "initializer_range": 0.3,  # else a random model says one token for ever
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    torch.manual_seed(11)
    model = LlamaForCausalLM(LlamaConfig(**settings | changes))
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def fuzz_texts(seed: int, *, count: int, pieces: Sequence[str]) -> list[str]:
    """Random texts of `pieces` and of any characters at all."""
    chance = random.Random(seed)

    def piece() -> str:
        if chance.random() < 0.8:
            return chance.choice(pieces)
        low, high = chance.choice([(0, 0x250), (0x250, 0xD800), (0xE000, 0x110000)])
        return chr(chance.randrange(low, high))

    return ["".join(piece() for _ in range(chance.randrange(30))) for _ in range(count)]


def write_gguf(path: Path, checkpoint: Path, *, pre_tokenizer: str = "smollm") -> Path:
    """The checkpoint as a GGUF file, its rotary heads interleaved as llama.cpp keeps them."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((checkpoint / "config.json").read_text())
    definition = json.loads((checkpoint / "tokenizer.json").read_text())
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_rope_dimension_count(config["head_dim"])
    vocab = sorted(definition["model"]["vocab"], key=definition["model"]["vocab"].get)
    controls = {token["content"] for token in definition["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(vocab)
    writer.add_token_types([3 if piece in controls else 1 for piece in vocab])
    writer.add_token_merges([" ".join(pair) for pair in definition["model"]["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    for name, values in load_file(checkpoint / "model.safetensors").items():
        for part, count in heads.items():
            if part in name:
                rows, columns = values.shape
                halves = values.reshape(count, 2, rows // count // 2, columns)
                values = halves.swapaxes(1, 2).reshape(rows, columns)
        writer.add_tensor(_gguf_name(name), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _gguf_name(name: str) -> str:
    for ours, theirs in (
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.layers", "blk"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.", "attn_"),
        ("mlp.", "ffn_"),
        ("_proj", ""),
    ):
        name = name.replace(ours, theirs)
    return name


def write_wheel(folder: Path, member: str, content: bytes) -> Path:
    """A wheel `tiny-weights` 1.0 that carries one file."""
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(member, content)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", f"{member},,\n{info}/METADATA,,\n{info}/WHEEL,,\n")
    return path


# Where Code Llama's own vocabulary has them.
PARTS = tuple(f"{SPACE}<{part}" for part in ("SU", "SUF", "PRE", "M", "MID", "E", "EOT"))
MARKS = {
    **{mark: 32_000 + place for place, mark in enumerate(PARTS)},
    **{f"{SPACE}<PRE>": 32_007, f"{SPACE}<SUF>": 32_008, f"{SPACE}<MID>": 32_009},
    **{f"{SPACE}<EOT>": 32_010, "<s": 32_011, "<st": 32_012, "<ste": 32_013, "<step": 32_014},
    "<step>": 32_015,
}


def code_llama_tokenizer() -> Tokenizer:
    """`llama_tokenizer` with Code Llama's marks where Code Llama has them."""
    definition = json.loads(llama_tokenizer().to_str())
    vocabulary = definition["model"]["vocab"]
    for number in range(len(vocabulary), 32_000):  # pieces that no text has
        vocabulary[chr(0xF0000 + number)] = number
    vocabulary.update(MARKS)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    definition["added_tokens"] += [
        {"id": number, "content": mark, "special": True, **flags}
        for mark, number in MARKS.items()
        if mark.endswith(">")
    ]
    return Tokenizer.from_str(json.dumps(definition))
