"""Repositories of the fake Hub: commits of files, kept in memory."""

import dataclasses
import fnmatch
import hashlib

LFS_PATTERNS = ("*.h5", "*.safetensors", "*.bin", "*.onnx")


@dataclasses.dataclass(frozen=True)
class Blob:
    """One version of one file."""

    data: bytes
    lfs: bool = False

    @classmethod
    def of(cls, path: str, data: bytes | str) -> "Blob":
        """Stores a file as the Hub would: large kinds of files go to LFS."""
        data = data.encode() if isinstance(data, str) else data
        return cls(data, lfs=any(fnmatch.fnmatch(path, pattern) for pattern in LFS_PATTERNS))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def git_id(self) -> str:
        """The id of the blob in git, which for an LFS file is that of its pointer."""
        data = self.data
        if self.lfs:
            data = (
                "version https://git-lfs.github.com/spec/v1\n"
                f"oid sha256:{self.sha256}\nsize {len(self.data)}\n"
            ).encode()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclasses.dataclass
class Repository:
    """A model repository.

    Attributes:
        commits: `{commit: {path: Blob}}`.
        refs: `{branch or tag: commit}`.
    """

    id: str
    private: bool = False
    gated: bool = False
    commits: dict = dataclasses.field(default_factory=dict)
    refs: dict = dataclasses.field(default_factory=dict)

    @property
    def files(self) -> dict[str, Blob]:
        """The files of the branch `main`."""
        return self.commits[self.refs["main"]]

    def commit(self, files: dict[str, Blob], branch: str = "main") -> str:
        """Makes these the files of a branch and returns the commit's id."""
        listing = "".join(f"{path}:{files[path].sha256}" for path in sorted(files))
        sha = hashlib.sha1(f"{self.id}:{len(self.commits)}:{listing}".encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.refs[branch] = sha
        return sha

    def resolve(self, revision: str) -> str | None:
        """Returns the commit that a branch, tag or commit id means."""
        return self.refs.get(revision) or (revision if revision in self.commits else None)
