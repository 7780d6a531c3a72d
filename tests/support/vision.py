"""A stand-in for a vision-language model behind `/chat/completions`, on loopback: faults on request."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from PIL import Image

KEY = "sk-only-for-tests"
MODEL = "stand-in-vl"
SAID = {
    "description": "Green hills rise above a narrow valley.",
    "terms": ["hill", "farmland"],
    "category": "hills",
    "weather": "",
    "confidence": 0.8,
}


@dataclass(frozen=True)
class Asked:
    """One request as the server heard it. pictures: the decoded data URLs' (width, height)."""

    path: str
    authorization: str
    body: dict[str, Any]
    pictures: list[tuple[int, int]]
    at: float = field(default_factory=time.monotonic)

    @property
    def words(self) -> str:
        """What is written in the user's message."""
        parts = self.body["messages"][-1]["content"]
        return "\n".join(part["text"] for part in parts if part["type"] == "text")


@dataclass
class Reply:
    """What is answered. cut: more is announced than is sent; slow: seconds between two pieces of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    silent: float = 0.0
    slow: float = 0.0


Fault = Callable[[Asked], Reply | None]


class VisionServer:
    """Answers every right request with `says(asked)`, a JSON object or text. `faults` see each request first."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.says: Callable[[Asked], Any] = lambda _asked: SAID
        self.latency = 0.0
        self.knows_schema = True
        self.flying = self.peak = 0
        self.sent = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stand_in = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def endpoint(self, **changes: Any) -> dict[str, Any]:
        """As settings.CAPTION_ENDPOINTS has one."""
        usual = {
            "urls": [self.url],
            "model": MODEL,
            "key": KEY,
            "concurrent": 4,
            "requests": 0,
            "tokens": 0,
            "seconds": 10.0,
            "picture": 64,
            "depth": False,
            "longest": 300,
            "prices": (0.0, 0.0),
        }
        return {**usual, **changes}

    def environment(self, name: str, **changes: Any) -> dict[str, str]:
        """The variables that make a site know this server under a name."""
        at = f"CAPTION_{name.upper()}_"
        usual = {"URL": self.url, "MODEL": MODEL, "KEY": KEY, **changes}
        return {"CAPTION_ENDPOINTS": name, **{at + key: str(value) for key, value in usual.items()}}

    def once(self, reply: Reply, times: int = 1) -> None:
        """Answer the next requests with this, and then rightly again."""
        left = [reply] * times

        def fault(_asked: Asked) -> Reply | None:
            return left.pop() if left else None

        self.faults.append(fault)

    def begin(self, asked: Asked) -> None:
        with self._lock:
            self.asked.append(asked)
            self.flying += 1
            self.peak = max(self.peak, self.flying)

    def end(self) -> None:
        with self._lock:
            self.flying -= 1

    def reply(self, asked: Asked) -> Reply:
        found = next((found for fault in list(self.faults) if (found := fault(asked)) is not None), None)
        if found is not None:
            return found
        if asked.path != "/v1/chat/completions" or asked.body.get("model") != MODEL:
            return Reply(404, b'{"error": {"message": "no such model"}}')
        if asked.authorization != f"Bearer {KEY}":
            return Reply(401, json.dumps({"error": {"message": f"Incorrect API key: {asked.authorization}"}}).encode())
        if "response_format" in asked.body and not self.knows_schema:
            return Reply(400, b'{"error": {"message": "response_format is not supported"}}')
        said = self.says(asked)
        return completion(said if isinstance(said, str) else json.dumps(said))


def completion(text: str | None, *, finish: str = "stop", **message: Any) -> Reply:
    """A right answer in which the model says this."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": f"{MODEL}-0001",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960},
    }
    return Reply(200, json.dumps(body).encode(), {"Content-Type": "application/json"})


class _Server(ThreadingHTTPServer):
    stand_in: VisionServer
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, _request: Any, _address: Any) -> None:
        """A client that has gone is what a test wants; what is wrong here fails its test anyway."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 2**16
    server: _Server

    def do_POST(self) -> None:
        stand_in = self.server.stand_in
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = Asked(self.path, self.headers.get("Authorization", ""), body, _pictures(body))
        stand_in.begin(asked)
        try:
            reply = stand_in.reply(asked)
            time.sleep(stand_in.latency + reply.silent)
            self._send(reply)
        except OSError:  # the client has gone: what a timeout looks like from here
            self.close_connection = True
        finally:
            stand_in.end()

    def do_GET(self) -> None:
        self._send(Reply(404))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) + 1000 * reply.cut))
        self.end_headers()
        pieces = [reply.body[start : start + 2**16] for start in range(0, len(reply.body), 2**16)]
        if reply.slow:
            pieces = [reply.body[start : start + 1] for start in range(len(reply.body))]
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            self.server.stand_in.sent += len(piece)
            time.sleep(reply.slow)
        self.close_connection = self.close_connection or reply.cut

    def log_message(self, *_args: Any) -> None:
        pass


def _pictures(body: dict[str, Any]) -> list[tuple[int, int]]:
    found = []
    for message in body.get("messages", []):
        for part in message["content"] if isinstance(message["content"], list) else []:
            if part["type"] == "image_url":
                head, _, data = part["image_url"]["url"].partition(",")
                assert head == "data:image/jpeg;base64"
                found.append(Image.open(io.BytesIO(base64.b64decode(data))).size)
    return found
