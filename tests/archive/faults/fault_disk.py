"""A disk that forgets: what is left of a tree of files when the power fails at some point of a process.

What is assumed of it, which is what POSIX grants and common file systems keep:

* The content of a file is on the disk once the file was synced. Before that it may be there, in part, or not at all.
* A change of a name (a file or folder made, removed, renamed, a link) is on the disk once the folder of the name was
  synced. Before that it may be there or not, whatever became of other names; but of two changes of the same name the
  later one is never there without the earlier one.
* A rename happens or does not, also from one folder to another; it is on the disk once the folder of the new name was
  synced. To sync the folder of the old name is not relied on.
* To sync a file does not sync its name, nor to sync a folder the files in it.
* A transaction of SQLite is there as a whole from its COMMIT on, and not at all before it: that is what SQLite promises
  with ``synchronous = EXTRA``, which the tests see asked for. No other name is taken to be synced by it.
"""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
from fault_points import Point

WAYS = ("dropped", "kept", "mixed")
"""What becomes of what was not synced: no change of a name is there; all are, and the files are empty; by luck."""

_ROOT = 0
_SQLITE = (".db3",)
_NOT_OURS = ("-journal",)  # of SQLite, which looks after it

Name = tuple[int, str]
Left = dict[str, tuple[str, int, bytes]]


@attrs.define
class _Node:
    """A file, a folder or a link, whatever it is called."""

    kind: str
    mode: int
    target: str = ""
    now: bytes = b""
    durable: bytes = b""
    seen: tuple[int, int] = (-1, -1)


@attrs.frozen
class _Change:
    """A change of one name, or of two by a rename, that is not on the disk yet."""

    folder: int
    before: Mapping[Name, int | None]
    after: Mapping[Name, int | None]

    def fits(self, names: Mapping[Name, int]) -> bool:
        return all(names.get(name) == node for name, node in self.before.items())

    def do(self, names: dict[Name, int]) -> None:
        for name, node in self.after.items():
            if node is None:
                names.pop(name, None)
            else:
                names[name] = node


@attrs.frozen
class Moment:
    """What is on the disk for certain, and what is not, immediately before a point."""

    said: str
    names: Mapping[Name, int]
    pending: tuple[_Change, ...]
    contents: Mapping[int, tuple[bytes, bytes]]
    nodes: Mapping[int, _Node]

    def left(self, way: str, luck: random.Random) -> Left:
        """Return what a power loss at this moment leaves: folders, links and files by their path."""
        names = dict(self.names)
        for change in self.pending:
            is_kept = way == "kept" or (way == "mixed" and luck.random() < 0.5)
            if is_kept and change.fits(names):
                change.do(names)
        inner: dict[int, list[tuple[str, int]]] = {}
        for (folder, name), node in names.items():
            inner.setdefault(folder, []).append((name, node))
        found: Left = {}

        def walk(folder: int, path: str) -> None:
            for name, number in sorted(inner.get(folder, [])):
                node, here = self.nodes[number], f"{path}{name}"
                content = self._content(number, way, luck) if node.kind == "file" else node.target.encode()
                found[here] = (node.kind, stat.S_IMODE(node.mode), content)
                if node.kind == "folder":
                    walk(number, f"{here}/")

        walk(_ROOT, "")
        return found

    def _content(self, number: int, way: str, luck: random.Random) -> bytes:
        durable, now = self.contents[number]
        return luck.choice([durable, now, now[: len(now) // 2]]) if way == "mixed" and now != durable else durable


def write(left: Left, root: Path) -> None:
    """Make a folder of what is left."""
    root.mkdir()
    for name, (kind, mode, content) in left.items():
        path = root / name
        if kind == "folder":
            path.mkdir()
        elif kind == "link":
            path.symlink_to(content.decode())
        else:
            path.write_bytes(content)
            path.chmod(mode)


class Disk:
    """Follows a process and knows at each of its points what would be left.

    Parameters
    ----------
    root : Path
        The tree, all of which is on the disk.
    forgets : callable, optional
        Says of a point whether the disk only pretends to sync there: to see what a missing sync would do.
    """

    def __init__(self, root: Path, forgets: Callable[[Point], bool] = lambda point: False) -> None:
        self.root = root
        self.forgets = forgets
        self.moments: list[Moment] = []
        self._nodes: dict[int, _Node] = {_ROOT: _Node("folder", 0o755)}
        self._live: dict[int, int] = {root.stat().st_ino: _ROOT}
        self._now: dict[Name, int] = {}
        self._durable: dict[Name, int] = {}
        self._pending: list[_Change] = []
        self._look()
        self._durable = dict(self._now)
        self._pending = []
        for node in self._nodes.values():
            node.durable = node.now

    # ---- what the process does --------------------------------------------------------------------------------------

    def before(self, point: Point) -> None:
        """Take down the moment."""
        self._look()
        self.mark(str(point))

    def after(self, point: Point) -> None:
        """Take down what the point has changed."""
        self._look(is_one=True)
        if point.kind not in ("fsync", "commit") or self.forgets(point):
            return
        if point.kind == "commit":
            folder, name = os.path.split(point.args[0])
            key = (self._live[Path(folder).stat().st_ino], name)
            node = self._nodes[self._now[key]]
            node.now = node.durable = Path(point.args[0]).read_bytes()
            self._harden(lambda change: key in change.after)
            return
        number = self._live.get(os.fstat(point.args[0]).st_ino)
        if number is None:
            return  # outside
        node = self._nodes[number]
        if node.kind == "folder":
            self._harden(lambda change: change.folder == number)
        else:
            node.durable = node.now

    def mark(self, said: str) -> None:
        """Remember what would be left now."""
        contents = {number: (node.durable, node.now) for number, node in self._nodes.items() if node.kind == "file"}
        self.moments.append(Moment(said, dict(self._durable), tuple(self._pending), contents, self._nodes))

    # ---- what the disk knows ----------------------------------------------------------------------------------------

    def _harden(self, is_meant: Callable[[_Change], bool]) -> None:
        """Put changes on the disk, and before them the earlier ones of the same names."""
        names: set[Name] = set()
        chosen = []
        for change in reversed(self._pending):
            if is_meant(change) or names & change.after.keys():
                chosen.append(change)
                names |= change.after.keys()
        for change in reversed(chosen):
            change.do(self._durable)
        self._pending = [change for change in self._pending if not any(change is each for each in chosen)]

    def _look(self, *, is_one: bool = False) -> None:
        """Find what has changed in the tree: by one operation, or by files that were opened, each by itself."""
        live: dict[int, int] = {}
        found = self._scanned(live)
        changed = {name for name in self._now.keys() | found.keys() if self._now.get(name) != found.get(name)}
        groups = [changed] if is_one else [{name} for name in sorted(changed)]
        for group in filter(None, groups):
            made = [name for name in group if name in found]
            folder = (made or list(group))[0][0]
            before = {name: self._now.get(name) for name in group}
            self._pending.append(_Change(folder, before, {name: found.get(name) for name in group}))
        self._now, self._live = found, live

    def _scanned(self, live: dict[int, int]) -> dict[Name, int]:
        found: dict[Name, int] = {}
        folders = [(self.root, _ROOT)]
        live[self.root.stat().st_ino] = _ROOT
        while folders:
            path, folder = folders.pop()
            for entry in os.scandir(path):
                if entry.name.endswith(_NOT_OURS):
                    continue
                status = entry.stat(follow_symlinks=False)
                number = self._live.get(status.st_ino)
                if number is None:
                    number = len(self._nodes)
                    kind = "link" if entry.is_symlink() else "folder" if entry.is_dir() else "file"
                    self._nodes[number] = _Node(kind, status.st_mode)
                live[status.st_ino] = found[folder, entry.name] = number
                self._read(self._nodes[number], Path(entry.path), status)
                if self._nodes[number].kind == "folder":
                    folders.append((Path(entry.path), number))
        return found

    def _read(self, node: _Node, path: Path, status: os.stat_result) -> None:
        node.mode = status.st_mode
        if node.kind == "link":
            node.target = str(path.readlink())
        # Of an index counts what was committed; but the one that is there at first is as it is.
        elif node.kind == "file" and (not path.name.endswith(_SQLITE) or (not self.moments and not node.now)):
            seen = (status.st_mtime_ns, status.st_size)
            if seen != node.seen:
                node.now, node.seen = path.read_bytes(), seen
