"""An API server of one namespace, in a thread: stores objects, checks resourceVersions, refuses what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

JsonDict = dict[str, Any]
ROOT = "/apis/autopack.dev/v1alpha1/namespaces/agents"


class SmallCluster:
    """`objects` by path; `refused` maps `<VERB> <path>` (or a verb alone) to the code and message to refuse with."""

    def __init__(self) -> None:
        self.objects: dict[str, JsonDict] = {}
        self.refused: dict[str, tuple[int, str]] = {}
        self.conflicts = 0
        self.asked: list[str] = []

    def add(self, plural: str, name: str, **parts: Any) -> JsonDict:
        """Store an object."""
        meta = {"name": name, "namespace": "agents", "uid": f"uid-{name}", "resourceVersion": "1"}
        kind = {"autopackruns": "AutopackRun", "runbatches": "RunBatch"}[plural]
        body = {"kind": kind, "metadata": meta | parts.pop("metadata", {}), "spec": {}, "status": {}} | parts
        self.objects[f"{ROOT}/{plural}/{name}"] = body
        return body

    def answer(self, verb: str, path: str, query: dict[str, list[str]], body: JsonDict) -> tuple[int, JsonDict]:
        """Answer one request."""
        self.asked.append(f"{verb} {path}")
        for key in (f"{verb} {path}", verb):
            if key in self.refused:
                code, message = self.refused[key]
                return code, {"kind": "Status", "message": message}
        if path.endswith("/selfsubjectreviews"):
            return 201, {"status": {"userInfo": {"username": "jo"}}}
        if verb == "POST":
            return self._create(path, body)
        if path.rsplit("/", 1)[-1] in {"autopackruns", "runbatches", "pods", "leases"}:
            return 200, {"metadata": {}, "items": self._listed(path, query.get("labelSelector", [""])[0])}
        if path not in self.objects:
            return 404, {"kind": "Status", "reason": "NotFound", "message": f'x "{path.rsplit("/", 1)[-1]}" not found'}
        if verb == "PUT":
            return self._replace(path, body)
        return 200, self.objects.pop(path) if verb == "DELETE" else self.objects[path]

    def _listed(self, path: str, selector: str) -> list[JsonDict]:
        bodies = [body for place, body in self.objects.items() if place.startswith(f"{path}/")]
        if not selector:
            return bodies
        label, _, value = selector.partition("=")
        return [body for body in bodies if body["metadata"].get("labels", {}).get(label) == value]

    def _create(self, path: str, body: JsonDict) -> tuple[int, JsonDict]:
        self.objects[f"{path}/{body['metadata']['name']}"] = body
        return 201, body

    def _replace(self, path: str, body: JsonDict) -> tuple[int, JsonDict]:
        if self.conflicts:
            self.conflicts -= 1
            return 409, {"kind": "Status", "reason": "Conflict", "message": "changed"}
        self.objects[path] = body
        return 200, body


@contextmanager
def serving(cluster: SmallCluster, folder: Path) -> Iterator[Path]:
    """Serve it; yield a kubeconfig that leads there."""

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = json.loads(raw) if raw else {}
            code, body = cluster.answer(self.command, parts.path, parse_qs(parts.query), found)
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = respond  # noqa: N815 - the names http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    config = folder / "kubeconfig"
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "agents"}}],
                "current-context": "x",
            }
        )
    )
    try:
        yield config
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
