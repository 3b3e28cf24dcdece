"""Makes text of the repository, the log and the question harmless inside a prompt.

Chat formats mark turns with control tokens written as text (`<s>`, `[INST]`, `<|im_start|>`). A
repository can contain them, and a server that tokenizes messages may honour them there. Each is
broken by a middle dot after its first character, so that a reader sees what was changed; escape
sequences and other unprintable characters become visible. Lines are kept one to one.
"""

import re

BREAK = "\N{MIDDLE DOT}"
# Llama 2, Code Llama and Phind's, then the names SmolLM2, StarCoder, Gemma and Mistral use.
# The pipe form (`<|name|>`, and DeepSeek's with full-width bars) is a family of its own: any name
# is one.
_BRACKETED = (
    r"</?s>",
    r"<</?SYS>>",
    r"\[/?INST\]",
    r"<(?:PRE|SUF|MID|EOT|step)>",
    r"###[ ](?:System[ ]Prompt|User[ ]Message|Assistant)",
    r"<(?:pad|unk|bos|eos|mask)>",
    r"<(?:fim|repo|file|issue|jupyter|commit|gh)_?\w*>",
    r"<(?:reponame|filename|empty_output)>",
    r"</?(?:start|end)_of_turn>",
    r"\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]",
    r"<[|\N{FULLWIDTH VERTICAL LINE}][^\s<>|]{1,64}[|\N{FULLWIDTH VERTICAL LINE}]>",
)
_CONTROL_TOKEN = re.compile("|".join(_BRACKETED))
# Everything but tab and line feed that moves the cursor, reorders or hides text: C0, DEL and C1,
# line and paragraph separators, bidirectional controls, the invisible tag block, lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_PICTURES = 0x2400  # the block of visible signs for C0 controls: U+0000 is shown as U+2400
_DELETE, _DELETE_PICTURE = 0x7F, 0x2421
_ESCAPED_BYTES = range(0xDC80, 0xDD00)  # os.fsdecode keeps byte 0x80 as U+DC80


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < ord(" "):
        return chr(_PICTURES + code)
    if code == _DELETE:
        return chr(_DELETE_PICTURE)
    if code in _ESCAPED_BYTES:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}"


def _broken(match: re.Match[str]) -> str:
    token = match.group()
    return token[0] + BREAK + token[1:]


def neutralize(text: str) -> str:
    """`text` without control tokens, escape sequences and unprintable characters.

    Doing it twice changes nothing more; line feeds and tabs stay.
    """
    return _CONTROL_TOKEN.sub(_broken, _UNPRINTABLE.sub(_visible, text))


def neutralize_path(path: str) -> str:
    """A path as one visible line: line feeds and tabs in file names are shown too."""
    return neutralize(path.replace("\n", "\\n").replace("\t", "\\t"))
