"""Makes a tiny random Code Llama, for trying a prompt of 100,000 tokens without its weights.

    python benchmarks/tiny_codellama.py FOLDER TOKENIZER_FOLDER [NAME]

The architecture, the RoPE base and the windows are Code Llama's; two narrow layers and weights
drawn at random take 100,000 tokens through the real code in about a CPU-minute. The tokenizer is
that of TOKENIZER_FOLDER (any model's: the built-in one's, for example). A profile NAME
(tiny-codellama) is written for `repoqa ask --model NAME --budget 100k`; its answers are noise.
"""

import shutil
import sys
from pathlib import Path

HIDDEN, INNER, LAYERS, HEADS = 64, 128, 2, 1
SEED = 11
SPREAD = 0.3  # of the weights: with the usual 0.02 a random model says one token for ever
PROFILE = """\
extends = "codellama-7b-instruct"
format = "chatml"
summary = "a random Code Llama of two layers: its answers are noise"
weights = "{folder}"
license = ""
infill = ""
answer = 32
stop = []

[shape]
hidden_size = {hidden}
intermediate_size = {inner}
num_hidden_layers = {layers}
num_attention_heads = {heads}
vocab_size = {words}
"""


def write_tiny(folder: Path, tokenizer: Path) -> int:
    """Write the checkpoint with a copy of `tokenizer`; return the size of its vocabulary."""
    import torch
    from tokenizers import Tokenizer
    from transformers.models.llama.configuration_llama import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    words: int = Tokenizer.from_file(str(tokenizer)).get_vocab_size()
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=words,
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=16_384,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
        initializer_range=SPREAD,
        eos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    return words


def main() -> None:
    """Write the checkpoint and the profile that names it."""
    from repoqa.settings import profile_directory

    folder, tokenizer = Path(sys.argv[1]).absolute(), Path(sys.argv[2]) / "tokenizer.json"
    name = sys.argv[3] if len(sys.argv) > 3 else "tiny-codellama"
    words = write_tiny(folder, tokenizer)
    profile = profile_directory() / f"{name}.toml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(
        PROFILE.format(
            folder=folder, hidden=HIDDEN, inner=INNER, layers=LAYERS, heads=HEADS, words=words
        )
    )
    print(f"{profile}\nrepoqa ask --model {name} --budget 100k")


if __name__ == "__main__":
    main()
