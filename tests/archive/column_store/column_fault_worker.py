"""A process that forks a child for each writing of pieces that ends badly, and says as JSON what is wrong afterwards.

``python column_fault_worker.py FUNCTION FOLDER``: the tools are those of the fault tests of the archive.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import pickle
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
from column_days import PRODUCT, Site, plain, story
from fault_disk import WAYS, Disk, Left, write
from fault_points import MAKING, Point, no_room, watching
from fault_worker import KilledError, Room, _Limit, in_child, problems_in_child

from aca_core.archive import DayArchive
from aca_core.archive.column_store import writing
from aca_core.archive.events import changes_of
from aca_core.archive.store import Store
from aca_core.archive.verify import verify

SPAN = ("2021:030", "2021:041")


@attrs.frozen
class ColumnScene:
    """An archive whose store is behind: to follow, it writes a day, makes a month and removes that month's days."""

    folder: Path

    @property
    def before(self) -> Path:
        return self.folder / "scene" / "archive"

    def archive(self, root: Path) -> DayArchive:
        return DayArchive([Store(PRODUCT, root / PRODUCT.name, root)], feed=None)

    def copy(self, root: Path) -> Path:
        shutil.copytree(self.before, root)
        return root

    def follow(self, root: Path) -> list[str]:
        """Tell the store of what it has not seen; return what it could not take."""
        archive = self.archive(root)
        reports = [archive.column_store.follow(change) for change in changes_of(archive.stores[0])[-2:]]
        return [each for report in reports for each in report.failed]

    def expected(self, root: Path) -> Any:
        return plain(self.archive(root).read_tables(*SPAN, use_store=False))


def make_scene(folder: Path) -> ColumnScene:
    """Make the archive: January is followed, and of February nothing is."""
    scene = ColumnScene(folder)
    (folder / "scene").mkdir()
    site = Site(folder / "scene")
    story(site)
    changes = site.update()
    site.follow(changes[:-2])
    assert site.pieces == ["2021/030.h5", "2021/031.h5"], site.pieces
    return scene


COMPLETE = ["032.h5", "033.h5", "month-01.h5"]


def aftermath(scene: ColumnScene, root: Path) -> list[str]:
    """Return what is wrong with what is left: for readers, for who looks, and when it has been followed again."""
    with watching(root):
        archive, problems = scene.archive(root), []
        expected = scene.expected(root)
        if plain(archive.read_tables(*SPAN)) != expected:
            problems.append("a reader gets another answer than from the files")
        found = [str(each) for each in verify(archive.stores[0], full=True)]
        problems += [each for each in found if "has not the rows of" not in each]
        problems += [f"the next one cannot take {each}" for each in scene.follow(root)]
        names = sorted(path.name for path in (root / PRODUCT.name / "columns").rglob("*") if path.is_file())
        pieces = [name for name in names if not name.startswith(".lock")]
        if pieces != COMPLETE:
            problems.append(f"then there are {pieces}")
        problems += [f"then {each}" for each in verify(archive.stores[0], full=True)]
        groups = scene.archive(root).read_tables(*SPAN)
        if plain(groups) != expected:
            problems.append("then a reader gets another answer than from the files")
        if any(group.from_store != len(group.files) for group in groups):
            problems.append("then some rows are not in the store")
    return problems


@contextlib.contextmanager
def watched(root: Path, before: Callable[[Point], None], after: Callable[[Point], None], **more: Any) -> Iterator[None]:
    """Watch what HDF5 does too: each table that is written, and the end of the file."""
    with contextlib.ExitStack() as patches:
        patches.enter_context(watching(root, before, after, **more))
        numbers = iter(range(1_000_000, 2_000_000))
        for name in ("_write_table", "_write_parts"):
            real = getattr(writing, name)

            def call(*args: Any, _real: Any = real, _name: str = name) -> Any:
                point = Point(next(numbers), _name, ())
                before(point)
                try:
                    return _real(*args)
                finally:
                    after(point)

            patches.enter_context(mock.patch.object(writing, name, call))
        yield


def points_of(scene: ColumnScene, root: Path) -> list[Point]:
    points: list[Point] = []

    def note(point: Point) -> None:
        points.append(Point(point.number, point.kind, tuple(map(str, point.args))))

    with watched(root, note, lambda point: None):
        scene.follow(root)
    return points


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def killed(scene: ColumnScene, room: Room) -> dict[str, Any]:
    """Kill the writer before and behind each of its points."""
    points = in_child(points_of, scene, scene.copy(room.place()))
    problems, tried = [], 0
    for point in points:
        for moment in ("before", "after"):
            if (point.kind, moment) == ("fsync", "after"):
                continue  # nothing is other than before it
            root = scene.copy(room.place())
            try:
                in_child(_killed_at, scene, root, point.number, moment)
                problems.append(f"{point}: it was not killed")
            except KilledError:
                pass
            found = problems_in_child(aftermath, scene, root)
            problems += [f"killed {moment} {point}: {each}" for each in found]
            shutil.rmtree(root)
            tried += 1
    return {"problems": problems, "tried": tried, "kinds": sorted({point.kind for point in points})}


def _killed_at(scene: ColumnScene, root: Path, number: int, moment: str) -> None:
    def kill(point: Point) -> None:
        if point.number == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def nothing(point: Point) -> None:
        pass

    handlers = (kill, nothing) if moment == "before" else (nothing, kill)
    with watched(root, *handlers):
        scene.follow(root)


def power_lost(scene: ColumnScene, room: Room) -> dict[str, Any]:
    """Let the power fail before each point, on disks that forget in three ways."""
    return in_child(_power_lost, scene, room, "")


def power_lost_without_sync(scene: ColumnScene, room: Room) -> dict[str, Any]:
    """The same on a disk that only pretends to sync."""
    return in_child(_power_lost, scene, room, "fsync")


def _power_lost(scene: ColumnScene, room: Room, forgets: str) -> dict[str, Any]:
    root = scene.copy(room.place())
    disk = Disk(root, lambda point: point.kind == forgets)
    with watching(root, disk.before, disk.after):
        scene.follow(root)
    disk.mark("the end")
    states: list[tuple[str, Left]] = []
    for number, moment in enumerate(disk.moments):
        for way in WAYS:
            left = moment.left(way, random.Random(number))
            if not any(left == known for _, known in states[-6:]):
                states.append((f"power lost before {moment.said}, {way}", left))
    problems = []
    for said, left in states:
        place = room.place()
        write(left, place)
        problems += [f"{said}: {each}" for each in problems_in_child(aftermath, scene, place)]
        shutil.rmtree(place)
    return {"problems": problems, "tried": len(states)}


def full(scene: ColumnScene, room: Room) -> dict[str, Any]:
    """Let each point meet a full disk, once or until the end."""
    points = [point for point in in_child(points_of, scene, scene.copy(room.place())) if point.kind in MAKING]
    problems, raised = [], 0
    for point in points:
        root = scene.copy(room.place())
        found = problems_in_child(_full_at, scene, root, point.number, point.number % 2 == 0)
        raised += "raised" in found
        problems += [f"full at {point}: {each}" for each in found if each != "raised"]
        shutil.rmtree(root)
    return {"problems": problems, "tried": len(points), "raised": raised}


def _full_at(scene: ColumnScene, root: Path, number: int, stays: bool) -> list[str]:
    def refuse(point: Point) -> None:
        if point.number == number or (stays and point.number > number and point.kind in MAKING):
            no_room(point)

    said = []
    with watching(root, refuse):
        try:
            scene.follow(root)
        except OSError as error:
            said += ["raised"] if error.errno == errno.ENOSPC else [repr(error)]
    return said + aftermath(scene, root)


def limited(scene: ColumnScene, room: Room) -> dict[str, Any]:
    """Let the system itself cut the writes of HDF5 short, at many sizes; the same process then goes on."""
    reference = scene.copy(room.place())
    in_child(scene.follow, reference)
    sizes = [path.stat().st_size for path in reference.rglob("*.h5")]
    limits = sorted({0, 1, 100, 1000, *(size // 3 for size in sizes), *(size - 1 for size in sizes)})
    problems, raised = [], 0
    for limit in limits:
        found = problems_in_child(_limited, scene, scene.copy(room.place()), limit)
        raised += "raised" in found
        problems += [f"files of at most {limit} bytes: {each}" for each in found if each != "raised"]
    return {"problems": problems, "tried": len(limits), "raised": raised}


def _limited(scene: ColumnScene, root: Path, limit: int) -> list[str]:
    said = []
    try:
        with _Limit(limit):
            scene.follow(root)
    except OSError as error:
        is_clear = error.errno == errno.EFBIG and str(root) in str(error)
        said += ["raised"] if is_clear else [f"the error is {error!r}"]
    left = [path.name for path in root.rglob("*.new")]
    return said + [f"{name} is left" for name in left] + aftermath(scene, root)


def read_only(scene: ColumnScene, room: Room) -> dict[str, Any]:
    """Follow on a mount where nobody may write; readers do not care."""
    return {"problems": problems_in_child(_read_only, scene, scene.copy(room.place()))}


def _read_only(scene: ColumnScene, root: Path) -> list[str]:
    def refuse(*args: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(args[-1]))

    before = {path: path.lstat().st_mtime_ns for path in root.rglob("*") if not path.name.startswith(".lock")}
    real = os.open

    def opened(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and str(path).startswith(str(root)):
            refuse(path)
        return real(path, flags, *args, **options)

    problems = []
    with watching(root, refuse), mock.patch.object(os, "open", opened):
        try:
            scene.follow(root)
            problems.append("it says nothing")
        except OSError as error:
            if error.errno != errno.EROFS or str(root) not in str(error):
                problems.append(f"it says {error!r}")
        if plain(scene.archive(root).read_tables(*SPAN)) != scene.expected(root):
            problems.append("a reader gets another answer than from the files")
    after = {path: path.lstat().st_mtime_ns for path in root.rglob("*") if not path.name.startswith(".lock")}
    return problems + ([] if after == before else ["something was touched"]) + aftermath(scene, root)


def many_at_once(scene: ColumnScene, room: Room) -> dict[str, Any]:
    """Let two writers make pieces again and again, days and months, while two readers ask and one looks."""
    root = scene.copy(room.place())
    scene.follow(root)
    last = time.monotonic() + 4.0
    said = [room.place() for _ in range(5)]
    children = []
    for place, function in zip(said, (_rebuilds, _replaces, _reads, _reads, _looks), strict=True):
        child = os.fork()
        if not child:
            answer: Any = ("it ended", 0)
            try:
                answer = function(scene, root, last)
            except BaseException as error:
                answer = (repr(error), 0)
            finally:
                place.write_bytes(pickle.dumps(answer))
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    keeper = scene.archive(root).column_store
    keeper.rebuild()  # what the last one has removed
    keeper.compact()  # which may lie beside its month, as what comes late
    answers = [pickle.loads(place.read_bytes()) for place in said]
    problems = [problem for problem, _ in answers if problem]
    return {
        "problems": problems + problems_in_child(aftermath, scene, root),
        "rounds": [number for _, number in answers],
    }


def _rebuilds(scene: ColumnScene, root: Path, last: float) -> tuple[str, int]:
    keeper, number = scene.archive(root).column_store, 0
    while time.monotonic() < last:
        keeper.rebuild(anew=True)
        time.sleep(0.2)  # so that others have their turn: who takes a lock at once again keeps it
        number += 1
    return "", number


def _replaces(scene: ColumnScene, root: Path, last: float) -> tuple[str, int]:
    """Let months fall to days and days to nothing, as nobody does, and follow again."""
    keeper, number = scene.archive(root).column_store, 0
    changes = changes_of(scene.archive(root).stores[0])
    while time.monotonic() < last:
        for path in sorted(keeper.folder.glob("*/*.h5"))[number % 3 :: 3]:
            with keeper.lock.held(10.0):
                path.unlink(missing_ok=True)
        keeper.follow(changes[number % len(changes)])
        keeper.compact()
        number += 1
    return "", number


def _reads(scene: ColumnScene, root: Path, last: float) -> tuple[str, int]:
    expected, number, archive = scene.expected(root), 0, scene.archive(root)
    while time.monotonic() < last:
        if plain(archive.read_tables(*SPAN)) != expected:
            return "a reader gets another answer than from the files", number
        number += 1
    return "", number


def _looks(scene: ColumnScene, root: Path, last: float) -> tuple[str, int]:
    number, store = 0, scene.archive(root).stores[0]
    while time.monotonic() < last:
        found = [str(each) for each in verify(store, full=True)]
        if wrong := [each for each in found if "has not the rows of" not in each]:
            return f"who looks finds {wrong}", number
        number += 1
    return "", number


# ---- the program ----------------------------------------------------------------------------------------------------


def main() -> None:
    """Do what the arguments say."""
    logging.getLogger("aca_core").addHandler(logging.NullHandler())
    logging.getLogger("aca_core").propagate = False
    function, folder = sys.argv[1:]
    scene = make_scene(Path(folder))
    functions = (killed, power_lost, power_lost_without_sync, full, limited, read_only, many_at_once)
    known: dict[str, Callable[[ColumnScene, Room], dict[str, Any]]] = {each.__name__: each for each in functions}
    print(json.dumps(known[function](scene, Room(Path(folder)))))


if __name__ == "__main__":
    main()
