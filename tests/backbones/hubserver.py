"""A hub in a process of its own: the protocol that the hub's client speaks, over folders of a directory.

Run as ``python hubserver.py ROOT``. It prints its port, serves ``ROOT/owner/name/*`` and writes one JSON line a request
to ``ROOT/log.jsonl``. ``ROOT/behaviour.json`` is read at every request:

    silent   true: connections are accepted and never answered
    gated    repositories that answer 403
    cut      file name -> bytes after which the connection is dropped (once for each request)
    corrupt  file names whose content arrives with one byte changed
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "a" * 40
LARGE = (".safetensors", ".bin", ".pth")
"""What the real hub keeps in large file storage, under its SHA-256, on another host."""


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        behaviour = json.loads((self.root / "behaviour.json").read_text())
        with open(self.root / "log.jsonl", "a") as log:
            entry = {"method": self.command, "path": self.path, "range": self.headers.get("Range")}
            entry["token"] = self.headers.get("Authorization")
            log.write(json.dumps(entry) + "\n")
        if behaviour.get("silent"):
            time.sleep(60)
            return
        parts = urlsplit(self.path)
        words = [unquote(word) for word in parts.path.split("/") if word]
        if words[:2] == ["api", "models"] and len(words) == 2:
            self._search(parse_qs(parts.query).get("search", [""])[0])
        elif words[:1] == ["storage"]:
            self._send(self.root / Path(*words[1:]), behaviour, body=body)
        elif len(words) >= 5 and words[2] == "resolve":
            self._resolve(behaviour, words[0], words[1], words[3], "/".join(words[4:]), body=body)
        else:
            self._refuse(404, "")

    def _search(self, text: str) -> None:
        found = [f"{path.parent.name}/{path.name}" for path in sorted(self.root.glob("*/*")) if path.is_dir()]
        self._json([{"id": name, "modelId": name} for name in found if text.lower() in name.lower()])

    def _resolve(self, behaviour: dict, owner: str, name: str, revision: str, file: str, *, body: bool) -> None:
        repository, path = f"{owner}/{name}", self.root / owner / name / file
        if repository in behaviour.get("gated", []):
            return self._refuse(403, "GatedRepo")
        if not path.parent.is_dir():
            return self._refuse(401, "RepoNotFound")
        if revision not in ("main", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        if not path.is_file():
            return self._refuse(404, "EntryNotFound")
        if path.suffix not in LARGE:
            return self._send(path, behaviour, body=body, etag=git_digest(path.read_bytes()))
        self.send_response(302)
        # Another host, as the hub's storage is: the token must not follow.
        self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/storage/{repository}/{file}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"')
        self.send_header("X-Linked-Size", str(path.stat().st_size))
        self.send_header("Content-Length", "0")
        return self.end_headers()

    def _send(self, path: Path, behaviour: dict, *, body: bool, etag: str = "") -> None:
        data = bytearray(path.read_bytes())
        if path.name in behaviour.get("corrupt", []):
            data[len(data) // 2] ^= 1
        wanted = self.headers.get("Range")
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if etag:
            self.send_header("ETag", f'"{etag}"')
            self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if not body:
            return
        rest, cut = bytes(data[start:]), behaviour.get("cut", {}).get(path.name)
        self.wfile.write(rest if cut is None else rest[:cut])
        if cut is not None and cut < len(rest):
            self.close_connection = True
            self.wfile.flush()
            self.connection.close()

    def _refuse(self, code: int, word: str) -> None:
        self.send_response(code)
        if word:
            self.send_header("X-Error-Code", word)
        if word == "EntryNotFound":
            self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, data: object) -> None:
        text = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log file says it."""


def git_digest(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


if __name__ == "__main__":
    Hub.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(server.server_address[1], flush=True)
    server.serve_forever()
