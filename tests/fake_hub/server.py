"""`FakeHub`: the part of the Hub's HTTP interface that downloads and uploads of models need."""

import base64
import contextlib
import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fake_hub.repository import Blob, Repository


class FakeHub:
    """A Hub in memory, served on a local port.

    Attributes:
        repositories: `{"org/name": Repository}`.
        tokens: `{token: (user, "read" or "write")}`.
        requests: `(method, path)` of every request so far.
        failures: `(pattern of paths, status)`; each fails one matching request.
        truncations: `(pattern of paths, bytes)`; each cuts one matching answer short.
    """

    def __init__(self, page_size: int = 3):
        self.repositories: dict[str, Repository] = {}
        self.tokens = {"hf_writer": ("writer", "write"), "hf_reader": ("reader", "read")}
        self.requests: list[tuple[str, str]] = []
        self.failures: list[tuple[str, int]] = []
        self.truncations: list[tuple[str, int]] = []
        self.lfs: dict[str, bytes] = {}
        self.page_size = page_size

    def add(self, repository: str, files: dict[str, bytes | str], **access) -> Repository:
        """Adds a repository with these files (`access`: `private=True`, `gated=True`)."""
        made = self.repositories[repository] = Repository(repository, **access)
        made.commit({path: Blob.of(path, data) for path, data in files.items()})
        return made

    def add_folder(self, repository: str, folder: Path, **access) -> Repository:
        """Adds a repository with the files of a folder."""
        folder = Path(folder)
        paths = [path for path in folder.rglob("*") if path.is_file()]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
        return self.add(repository, files, **access)

    def downloads(self) -> list[str]:
        """Paths of the files whose bytes were asked for, in order."""
        pattern = re.compile(r"/[^/]+/[^/]+/resolve/[^/]+/(?P<path>.+)|/lfs/(?P<oid>\w+)")
        gets = [
            urllib.parse.urlsplit(path).path for method, path in self.requests if method == "GET"
        ]
        matches = [match for match in map(pattern.fullmatch, gets) if match]
        return [match["path"] or self._path_of_lfs(match["oid"]) for match in matches]

    def _path_of_lfs(self, oid: str) -> str:
        for repository in self.repositories.values():
            for files in repository.commits.values():
                for path, blob in files.items():
                    if blob.sha256 == oid:
                        return path
        raise KeyError(oid)

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        """Serves the Hub and gives its address."""
        handler = type("Handler", (_Handler,), {"hub": self})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _HubError(Exception):
    """An answer with an error status, in the Hub's form."""

    def __init__(self, status: int, message: str = "", code: str = "", headers: dict | None = None):
        super().__init__(message)
        self.status, self.message = status, message
        self.headers = dict(headers or {})
        if code:
            self.headers["X-Error-Code"] = code
        if message:
            self.headers["X-Error-Message"] = message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, *args):
        pass

    # --- one request

    def _answer(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.body = self._read_body()
        self.hub.requests.append((self.command, self.path))
        path = urllib.parse.unquote(url.path)
        try:
            self._fail_if_asked(path)
            for methods, pattern, action in _ROUTES:
                match = re.fullmatch(pattern, path)
                if match and self.command in methods:
                    action(self, **match.groupdict())
                    return
            raise _HubError(404, f"no route {self.command} {path}")
        except _HubError as error:
            self._send_json({"error": error.message}, error.status, error.headers)

    do_GET = do_HEAD = do_POST = do_PUT = _answer

    def _fail_if_asked(self, path: str):
        for index, (pattern, status) in enumerate(self.hub.failures):
            if re.search(pattern, path):
                del self.hub.failures[index]
                raise _HubError(status, "injected failure")

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, body: bytes = b"", status: int = 200, headers: dict | None = None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        for index, (pattern, size) in enumerate(self.hub.truncations):
            if re.search(pattern, self.path):
                del self.hub.truncations[index]
                self.wfile.write(body[:size])
                self.close_connection = True
                return
        self.wfile.write(body)

    def _send_json(self, value, status: int = 200, headers: dict | None = None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        self._send(json.dumps(value).encode(), status, headers)

    # --- who may do what

    def _user(self) -> tuple[str, str] | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if token and token not in self.hub.tokens:
            raise _HubError(401, "Invalid credentials in Authorization header")
        return self.hub.tokens.get(token)

    def _repository(self, repo: str, write: bool = False) -> Repository:
        user = self._user()
        found = self.hub.repositories.get(repo)
        if found is None or (found.private and user is None):
            # The Hub doesn't tell strangers whether a repository exists.
            status, message = (
                (404, "Repository not found") if user else (401, "Invalid username or password.")
            )
            raise _HubError(status, message, "RepoNotFound")
        if found.gated and (user is None or user[1] != "write"):
            status = 401 if user is None else 403
            raise _HubError(status, f"Access to model {repo} is restricted.", "GatedRepo")
        if write:
            self._require_writer(user)
        return found

    def _require_writer(self, user: tuple[str, str] | None):
        if user is None:
            raise _HubError(401, "Invalid username or password.")
        if user[1] != "write":
            raise _HubError(403, "You must use a write token to upload to a repository.")

    def _files(self, repository: Repository, revision: str) -> tuple[str, dict[str, Blob]]:
        sha = repository.resolve(revision)
        if sha is None:
            raise _HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return sha, repository.commits[sha]

    # --- reading

    def whoami(self):
        user = self._user()
        if user is None:
            raise _HubError(401, "Invalid username or password.")
        token = {"accessToken": {"displayName": "token", "role": user[1]}}
        self._send_json({"type": "user", "name": user[0], "orgs": [], "auth": token})

    def info(self, repo: str, rev: str = "main"):
        repository = self._repository(repo)
        sha, files = self._files(repository, rev)
        siblings = [{"rfilename": path} for path in sorted(files)]
        self._send_json(
            {"_id": "0" * 24, "id": repo, "modelId": repo, "sha": sha, "siblings": siblings,
             "private": repository.private, "gated": repository.gated, "disabled": False,
             "downloads": 0, "likes": 0, "tags": []}
        )  # fmt: skip

    def tree(self, repo: str, rev: str):
        _, files = self._files(self._repository(repo), rev)
        entries = [_tree_entry(path, blob) for path, blob in sorted(files.items())]
        start = int(self.query.get("cursor", 0))
        end = start + self.hub.page_size
        headers = {}
        if end < len(entries):
            query = urllib.parse.urlencode({**self.query, "cursor": end})
            address = f"http://{self.headers['Host']}{urllib.parse.urlsplit(self.path).path}"
            headers["Link"] = f'<{address}?{query}>; rel="next"'
        self._send_json(entries[start:end], headers=headers)

    def file(self, repo: str, rev: str, path: str):
        sha, files = self._files(self._repository(repo), rev)
        headers = {"X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        if path not in files:
            raise _HubError(404, "Entry not found", "EntryNotFound", headers)
        blob = files[path]
        if not blob.lfs:
            self._send_bytes(blob.data, {**headers, "ETag": f'"{blob.git_id}"'})
            return
        self.hub.lfs[blob.sha256] = blob.data
        # Another host, as on the Hub: the client must not send its token there.
        location = f"http://localhost:{self.server.server_address[1]}/lfs/{blob.sha256}"
        linked = {"X-Linked-Size": str(len(blob.data)), "X-Linked-Etag": f'"{blob.sha256}"'}
        self._send(status=302, headers={**headers, **linked, "Location": location})

    def lfs_file(self, oid: str):
        self._send_bytes(self.hub.lfs[oid], {"ETag": f'"{oid}"', "Accept-Ranges": "bytes"})

    def _send_bytes(self, data: bytes, headers: dict):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not wanted:
            self._send(data, headers=headers)
            return
        start, end = int(wanted[1]), int(wanted[2] or len(data) - 1)
        part = f"bytes {start}-{end}/{len(data)}"
        self._send(data[start : end + 1], 206, {**headers, "Content-Range": part})

    # --- writing

    def create(self):
        user = self._user()
        self._require_writer(user)
        asked = json.loads(self.body)
        repo = f"{asked.get('organization') or user[0]}/{asked['name']}"
        address = {"url": f"http://{self.headers['Host']}/{repo}", "name": repo, "id": repo}
        if repo in self.hub.repositories:
            self._send_json({"error": "You already created this model repo", **address}, 409)
            return
        private = bool(asked.get("private")) or asked.get("visibility") == "private"
        self.hub.add(repo, {".gitattributes": "*.safetensors filter=lfs\n"}, private=private)
        self._send_json(address)

    def validate_card(self):
        self._send_json({"errors": [], "warnings": []})

    def preupload(self, repo: str, rev: str):
        _, present = self._files(self._repository(repo, write=True), rev)
        answers = []
        for file in json.loads(self.body)["files"]:
            path = file["path"]
            mode = "lfs" if Blob.of(path, b"").lfs else "regular"
            oid = present[path].git_id if path in present else None
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._send_json({"files": answers})

    def lfs_batch(self, repo: str):
        self._repository(repo, write=True)
        host = f"http://{self.headers['Host']}"
        objects = []
        for asked in json.loads(self.body)["objects"]:
            answer = {"oid": asked["oid"], "size": asked["size"]}
            if asked["oid"] not in self.hub.lfs:
                verify = f"{host}/{repo}.git/info/lfs/objects/verify"
                upload = f"{host}/lfs/{asked['oid']}"
                answer["actions"] = {"upload": {"href": upload}, "verify": {"href": verify}}
            objects.append(answer)
        self._send_json({"transfer": "basic", "objects": objects})

    def lfs_put(self, oid: str):
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise _HubError(400, "sha256 mismatch")
        self.hub.lfs[oid] = self.body
        self._send()

    def lfs_verify(self, repo: str):
        known = json.loads(self.body)["oid"] in self.hub.lfs
        self._send_json({}, 200 if known else 404)

    def commit(self, repo: str, rev: str):
        repository = self._repository(repo, write=True)
        _, files = self._files(repository, rev)
        files = dict(files)
        for line in self.body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = Blob(base64.b64decode(value["content"]))
            elif operation["key"] == "lfsFile":
                files[value["path"]] = Blob(self.hub.lfs[value["oid"]], lfs=True)
            elif operation["key"] == "deletedFile":
                files.pop(value["path"], None)
        sha = repository.commit(files, rev)
        address = f"http://{self.headers['Host']}/{repo}/commit/{sha}"
        self._send_json({"success": True, "commitOid": sha, "commitUrl": address})


def _tree_entry(path: str, blob: Blob) -> dict:
    entry = {"type": "file", "oid": blob.git_id, "size": len(blob.data), "path": path}
    if blob.lfs:
        entry["lfs"] = {"oid": blob.sha256, "size": len(blob.data), "pointerSize": 134}
    return entry


_REPO, _REV = r"(?P<repo>[\w.\-]+/[\w.\-]+?)", r"(?P<rev>[^/]+)"
_ROUTES = [
    (("GET",), r"/api/whoami-v2", _Handler.whoami),
    (("GET",), rf"/api/models/{_REPO}", _Handler.info),
    (("GET",), rf"/api/models/{_REPO}/revision/{_REV}", _Handler.info),
    (("GET",), rf"/api/models/{_REPO}/tree/{_REV}", _Handler.tree),
    (("GET", "HEAD"), rf"/{_REPO}/resolve/{_REV}/(?P<path>.+)", _Handler.file),
    (("GET", "HEAD"), r"/lfs/(?P<oid>\w+)", _Handler.lfs_file),
    (("POST",), r"/api/repos/create", _Handler.create),
    (("POST",), r"/api/validate-yaml", _Handler.validate_card),
    (("POST",), rf"/api/models/{_REPO}/preupload/{_REV}", _Handler.preupload),
    (("POST",), rf"/api/models/{_REPO}/commit/{_REV}", _Handler.commit),
    (("POST",), rf"/{_REPO}\.git/info/lfs/objects/batch", _Handler.lfs_batch),
    (("POST",), rf"/{_REPO}\.git/info/lfs/objects/verify", _Handler.lfs_verify),
    (("PUT",), r"/lfs/(?P<oid>\w+)", _Handler.lfs_put),
]
