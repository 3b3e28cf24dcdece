"""A worker process: reads files from standard input, writes their records to standard output.

A frame is four bytes of length and as many of MessagePack. A request is a list of (path, content),
its answer a list of packed records. It ends when its input does.
"""

import gc
import os
import signal
import sys
from typing import BinaryIO

import msgspec

from repoqa.index.record import PackedRecord, analyze, pack

LENGTH_BYTES = 4
# Address space, of which the interpreter and its libraries take about 0.5 GB; the largest file
# that is parsed at all (4 MB) needs as much again.
MOST_MEMORY_BYTES = 4 << 30
Request = list[tuple[bytes, bytes]]
Answer = list[PackedRecord]
_DECODER = msgspec.msgpack.Decoder(Request)


def write_frame(stream: BinaryIO, payload: bytes) -> None:
    """Write one frame."""
    stream.write(len(payload).to_bytes(LENGTH_BYTES, "little"))
    stream.write(payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """Read one frame; None where the stream ends."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "little")
    payload = stream.read(length)
    return payload if len(payload) == length else None


def main() -> None:
    """Answer requests until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    _limit_memory()
    # A file leaves no cycles behind, but a hundred thousand nodes to look through for them.
    gc.freeze()
    gc.disable()
    while (payload := read_frame(sys.stdin.buffer)) is not None:
        answer: Answer = [
            pack(analyze(os.fsdecode(path), content)) for path, content in _DECODER.decode(payload)
        ]
        gc.collect()
        # What stays is words worked out: to look through them each time would take a tenth.
        gc.freeze()
        write_frame(sys.stdout.buffer, msgspec.msgpack.encode(answer))


def _limit_memory() -> None:
    """Let a parser that never stops asking for memory fail here, not the user's other programs."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))


if __name__ == "__main__":
    main()
