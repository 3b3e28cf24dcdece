"""A chat server on a thread, which answers as a test says and keeps what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with the server's `reply`, and keeps what was asked."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers), None))
        self.server.listing(self)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(content)))
        self.server.reply(self)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep the tests' output clean."""

    def begin(self, status: int = 200, kind: str = "text/event-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        self.wfile.flush()

    def end(self) -> None:
        self.chunk(b"")

    def whole(self, status: int, content: bytes) -> None:
        self.send_response(status, "As Told")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, reply: Reply, listing: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply = reply
        self.listing = listing
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


def event(text: str | None = None, *, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n".encode()


def reply_with(*chunks: bytes) -> Reply:
    def reply(handler: Handler) -> None:
        handler.begin()
        for chunk in chunks:
            handler.chunk(chunk)
        handler.end()

    return reply


def refuse_with(status: int, content: bytes) -> Reply:
    return lambda handler: handler.whole(status, content)


def list_of(*names: str) -> Reply:
    content = json.dumps({"object": "list", "data": [{"id": name} for name in names]})
    return lambda handler: handler.whole(200, content.encode())


GOOD = (event("It "), event("f\u00e4ils."), event(finish="stop"), b"data: [DONE]\n\n")


@contextmanager
def serving(reply: Reply, *, listing: Reply | None = None) -> Iterator[Server]:
    server = Server(reply, listing or list_of("codellama"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
