"""A process that has imported everything, and forks a child for each thing that may end badly.

It reads requests from its input, a line of JSON each, and answers each with a line: the name of a function of this
module and its arguments. What is killed, runs out of disk or loses its rights is never this process itself.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import itertools
import json
import logging
import os
import pickle
import random
import resource
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from fault_disk import WAYS, Disk, Left, write
from fault_points import MAKING, Point, no_room, watching
from fault_scenes import (
    CROWD,
    PRODUCT,
    Scene,
    aftermath,
    archive_of,
    completed,
    deliver_again,
    deliver_revisions,
    differences,
    half_seen,
    make_scene,
    scene_of,
    seen,
    seen_before,
)

from aca_core.archive import UpdateOptions
from aca_core.archive.items import items
from aca_core.archive.repair import repair
from aca_core.archive.verify import verify
from aca_core.errors import AcaError, LockedError
from aca_core.simulation import open_delivery

PATIENCE = 60
"""How long a child may take, s; it takes a hundredth of that."""


class KilledError(Exception):
    """A child was ended by a signal."""


def in_child(function: Callable[..., Any], *args: Any) -> Any:
    """Return what a function returns in a process of its own; raise what it raises there.

    Raises
    ------
    KilledError
        The process was killed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            signal.alarm(PATIENCE)
            try:
                answer = (True, function(*args))
            except BaseException:
                answer = (False, traceback.format_exc())
            with os.fdopen(writer, "wb") as stream:
                pickle.dump(answer, stream)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        raise KilledError(signal.Signals(os.WTERMSIG(status)).name)
    is_good, value = pickle.loads(said)
    if not is_good:
        raise AssertionError(value)
    return value


def problems_in_child(function: Callable[..., list[str]], *args: Any) -> list[str]:
    """Return the problems that a function finds in a process of its own; that it raises is one, too."""
    try:
        return in_child(function, *args)
    except (AssertionError, KilledError) as error:
        return [str(error)]


# ---- the scenes -----------------------------------------------------------------------------------------------------


def make(folder: str, name: str) -> None:
    """Build a scene."""
    with watching(Path(folder)):
        make_scene(Path(folder), name)


def points_of(scene: Scene, folder: Path) -> tuple[list[Point], list[tuple[int, str]]]:
    """Return the points of a scene's update, and the moments at which it leaves another disk than the moment before."""
    root, points, moments, states = scene.copy(folder / "counted"), [], [], [()]

    def note(moment: str, point: Point) -> None:
        if moment == "before":
            points.append(Point(point.number, point.kind, tuple(map(str, point.args))))
        state = tuple(
            (str(path), path.lstat().st_mode, path.lstat().st_size, _content(path)) for path in sorted(root.rglob("*"))
        )
        if state != states[-1]:
            states.append(state)
            moments.append((point.number, moment))

    with watching(root, functools.partial(note, "before"), functools.partial(note, "after")):
        scene.update(root)
    shutil.rmtree(root)
    return points, moments


def _content(path: Path) -> bytes | str:
    if path.is_symlink():
        return str(path.readlink())
    return path.read_bytes() if path.is_file() else b""


class Room:
    """A folder for this worker's archives."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=folder, prefix="worker-"))
        self._numbers = itertools.count()

    def place(self) -> Path:
        """Return the path of a folder that is not there."""
        return self.folder / f"{next(self._numbers)}"


# ---- killed ---------------------------------------------------------------------------------------------------------


def killed_everywhere(folder: str, name: str, share: int, shares: int, mends: bool = False) -> dict[str, Any]:
    """Kill a scene's update at each of its points, before and behind it, and look at what is left, mended or not."""
    scene, room = scene_of(Path(folder), name), Room(Path(folder))
    points, moments = in_child(points_of, scene, room.folder)
    problems, tried = [], 0
    for number, moment in moments[share::shares]:
        root = scene.copy(room.place())
        try:
            in_child(_killed_at, scene, root, number, moment)
            found = ["it was not killed"]
        except KilledError as error:
            found = [] if str(error) == "SIGKILL" else [f"it ended by {error}"]
        found += problems_in_child(_mended, scene, root) if mends else []
        found += problems_in_child(_watched_aftermath, scene, root)
        problems += [f"killed {moment} {points[number]}: {each}" for each in found]
        tried += 1
        shutil.rmtree(root)
    return {"problems": problems, "tried": tried, "points": len(points), "kinds": sorted({p.kind for p in points})}


def _killed_at(scene: Scene, root: Path, number: int, moment: str) -> None:
    def kill(point: Point) -> None:
        if point.number == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with watching(root, **{moment: kill}):
        scene.update(root)


def _mended(scene: Scene, root: Path) -> list[str]:
    store = scene.member(root).stores[0]
    with watching(root):
        repair(store, full=True)
        problems = [f"repair leaves {each}" for each in verify(store, full=True)]
    return problems + [f"repair wants {item.name} again: {item.reason}" for item in items(store) if item.reason]


def _watched_aftermath(scene: Scene, root: Path) -> list[str]:
    with watching(root):
        return aftermath(scene, root)


# ---- the power fails ------------------------------------------------------------------------------------------------


def power_lost_everywhere(
    folder: str, name: str, share: int, shares: int, forgets: str = "", ways: tuple[str, ...] = WAYS
) -> dict[str, Any]:
    """Let the power fail before each point of a scene's update, and look at what the disk has kept."""
    return in_child(_power_lost, Path(folder), name, share, shares, forgets, tuple(ways))


def _power_lost(
    folder: Path, name: str, share: int, shares: int, forgets: str, ways: tuple[str, ...]
) -> dict[str, Any]:
    scene, room = scene_of(folder, name), Room(folder)
    root = scene.copy(room.place())
    disk = Disk(root, lambda point: point.kind == forgets)
    with watching(root, disk.before, disk.after):
        scene.update(root)
    disk.mark("the end")
    states: list[tuple[str, Left]] = []
    for number, moment in enumerate(disk.moments):
        for way in ways:
            left = moment.left(way, random.Random(f"{name} {number}"))
            if not any(left == known for _, known in states[-3 * len(ways) :]):
                states.append((f"power lost before {moment.said}, {way}", left))
    problems = []
    for said, left in states[share::shares]:
        place = room.place()
        write(left, place)
        problems += [f"{said}: {each}" for each in problems_in_child(_watched_aftermath, scene, place)]
        shutil.rmtree(place)
    shutil.rmtree(root)
    return {"problems": problems, "tried": len(states[share::shares]), "moments": len(disk.moments)}


# ---- the disk is full -----------------------------------------------------------------------------------------------


def full_everywhere(folder: str, name: str, share: int, shares: int) -> dict[str, Any]:
    """Let each point of a scene's update meet a full disk: once, or until the end; then there is room again."""
    scene, room = scene_of(Path(folder), name), Room(Path(folder))
    points, _ = in_child(points_of, scene, room.folder)
    problems, raised = [], 0
    cases = [(point, point.kind in MAKING and point.number % 3 > 0) for point in points]
    for point, stays in cases[share::shares]:
        root = scene.copy(room.place())
        found = problems_in_child(_full_at, scene, root, point.number, stays)
        raised += found == ["raised"]
        found = [each for each in found if each != "raised"]
        problems += [f"full {'from' if stays else 'at'} {point}: {each}" for each in found]
        shutil.rmtree(root)
    return {"problems": problems, "tried": len(cases[share::shares]), "raised": raised}


def _full_at(scene: Scene, root: Path, number: int, stays: bool) -> list[str]:
    def refuse(point: Point) -> None:
        if point.number == number or (stays and point.number > number and point.kind in MAKING):
            no_room(point)

    return _update_without_room(scene, root, lambda: watching(root, refuse))


def limited_file_size(folder: str, name: str) -> dict[str, Any]:
    """Run a scene's update with limits on the size of files: of each write the system itself refuses a part."""
    scene, room = scene_of(Path(folder), name), Room(Path(folder))
    sizes = {path.stat().st_size for path in scene.reference.rglob("*") if path.is_file()}
    problems, raised, limits = [], 0, sorted({0, *(size - 1 for size in sizes), *(size // 2 for size in sizes)} - {-1})
    for limit in limits:
        root = scene.copy(room.place())
        found = problems_in_child(_limited, scene, root, limit)
        raised += found == ["raised"]
        problems += [f"files of at most {limit} bytes: {each}" for each in found if each != "raised"]
        shutil.rmtree(root)
    return {"problems": problems, "tried": len(limits), "raised": raised}


class _Limit:
    """A limit on the size of files for a block."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __enter__(self) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.was = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.was[1]))

    def __exit__(self, *args: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.was)


def _limited(scene: Scene, root: Path, limit: int) -> list[str]:
    return _update_without_room(scene, root, lambda: _Limit(limit))


def _update_without_room(scene: Scene, root: Path, without_room: Callable[[], Any]) -> list[str]:
    """Return what is wrong when there is no room for a while: at once, for readers, and when there is room again."""
    said: list[str] = []
    try:
        with without_room():
            report = scene.update(root)
        if not scene.fails:
            said += [f"held against {item.name}: {item.reason}" for item in report.failed]
    except (OSError, AcaError) as error:
        if not str(error) or (isinstance(error, OSError) and not error.strerror):
            said.append(f"the error says nothing: {error!r}")
        said = said or ["raised"]
    with watching(root):
        problems = [each for each in said if each != "raised"]
        member = scene.member(root)
        found = seen(member)
        problems += half_seen(found, scene.whole)
        lost = seen_before(scene) - found.keys() - set(scene.hides)
        problems += [f"{unit} is not seen any more" for unit in sorted(lost)]
        allowed = ("unfinished", "staging", "last-id")
        problems += [str(each) for each in verify(member.stores[0], full=True) if each.kind not in allowed]
        problems += completed(scene, root)
    return problems or [each for each in said if each == "raised"]


# ---- the root may not be written to ---------------------------------------------------------------------------------


def read_without_rights(folder: str, name: str, number: int | None) -> dict[str, Any]:
    """Read an archive as somebody who may not write to it; with a number, its writer was killed at that COMMIT."""
    scene, problems = scene_of(Path(folder), name), []
    with tempfile.TemporaryDirectory() as place:  # the folder of the tests may be closed to others
        Path(place).chmod(0o755)
        root = scene.copy(Path(place) / "archive")
        if number is not None:
            points, _ = in_child(points_of, scene, Path(place))
            commits = [point.number for point in points if point.kind == "commit" and "archfiles" in point.args[0]]
            try:
                in_child(_killed_at, scene, root, commits[number], "before")
            except KilledError:
                problems += [] if list(root.glob("*/*-journal")) else ["there is no journal to be taken back"]
        for path in [root, *root.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o555 if path.is_dir() else 0o444)
        problems += problems_in_child(_without_rights, scene, root)
        for path in [root, *root.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
    return {"problems": problems}


def _without_rights(scene: Scene, root: Path) -> list[str]:
    problems, expected, whole = [], seen_before(scene), scene.whole
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    before = _everything(root)
    member = scene.member(root)
    found = seen(member)
    if found.keys() != expected:
        problems.append(f"readers see {sorted(found)}; expected {sorted(expected)}")
    problems += half_seen(found, whole)
    allowed = ("unfinished", "staging", "last-id")
    problems += [str(each) for each in verify(member.stores[0], full=True) if each.kind not in allowed]
    try:
        member.run_update(scene.options)
        problems.append("an update says nothing")
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS) or str(root) not in str(error):
            problems.append(f"an update says {error!r}")
    return problems + differences("tree", before, _everything(root))


def _everything(root: Path) -> dict[str, tuple[int, ...]]:
    """Return what is other when anything below a folder was touched."""
    statuses = {str(path): path.lstat() for path in [root, *root.rglob("*")]}
    return {name: (each.st_ino, each.st_mode, each.st_size, each.st_mtime_ns) for name, each in statuses.items()}


def update_on_a_read_only_mount(folder: str, name: str) -> dict[str, Any]:
    """Run an update where the system refuses to write."""
    scene, room = scene_of(Path(folder), name), Room(Path(folder))
    return {"problems": problems_in_child(_on_a_read_only_mount, scene, scene.copy(room.place()))}


def _on_a_read_only_mount(scene: Scene, root: Path) -> list[str]:
    real = os.open

    def refuse(*args: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(args[-1]))

    def opened(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and str(path).startswith(str(root)):
            refuse(path)
        return real(path, flags, *args, **options)

    before = _everything(root)
    with watching(root, refuse), mock.patch.object(os, "open", opened):
        try:
            scene.update(root)
            problems = ["an update says nothing"]
        except OSError as error:
            is_clear = error.errno == errno.EROFS and str(root) in str(error)
            problems = [] if is_clear else [f"an update says {error!r}"]
    return problems + differences("tree", before, _everything(root))


def read_on_while_writers_are_killed(folder: str, name: str) -> dict[str, Any]:
    """Read with one archive object before and after its writer was killed at each COMMIT, and was followed by another.

    Once as somebody who may take back what the writer has left, once as somebody who may not.
    """
    scene, room = scene_of(Path(folder), name), Room(Path(folder))
    points, _ = in_child(points_of, scene, room.folder)
    commits = [point.number for point in points if point.kind == "commit" and "archfiles" in point.args[0]]
    problems = []
    for number, may_write in itertools.product(commits, (True, False)):
        root = scene.copy(room.place())
        found = problems_in_child(_read_on, scene, root, number, may_write)
        problems += [f"killed at COMMIT {number}, {may_write=}: {each}" for each in found]
    return {"problems": problems, "tried": 2 * len(commits)}


def _read_on(scene: Scene, root: Path, number: int, may_write: bool) -> list[str]:
    member, real = scene.member(root), sqlite3.connect

    def connect(database: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        if "mode=rw" in str(database):
            raise sqlite3.OperationalError("attempt to write a readonly database")
        return real(database, *args, **options)

    before, problems = seen(member), []
    try:
        in_child(_killed_at, scene, root, number, "before")
    except KilledError:
        with mock.patch.object(sqlite3, "connect", real if may_write else connect):
            problems += half_seen(seen(member), scene.whole)
            problems += half_seen(seen(scene.member(root)), scene.whole)
    if not may_write and not list(root.glob("*/*-journal")):
        problems.append("somebody has taken back the transaction, and may not")
    in_child(scene.update, root)
    if seen(member) != seen(scene.member(scene.reference)):
        problems.append("the reader does not see what was committed since")
    return problems + ([] if before.keys() == seen_before(scene) else [f"readers saw {sorted(before)}"])


# ---- locks ----------------------------------------------------------------------------------------------------------


def locks(folder: str, name: str, kind: str) -> dict[str, Any]:
    """Let somebody hold the lock while others want it: not for long, for long, and until it is killed."""
    scene, room = scene_of(Path(folder), name), Room(Path(folder))
    root = scene.copy(room.place())
    return {"problems": problems_in_child(_locks, scene, root, kind)}


def _locks(scene: Scene, root: Path, kind: str) -> list[str]:
    member = archive_of(scene.delivery, root, lock=kind)[PRODUCT]
    store, problems = member.stores[0], []
    holder, release = _hold(member)
    try:
        member.run_update(wait=0)
        problems.append("a second writer does not meet the lock")
    except LockedError as error:
        wanted = (f"process {holder} ", socket.gethostname())
        problems += [] if all(each in str(error) for each in wanted) else [f"the error does not say who: {error}"]
    found = [each.kind for each in verify(store)]
    problems += [f"verify finds {found} while somebody writes"] if found else []
    release()
    member.run_update(wait=PATIENCE)
    problems += [f"somebody still holds the lock: {store.holder()}"] if store.holder() else []
    holder, release = _hold(member)
    before = time.monotonic()
    child = os.fork()
    if not child:
        time.sleep(0.3)
        release()
        os._exit(0)
    member.run_update(wait=PATIENCE)
    problems += [] if time.monotonic() - before > 0.2 else ["a second writer did not wait"]
    os.waitpid(child, 0)
    if kind == "kernel":
        holder, _ = _hold(member)
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        problems += [] if store.holder() else ["the killed holder has signed nothing"]
        member.run_update(wait=0)
        problems += [f"the killed holder is still named: {store.holder()}"] if store.holder() else []
    return problems


def _hold(member: Any) -> tuple[int, Callable[[], None]]:
    """Return a process that holds the lock, and what makes it go."""
    held, hold = os.pipe()
    ended, end = os.pipe()
    holder = os.fork()
    if not holder:
        try:
            os.close(end)
            signal.alarm(PATIENCE)
            with member.stores[0].locked(0):
                os.write(hold, b"!")
                os.read(ended, 1)
        finally:
            os._exit(0)
    os.close(hold)
    os.close(ended)
    assert os.read(held, 1), "the lock is not free"
    return holder, lambda: os.close(end) if os.write(end, b"!") else None


# ---- many at once ---------------------------------------------------------------------------------------------------

_REVISIONS = 6


def many_at_once(folder: str, seconds: float) -> dict[str, Any]:
    """Let two writers and four readers work on one archive for some seconds."""
    top = Path(folder) / "many"
    (top / "archive").mkdir(parents=True)
    whole: dict[str, list[dict[str, str]]] = {}
    for obsid in CROWD:
        in_child(_deliver_much, top, obsid)
        for unit, states in pickle.loads((top / f"{obsid}.whole").read_bytes()).items():
            whole[unit] = states
    first = archive_of(top / str(CROWD[0]), top / "archive")[PRODUCT]
    in_child(first.run_update, UpdateOptions(obsid=CROWD[0], version=1))
    until = time.monotonic() + seconds
    jobs = [(_write_on, top, obsid, until) for obsid in CROWD] + [(_read_much, top, whole, until)] * 4
    reports = [top / f"report-{number}" for number in range(len(jobs))]
    children = [_started(report, *job) for report, job in zip(reports, jobs, strict=True)]
    for child in children:
        os.waitpid(child, 0)
    found = [pickle.loads(report.read_bytes()) if report.exists() else (0, ["it has ended"]) for report in reports]
    member = archive_of(top / str(CROWD[0]), top / "archive")[PRODUCT]
    problems = [each for _, problems in found for each in problems]
    problems += [f"verify finds {each}" for each in in_child(_strings, member)]
    return {"problems": problems, "updates": [done for done, _ in found[:2]], "reads": [done for done, _ in found[2:]]}


def _strings(member: Any) -> list[str]:
    return [str(each) for each in verify(member.stores[0], full=True)]


def _started(report: Path, function: Callable[..., Any], *args: Any) -> int:
    child = os.fork()
    if not child:
        signal.alarm(PATIENCE)
        try:
            found = function(*args)
        except BaseException:
            found = (0, [traceback.format_exc()])
        report.write_bytes(pickle.dumps(found))
        os._exit(0)
    return child


def _deliver_much(top: Path, obsid: int) -> None:
    """Deliver many revisions of an observation, the first one of them in two states."""
    delivery = deliver_revisions(top / str(obsid), obsid, _REVISIONS)
    whole: dict[str, list[dict[str, str]]] = {}
    for unit in sorted(delivery.folder.glob(f"{PRODUCT}/*/*_v*")):
        whole[unit.name] = [_hashes(unit)]
    first = next(delivery.folder.glob(f"{PRODUCT}/*/*_v01"))
    shutil.copytree(first, top / f"{obsid}-first")
    deliver_again(delivery.folder, obsid, 1)
    whole[first.name].append(_hashes(first))
    shutil.copytree(first, top / f"{obsid}-again")
    (first / next(first.glob("*acal1*")).name).unlink()
    for path in (top / f"{obsid}-first").iterdir():
        shutil.copy(path, first / path.name)
    # The file that is new in the second state stays when the other comes back.
    new = next((top / f"{obsid}-again").glob("*acal1*"))
    whole[first.name].append({**whole[first.name][0], new.name: _hashes(new.parent)[new.name]})
    (top / f"{obsid}.whole").write_bytes(pickle.dumps(whole))


def _hashes(unit: Path) -> dict[str, str]:
    kept = (path for path in unit.glob("*.fits*") if "kalm1" not in path.name)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def _write_on(top: Path, obsid: int, until: float) -> tuple[int, list[str]]:
    """Deliver, release, withdraw and replace, and run an update after each; now and then without any patience."""
    delivery = open_delivery(top / str(obsid))
    member = archive_of(delivery.folder, top / "archive")[PRODUCT]
    first = next(delivery.folder.glob(f"{PRODUCT}/*/*_v01"))
    luck, done, problems = random.Random(obsid), 0, []
    while time.monotonic() < until:
        step = ("fetch", "release", "replace", "withdraw", "back")[done % 5]
        options = UpdateOptions(obsid=obsid, version=1 + (done // 5) % _REVISIONS)
        if step == "release":
            delivery.release(obsid, luck.randint(2, _REVISIONS))
            options = UpdateOptions(obsid=obsid)
        elif step == "withdraw":
            delivery.withdraw(obsid)
            options = UpdateOptions(obsid=obsid)
        elif step in ("replace", "back"):
            for path in (top / f"{obsid}-{'again' if step == 'replace' else 'first'}").iterdir():
                shutil.copy(path, first / path.name)
            options = UpdateOptions(obsid=obsid, version=1, replace=True)
        try:
            report = member.run_update(options, wait=0 if luck.random() < 0.2 else PATIENCE)
        except LockedError as error:
            problems += [] if "process " in str(error) or not error.holder else [str(error)]
            report = member.run_update(options, wait=PATIENCE)
        problems += [f"{step}: {each}" for each in (*report.failed, *report.conflicts, *report.undelivered.values())]
        done += 1
    return done, problems


def _read_much(top: Path, whole: dict[str, list[dict[str, str]]], until: float) -> tuple[int, list[str]]:
    """Ask, read what is listed, and compare; what is replaced in between may be mixed, and is known to be."""
    member = archive_of(top / str(CROWD[0]), top / "archive")[PRODUCT]
    done, problems = 0, []
    while time.monotonic() < until:
        for obsid in CROWD:
            before = _listed(member, obsid)
            found: dict[str, dict[str, str]] = {}
            for unit, paths in before[1].items():
                found[unit] = {Path(p).name: hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in paths}
            after = _listed(member, obsid)
            for unit, files in found.items():
                was_replaced = unit.endswith("_v01") and before != after
                if files not in whole[unit] and not was_replaced:
                    problems.append(f"half of {unit} is seen: {files}")
            lost = before[1].keys() - after[1].keys()
            problems += [f"{unit} is not seen any more" for unit in lost if not unit.endswith("_v01")]
            dirs = member.get_obs_dirs(obsid) or {}
            for version in dirs.get("revisions", ()):
                names, unit = {path.name for path in Path(dirs[version]).iterdir()}, Path(dirs[version]).name
                if not any(files.keys() <= names for files in whole[unit]):
                    problems.append(f"half of {unit} lies in its folder: {sorted(names)}")
            released = member.get_files(obsid)
            units = {Path(path).parent.name for path in released}
            if len(units) > 1 or any({Path(p).name for p in released} not in map(set, whole[unit]) for unit in units):
                problems.append(f"half of a release is seen: {released}")
            for path in member.get_files(start="2021:001", stop="2022:001", revision="last"):
                Path(path).stat()
            done += 1
    return done, problems


def _listed(member: Any, obsid: int) -> tuple[int, dict[str, list[str]]]:
    """Return how many changes there were, and the files of each revision."""
    index = member.stores[0].index
    with index.reading():
        serial = index.select_ours("SELECT coalesce(max(serial), 0) FROM aca_events")
        units: dict[str, list[str]] = {}
        for row in member.get_rows(obsid, revision="all"):
            units.setdefault(f"{obsid:05d}_v{row['revision']:02d}", []).append(row["path"])
    return (serial[0][0] if serial else 0), units


# ---- the loop -------------------------------------------------------------------------------------------------------


def main() -> None:
    """Answer requests until there are no more."""
    logging.getLogger("aca_core").addHandler(logging.NullHandler())
    logging.getLogger("aca_core").propagate = False
    answers, sys.stdout = sys.stdout, sys.stderr
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        make(str(folder), "first")  # everything is imported now
    for line in sys.stdin:
        request = json.loads(line)
        begun = time.monotonic()
        try:
            answer = {"answer": globals()[request["function"]](*request["args"])}
        except BaseException:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps({**answer, "seconds": time.monotonic() - begun}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
