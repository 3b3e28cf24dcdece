"""A Llama-shaped GGUF file as a checkpoint transformers reads: fp32 safetensors and JSON.

Done by hand and not by transformers' own GGUF loader, which takes three times as long, needs
`accelerate`, and builds a tokenizer that does not split digits and so gives other tokens.
The format is that of ggml's docs/gguf.md; only what the known files need is read.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from repoqa.errors import ModelError
from repoqa.protocols import Progress

_ARCHITECTURE = "llama"
_CONTROL = 3  # a token type of the format
_RENAMED = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}
# What the format's name of a pre-tokenizer means.
_SPLITTERS = {
    "smollm": {
        "type": "Sequence",
        "pretokenizers": [{"type": "Digits", "individual_digits": True}, _BYTE_LEVEL],
    }
}
_Read = Callable[[str], Any]


def convert(source: Path, target: Path, *, progress: Progress) -> None:
    """Write the checkpoint of the GGUF file `source` into the new folder `target`.

    Raises ModelError for a model of another architecture or tokenizer, OSError for a full disk.
    """
    import gguf

    progress.start("Unpacking the model's weights")
    try:
        reader = gguf.GGUFReader(source)

        def read(key: str) -> Any:
            field = reader.fields.get(key)
            return field.contents() if field else None

        if read("general.architecture") != _ARCHITECTURE:
            raise _unknown(source, f"its architecture is {read('general.architecture')}")
        config = _config(read)
        target.mkdir()
        tensors = {
            _name(tensor.name): _values(
                tensor.name, gguf.dequantize(tensor.data, tensor.tensor_type), config
            )
            for tensor in reader.tensors
        }
        config["tie_word_embeddings"] = "lm_head.weight" not in tensors
        _write_json(target / "config.json", config)
        _write_json(target / "tokenizer.json", _tokenizer(source, read))
        (target / "chat_template.jinja").write_text(
            read("tokenizer.chat_template") or "", encoding="utf-8"
        )
        _write_tensors(target / "model.safetensors", tensors)
    finally:
        progress.finish()


def _config(read: _Read) -> dict[str, Any]:
    heads = read("llama.attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "hidden_act": "silu",
        "hidden_size": read("llama.embedding_length"),
        "head_dim": read("llama.rope.dimension_count"),
        "intermediate_size": read("llama.feed_forward_length"),
        "max_position_embeddings": read("llama.context_length"),
        "num_attention_heads": heads,
        "num_hidden_layers": read("llama.block_count"),
        "num_key_value_heads": read("llama.attention.head_count_kv") or heads,
        "rms_norm_eps": read("llama.attention.layer_norm_rms_epsilon"),
        "rope_parameters": {"rope_type": "default", "rope_theta": read("llama.rope.freq_base")},
        "vocab_size": len(read("tokenizer.ggml.tokens")),
        "bos_token_id": read("tokenizer.ggml.bos_token_id"),
        "eos_token_id": read("tokenizer.ggml.eos_token_id"),
    }


def _tokenizer(source: Path, read: _Read) -> dict[str, Any]:
    splitter = _SPLITTERS.get(read("tokenizer.ggml.pre"))
    if read("tokenizer.ggml.model") != "gpt2" or splitter is None:
        raise _unknown(source, f"its tokenizer is {read('tokenizer.ggml.pre')}")
    pieces = read("tokenizer.ggml.tokens")
    types = read("tokenizer.ggml.token_type")
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": token, "content": piece, "special": True, **flags}
            for token, (piece, kind) in enumerate(zip(pieces, types, strict=True))
            if kind == _CONTROL
        ],
        "normalizer": None,
        "pre_tokenizer": splitter,
        "post_processor": None,
        "decoder": _BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {piece: token for token, piece in enumerate(pieces)},
            "merges": [merge.split(" ") for merge in read("tokenizer.ggml.merges")],
        },
    }


def _name(name: str) -> str:
    """`blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`."""
    found = re.fullmatch(r"(?:blk\.(\d+)\.)?(\w+)\.weight", name)
    if found is None or found[2] not in _RENAMED:
        raise ModelError(f"a weight named {name} is not Llama's", remedy="Use another model.")
    layer = f"model.layers.{found[1]}." if found[1] else ""
    return f"{layer}{_RENAMED[found[2]]}.weight"


def _values(name: str, values: Any, config: Mapping[str, Any]) -> Any:
    """The weights as transformers keeps them: GGUF interleaves the two halves of rotary heads."""
    heads = {
        "attn_q": config["num_attention_heads"],
        "attn_k": config["num_key_value_heads"],
    }.get(name.split(".")[-2])
    if heads is not None:
        rows, columns = values.shape
        values = values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2)
        values = values.reshape(rows, columns)
    return np.ascontiguousarray(values, dtype=np.float32)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _write_tensors(path: Path, tensors: dict[str, Any]) -> None:
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:  # its way of telling a full disk
        raise OSError(f"{path} cannot be written: {error}") from error


def _unknown(source: Path, why: str) -> ModelError:
    return ModelError(f"{source.name} cannot be converted: {why}", remedy="Use another model.")
