"""A hub of data sets in a process of its own: as much of the protocol as the ``datasets`` library speaks.

Run as ``python hubserver.py ROOT``. It prints its port and serves ``ROOT/owner/name/*``; data sets whose name begins
with "gated" are, like the real ones, listed and not given.
"""

from __future__ import annotations

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "b" * 40


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        asked = self.rfile.read(length).decode()
        words = [unquote(word) for word in urlsplit(self.path).path.split("/") if word]
        if words[:2] != ["api", "datasets"] or words[4:5] != ["paths-info"]:
            return self.refuse(404, "")
        paths = json.loads(asked)["paths"] if asked.startswith("{") else []
        return self.give(json.dumps([each for each in self.listing(words[2], words[3]) if each["path"] in paths]))

    def answer(self, *, body: bool) -> None:
        words = [unquote(word) for word in urlsplit(self.path).path.split("/") if word]
        if words[:2] == ["api", "datasets"] and len(words) >= 4:
            owner, name, rest = words[2], words[3], words[4:]
            if not (self.root / owner / name).is_dir():
                return self.refuse(401, "RepoNotFound")
            if rest[:1] == ["tree"]:
                inside = "/".join(rest[2:])
                found = [each for each in self.listing(owner, name) if each["path"].startswith(inside)]
                return self.give(json.dumps(found)) if found else self.refuse(404, "EntryNotFound")
            files = [{"rfilename": each["path"]} for each in self.listing(owner, name) if each["type"] == "file"]
            gated = "auto" if name.startswith("gated") else False
            facts = {"id": f"{owner}/{name}", "sha": COMMIT, "siblings": files, "private": False, "gated": gated}
            return self.give(json.dumps({**facts, "tags": [], "downloads": 0, "likes": 0}))
        if words[:1] == ["datasets"] and words[3:4] == ["resolve"]:
            path = self.root.joinpath(*words[1:3], *words[5:])
            if words[2].startswith("gated"):
                return self.refuse(403, "GatedRepo")
            if not path.is_file():
                return self.refuse(
                    404, "EntryNotFound" if (self.root / words[1] / words[2]).is_dir() else "RepoNotFound"
                )
            return self.send(path.read_bytes(), body=body)
        return self.refuse(404, "")

    def listing(self, owner: str, name: str) -> list[dict]:
        folder = self.root / owner / name
        found = []
        for path in sorted(folder.rglob("*")):
            own = {"path": path.relative_to(folder).as_posix(), "oid": "c" * 40}
            own |= {"type": "directory", "size": 0} if path.is_dir() else {"type": "file", "size": path.stat().st_size}
            found.append(own)
        return found

    def send(self, data: bytes, *, body: bool) -> None:
        wanted = self.headers.get("Range")
        start, end = 0, len(data)
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(end, int(last) + 1) if last else end
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if body:
            self.wfile.write(data[start:end])

    def give(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def refuse(self, code: int, word: str) -> None:
        self.send_response(code)
        if word:
            self.send_header("X-Error-Code", word)
            self.send_header("X-Error-Message", "Access to it is restricted" if code == 403 else "not found")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    Hub.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(server.server_address[1], flush=True)
    server.serve_forever()
