"""The sizes of a Llama-shaped model, from which its memory follows.

The names are those of a checkpoint's config.json, so that a profile's `[shape]` is copied from it.
"""

import msgspec

# fbgemm keeps fp16 weights in blocks of so many inputs, the last one filled up.
_BLOCK = 512
_HALF, _WHOLE = 2, 4  # bytes


class Shape(msgspec.Struct, frozen=True):
    """A model's sizes. 0 for `intermediate_size` or `vocab_size` means that they are not known."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    intermediate_size: int = 0
    vocab_size: int = 0
    tie_word_embeddings: bool = False

    @property
    def head_size(self) -> int:
        """The numbers in one head's query, key or value."""
        return self.head_dim or self.hidden_size // self.num_attention_heads

    @property
    def key_value_heads(self) -> int:
        """The heads that keys and values have; fewer than the query's in the larger models."""
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def numbers_per_token(self) -> int:
        """Keys and values of one token, in all layers."""
        return 2 * self.num_hidden_layers * self.key_value_heads * self.head_size

    @property
    def parameters(self) -> int:
        """How many numbers the weights are, counted as the Llama architecture has them."""
        attention = 2 * self.head_size * (self.num_attention_heads + self.key_value_heads)
        layer = self.hidden_size * (attention + 3 * self.intermediate_size)
        vocabularies = 1 if self.tie_word_embeddings else 2
        norms = self.hidden_size * (2 * self.num_hidden_layers + 1)
        around = vocabularies * self.vocab_size * self.hidden_size + norms
        return self.num_hidden_layers * layer + around

    @property
    def packed_half(self) -> int:
        """The bytes of the weights where the layers' are packed in fp16 and the rest is in fp32."""
        queries = self.num_attention_heads * self.head_size
        values = self.key_value_heads * self.head_size
        from_hidden = queries + 2 * values + 2 * self.intermediate_size
        layer = _filled(self.hidden_size) * from_hidden + self.hidden_size * (
            _filled(queries) + _filled(self.intermediate_size)
        )
        head = _filled(self.hidden_size) * self.vocab_size
        embedding = self.vocab_size * self.hidden_size
        return _HALF * (self.num_hidden_layers * layer + head) + _WHOLE * embedding


def _filled(inputs: int) -> int:
    return -(-inputs // _BLOCK) * _BLOCK
