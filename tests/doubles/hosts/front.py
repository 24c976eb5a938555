"""The way to a host's API, played or real: TLS of a private CA, a token that is checked, and faults on demand."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit


class Request(NamedTuple):
    """What a client asked. `raw_path` is as it came, `path` decoded, `document` the body where it is JSON."""

    method: str
    raw_path: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    document: Any
    body: bytes = b""


class Answer(NamedTuple):
    """What it gets."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = {}


Backend = Callable[[Request], Answer]
Fault = Callable[[Request, Backend], "Answer | None"]
"""Stands between a request and the host. None: the client gets no answer at all."""


class Front:
    """Serves a backend. The faults are asked in turn, the newest first; each may be taken away again."""

    def __init__(self, backend: Backend, certificate: Path, key: Path, host: str = "127.0.0.1") -> None:
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._backend, self._lock = backend, threading.Lock()
        self._server = _Server((host, 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # Not at accept: a client that does not trust us would hold everybody else up.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://{host}:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[Front]:
        """Serve while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        """Have a fault while the block runs."""
        self._faults.insert(0, fault)
        try:
            yield
        finally:
            self._faults.remove(fault)

    def answer(self, request: Request) -> Answer | None:
        """Answer a request as the faults have it."""
        with self._lock:
            self.requests.append(request)
        backend = self._backend
        for fault in reversed(self._faults):
            backend = _through(fault, backend)
        try:
            return backend(request)
        except _NoAnswerError:
            return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                is_json = body and "json" in self.headers.get("Content-Type", "")
                request = Request(
                    method=self.command,
                    raw_path=url.path,
                    path=unquote(url.path),
                    query=dict(parse_qsl(url.query)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    document=json.loads(body) if is_json else None,
                    body=body,
                )
                answer = front.answer(request)
                if answer is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response_only(answer.status)
                data = answer.document if isinstance(answer.document, bytes) else json.dumps(answer.document).encode()
                for name, value in ({"Content-Type": "application/json"} | dict(answer.headers)).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                return

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that are killed, or that do not trust us, are what tests are about."""


class _NoAnswerError(Exception):
    pass


def _through(fault: Fault, backend: Backend) -> Backend:
    def through(request: Request) -> Answer:
        answer = fault(request, backend)
        if answer is None:
            raise _NoAnswerError
        return answer

    return through


def instead(answer: Answer, method: str = "", part: str = "") -> Fault:
    """Give this answer in the host's place, to requests of that method with that part in their path."""

    def fault(request: Request, backend: Backend) -> Answer | None:
        return answer if method in ("", request.method) and part in request.path else backend(request)

    return fault


def lose(method: str, part: str = "", times: int = 1) -> Fault:
    """Have the host do it, and lose the answer."""
    left = [times]

    def fault(request: Request, backend: Backend) -> Answer | None:
        answer = backend(request)
        if left[0] and request.method == method and part in request.path:
            left[0] -= 1
            return None
        return answer

    return fault
