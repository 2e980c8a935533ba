"""As much of a W&B server as a run needs that logs metrics, tables, files and an artifact to it."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class WandbServer(ThreadingHTTPServer):
    """Keeps what it receives.

    Attributes:
        runs: the variables of each request that made or changed a run.
        history: the logged rows; as in W&B, rows that are sent to the place of others replace these.
        files: name to content of uploaded files; of artifacts, ``artifact/NAME``.
        artifacts: the input of each artifact that was made.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.runs: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.artifacts: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """The ``data`` of a GraphQL response."""
        match operation:
            case "Viewer":
                return {"viewer": {"id": "1", "username": "u", "entity": "e", "email": "u@e", "flags": "{}",
                                   "admin": False, "teams": {"edges": []}}}  # fmt: skip
            case "UpsertBucket":
                self.runs.append(given)
                project = {"id": "p", "name": given["project"], "entity": {"id": "1", "name": "e"}}
                run = {"id": "r", "name": given["name"], "displayName": given["displayName"], "description": None,
                       "config": "{}", "sweepName": None, "historyLineCount": len(self.history),
                       "project": project}  # fmt: skip
                return {"upsertBucket": {"bucket": run, "inserted": True}}
            case "RunResumeStatus":
                return {"model": None}
            case "ServerFeaturesQuery":
                return {"serverInfo": {"features": []}}
            case "CreateRunFiles":
                files = [{"name": name, "uploadUrl": f"{self.url}/{name}"} for name in given["files"]]
                return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}
            case "CreateArtifact":
                self.artifacts.append(given["input"])
                sequence = {"id": "s", "latestArtifact": None}
                return {"createArtifact": {"artifact": {"id": "a", "state": "PENDING", "artifactSequence": sequence}}}
            case "CreateArtifactManifest":
                file = {"id": "f", "name": "m", "displayName": "m", "uploadUrl": f"{self.url}/manifest",
                        "uploadHeaders": []}  # fmt: skip
                return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": file}}}
            case "CreateArtifactFiles":
                names = [file["name"] for file in given["input"]["artifactFiles"]]
                nodes = [{"storagePath": name, "uploadUrl": f"{self.url}/artifact/{name}", "uploadHeaders": [],
                          "uploadMultipartUrls": None, "artifact": {"id": "a"}} for name in names]  # fmt: skip
                return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}
            case "CommitArtifact":
                return {"commitArtifact": {"artifact": {"id": "a", "digest": "d"}}}
            case _:
                return {"project": None, "entity": None}

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is none."""


class _Handler(BaseHTTPRequestHandler):
    server: WandbServer
    protocol_version = "HTTP/1.1"

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _reply(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith("/graphql"):
            request = json.loads(body)
            self._reply({"data": self.server.answer(request["operationName"], request.get("variables") or {})})
            return
        if self.path.endswith("/file_stream"):
            history = json.loads(body).get("files", {}).get("wandb-history.jsonl", {"content": [], "offset": 0})
            rows, start = [json.loads(line) for line in history["content"]], history["offset"]
            self.server.history[start : start + len(rows)] = rows
        self._reply({})

    def do_PUT(self) -> None:
        self.server.files[self.path.lstrip("/")] = self._body()
        self._reply({})

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def wandb_server() -> Iterator[WandbServer]:
    with WandbServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
