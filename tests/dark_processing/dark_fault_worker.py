"""A process that forks a child for each update that ends badly, and says as JSON what is wrong with what is left.

``python dark_fault_worker.py FUNCTION FOLDER SCENE``: the tools are those of the fault tests of the archive.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import logging
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
from astropy.io import fits
from dark_site import site_of
from fault_disk import WAYS, Disk, Left, write
from fault_points import MAKING, Point, no_room, watching
from fault_worker import KilledError, Room, in_child, problems_in_child

from aca_core import AcaError, MissingDataError
from aca_core.dark_processing import update_dark_cals
from aca_core.simulation import SimulatedDarkCals, read_dark_truth

DARK_ID = "2012115"
RANGE = {"start": "2012:110", "stop": "2012:120"}
LOCKS = (".lock", ".lock-holder.json")

Entry = tuple[str, str]
"""Hashes of a map and of its properties, as a reader gets them."""


@attrs.frozen
class DarkScene:
    """A tree of processed calibrations before and after an update."""

    folder: Path

    @property
    def simulated(self) -> SimulatedDarkCals:
        return read_dark_truth(self.folder / "site")

    @property
    def before(self) -> Path:
        return self.folder / "before"

    @property
    def after(self) -> Path:
        return self.folder / "after"

    def copy(self, root: Path) -> Path:
        shutil.copytree(self.before, root)
        return root

    def update(self, root: Path) -> Any:
        return update_dark_cals(self.site(root), **RANGE)

    def site(self, root: Path) -> Any:
        site = site_of(self.simulated)
        return type(site)(attrs.evolve(site.config, dark_sources={"mica": {"root": str(root)}}))


def make_scene(folder: Path, name: str) -> DarkScene:
    """Make the tree before the update: there is no entry, an older one, or a part of one."""
    scene = DarkScene(folder)
    if scene.after.exists():
        return scene
    scene.before.mkdir()
    place = scene.before / DARK_ID
    image = scene.simulated.ska_root / DARK_ID / "imd.fits"
    if name != "first":
        scene.update(scene.before)
        (place / "notes.txt").write_text("by hand")
        if name == "replace":
            with fits.open(image, mode="update", memmap=False) as hdus:
                hdus[0].data = hdus[0].data[::-1].copy()
        else:
            (place / "properties.json").unlink()
    later = 4_000_000_000  # newer than whatever the tests write
    os.utime(image, (later, later))
    shutil.copytree(scene.before, scene.after)
    scene.update(scene.after)
    return scene


# ---- what is there --------------------------------------------------------------------------------------------------


def entry_in(scene: DarkScene, root: Path) -> Entry | None:
    """Return what a reader gets; None where there is no calibration for him."""
    source = scene.site(root).registry.dark_source("mica")
    try:
        if DARK_ID not in source.ids():
            return None
        properties = json.dumps(source.properties(DARK_ID), sort_keys=True)
        return hashlib.sha256(source.image(DARK_ID).tobytes()).hexdigest(), properties
    except MissingDataError:
        return "", ""


def tree(root: Path) -> dict[str, bytes]:
    """Return everything but locks."""
    paths = (path for path in root.rglob("*") if path.name not in LOCKS)
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else b"" for path in sorted(paths)}


def aftermath(scene: DarkScene, root: Path, may_be_away: bool) -> list[str]:
    """Return what is wrong with what is left: for readers, and when the next update has completed it."""
    with watching(root):
        found, before, after = (entry_in(scene, place) for place in (root, scene.before, scene.after))
        allowed = [before, after, *([None] if may_be_away and (root / f".{DARK_ID}.old").is_dir() else [])]
        problems = [] if found in allowed else [f"a reader gets {found}"]
        states = {row.state for row in scene.update(root).rows}
        problems += [] if states <= {"made", "updated", "current"} else [f"the next update says {states}"]
    wanted, completed = tree(scene.after), tree(root)
    problems += [
        f"{name} differs" for name in sorted(wanted.keys() | completed) if wanted.get(name) != completed.get(name)
    ]
    return problems


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def points_of(scene: DarkScene, root: Path) -> list[Point]:
    points: list[Point] = []
    with watching(root, lambda point: points.append(Point(point.number, point.kind, tuple(map(str, point.args))))):
        scene.update(root)
    return points


def killed(scene: DarkScene, room: Room) -> dict[str, Any]:
    """Kill an update before and behind each of its points."""
    points = in_child(points_of, scene, scene.copy(room.place()))
    problems = []
    moments = [(point, moment) for point in points for moment in ("before", "after")]
    for point, moment in moments:
        if (point.kind, moment) == ("fsync", "after"):
            continue  # nothing is other than before it
        root = scene.copy(room.place())
        try:
            in_child(_killed_at, scene, root, point.number, moment)
            problems.append(f"{point}: it was not killed")
        except KilledError:
            pass
        found = problems_in_child(aftermath, scene, root, True)
        problems += [f"killed {moment} {point}: {each}" for each in found]
        shutil.rmtree(root)
    return {"problems": problems, "tried": len(points), "kinds": sorted({point.kind for point in points})}


def _killed_at(scene: DarkScene, root: Path, number: int, moment: str) -> None:
    def kill(point: Point) -> None:
        if point.number == number:
            os.kill(os.getpid(), signal.SIGKILL)

    with watching(root, **{moment: kill}):
        scene.update(root)


def power_lost(scene: DarkScene, room: Room) -> dict[str, Any]:
    """Let the power fail before each point of an update, on disks that forget in three ways."""
    return in_child(_power_lost, scene, room, "")


def power_lost_without_sync(scene: DarkScene, room: Room) -> dict[str, Any]:
    """The same on a disk that only pretends to sync."""
    return in_child(_power_lost, scene, room, "fsync")


def _power_lost(scene: DarkScene, room: Room, forgets: str) -> dict[str, Any]:
    root = scene.copy(room.place())
    disk = Disk(root, lambda point: point.kind == forgets)
    with watching(root, disk.before, disk.after):
        scene.update(root)
    disk.mark("the end")
    states: list[tuple[str, Left]] = []
    for number, moment in enumerate(disk.moments):
        for way in WAYS:
            left = moment.left(way, random.Random(number))
            if not any(left == known for _, known in states):
                states.append((f"power lost before {moment.said}, {way}", left))
    problems = []
    for said, left in states:
        place = room.place()
        write(left, place)
        problems += [f"{said}: {each}" for each in problems_in_child(aftermath, scene, place, True)]
        shutil.rmtree(place)
    return {"problems": problems, "tried": len(states)}


def full(scene: DarkScene, room: Room) -> dict[str, Any]:
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


def _full_at(scene: DarkScene, root: Path, number: int, stays: bool) -> list[str]:
    def refuse(point: Point) -> None:
        if point.number == number or (stays and point.number > number and point.kind in MAKING):
            no_room(point)

    said = []
    with watching(root, refuse):
        try:
            report = scene.update(root)
            said += [f"held against it: {row.reason}" for row in report.rows if row.state == "failed"]
        except OSError as error:
            said += ["raised"] if error.errno == errno.ENOSPC else [repr(error)]
    return said + aftermath(scene, root, True)


def read_only(scene: DarkScene, room: Room) -> dict[str, Any]:
    """Update a tree on a mount where nobody may write."""
    return {"problems": problems_in_child(_read_only, scene, scene.copy(room.place()))}


def _read_only(scene: DarkScene, root: Path) -> list[str]:
    before, real = tree(root), os.open

    def refuse(*args: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(args[-1]))

    def opened(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and str(path).startswith(str(root)):
            refuse(path)
        return real(path, flags, *args, **options)

    with watching(root, refuse), mock.patch.object(os, "open", opened):
        try:
            scene.update(root)
            problems = ["an update says nothing"]
        except AcaError as error:
            is_clear = "may not be written to (Read-only file system)" in str(error) and str(root) in str(error)
            problems = [] if is_clear else [f"an update says {error!r}"]
    return problems + ([] if tree(root) == before else ["something was changed"])


def two_at_once(scene: DarkScene, room: Room) -> dict[str, Any]:
    """Run two updates at the same time, while a third process reads."""
    root = scene.copy(room.place())
    children = []
    for function in (_updated, _updated, functools.partial(_read, until=40)):
        child = os.fork()
        if not child:
            code = 1
            try:
                code = 0 if function(scene, root) else 2
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    problems = [f"the processes end with {codes}"] if any(codes) else []
    return {"problems": problems + problems_in_child(aftermath, scene, root, False)}


def _updated(scene: DarkScene, root: Path) -> bool:
    """Update ten times, each time with something to be done."""
    for _ in range(10):
        (row,) = scene.update(root).rows
        if row.state == "failed":
            return False
        image = scene.simulated.ska_root / DARK_ID / "imd.fits"
        later = image.stat().st_mtime + 1
        os.utime(image, (later, later))
    return True


def _read(scene: DarkScene, root: Path, until: int) -> bool:
    """Read whole entries, but for moments in which one takes the place of another."""
    allowed = [entry_in(scene, scene.before), entry_in(scene, scene.after), None]
    found = [entry_in(scene, root) for _ in range(until)]
    return all(each in allowed or (each is not None and each[0] == "") for each in found)


# ---- the program ----------------------------------------------------------------------------------------------------


def main() -> None:
    """Do what the arguments say."""
    logging.getLogger("aca_core").addHandler(logging.NullHandler())
    logging.getLogger("aca_core").propagate = False
    function, folder, name = sys.argv[1:]
    scene = make_scene(Path(folder), name)
    known: dict[str, Callable[[DarkScene, Room], dict[str, Any]]] = {
        each.__name__: each for each in (killed, power_lost, power_lost_without_sync, full, read_only, two_at_once)
    }
    print(json.dumps(known[function](scene, Room(Path(folder)))))


if __name__ == "__main__":
    main()
