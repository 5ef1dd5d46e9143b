"""What happens to an archive in these tests, how it is when nothing goes wrong, and what must hold when something does.

A scene is an archive, a delivery, and an update that leads from one state to the next. After whatever has happened to
that update, `aftermath` looks at the archive: readers see whole revisions, what is unfinished is named, the next update
completes it, and then the archive is the one that was never interrupted. Of products by day readers see the files as
they are before or behind the commit of a day: never a file and the one that supersedes it, and never neither.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import attrs
from by_day import TLM0, Ingested, start_of, write_file

from aca_core import Config, Day, IngestedFile, open_archive
from aca_core.archive import Archive, DayArchive, ObsArchive, UpdateOptions
from aca_core.archive.commit import open_plans
from aca_core.archive.events import changes_of, undelivered
from aca_core.archive.verify import verify
from aca_core.config import ProductSet
from aca_core.dates import to_secs
from aca_core.simulation import Delivery, Plan, simulate_delivery
from aca_core.simulation.draw import FIRST_START
from aca_core.testing import DeliveryShelf

OBSID = 8010
ALONE = 8008
CROWD = (8021, 8022)
PRODUCT = "asp1"

_KEPT = ("asol1", "fidpr1", "kalm1", "asp_l1_f7")
"""Of each delivered revision only these: a part of what a pipeline makes is enough to go wrong."""

DAYS = tuple(Day(2019, doy) for doy in range(272, 277))
ALL_DAYS = "all days"

Whole = dict[str, list[dict[str, str]]]
"""By revision all states in which it may be seen: by name the sha256 of each file. All days together are like one."""


# ---- deliveries -----------------------------------------------------------------------------------------------------


def delivered(folder: Path, obsids: tuple[int, ...] = (OBSID,), seed: int = 1) -> Delivery:
    """Deliver observations; 8010 has a released version and a provisional one behind it, 8008 one that is released."""
    delivery = simulate_delivery(folder, seed=seed, obsids=obsids, duration=200.0)
    _reduce(folder, _KEPT)
    return delivery


def deliver_revisions(folder: Path, obsid: int, count: int) -> Delivery:
    """Deliver several revisions of an observation, the first of them released."""
    plans = [Plan(obsid=obsid, revisions=tuple(range(1, count + 1)), released=1)]
    # At a time of its own, since no two files have the same name.
    delivery = simulate_delivery(folder, seed=1, plans=plans, duration=200.0, start=_start_of(obsid))
    _reduce(folder, _KEPT)
    return delivery


def deliver_again(folder: Path, obsid: int, revision: int) -> None:
    """Let a revision come again: one file with other bytes, and one that was not there before."""
    other, start = folder.with_name(f"{folder.name}-again"), _start_of(obsid)
    simulate_delivery(other, seed=2, plans=[Plan(obsid=obsid, revisions=(1, 2))], duration=200.0, start=start)
    _reduce(other, ("asol1", "acal1"))
    unit = Path(PRODUCT, f"{obsid // 1000:02d}", f"{obsid:05d}_v{revision:02d}")
    for path in (other / unit).iterdir():
        shutil.copy(path, folder / unit / path.name)
    shutil.rmtree(other)


def _start_of(obsid: int) -> float:
    return FIRST_START + 100_000.0 * max(0, obsid - ALONE - 10)


def _reduce(folder: Path, kept: tuple[str, ...]) -> None:
    for path in folder.glob(f"{PRODUCT}/*/*_v*/*"):
        if not any(each in path.name for each in kept) or re.search(r"f\d{5}_", path.name):
            path.unlink()


def _damage(folder: Path) -> None:
    """Cut a file of the provisional version short, and keep it for later."""
    path = next((folder / PRODUCT).glob(f"*/{OBSID:05d}_v02/*asol1*"))
    shutil.copy(path, folder / "whole.fits.gz")
    path.write_bytes(path.read_bytes()[:-100])


def _undo_damage(folder: Path) -> None:
    path = next((folder / PRODUCT).glob(f"*/{OBSID:05d}_v02/*asol1*"))
    (folder / "whole.fits.gz").rename(path)


# ---- scenes ---------------------------------------------------------------------------------------------------------


@functools.cache
def _registry(folder: Path) -> Any:
    """Load the plugins once for all archives of a delivery; processes that are forked off inherit them."""
    from aca_core import Registry

    return Registry(_config(folder, folder))


def _config(folder: Path, root: Path, **more: Any) -> Config:
    return Config(
        root=[root],
        sets={"nightly": ProductSet(products=[PRODUCT], retriever="directory", catalogue="file")},
        retrievers={"directory": {"folder": str(folder)}},
        catalogues={"file": {"path": str(folder / "catalogue")}},
        **more,
    )


def archive_of(delivery: Path, root: Path, **more: Any) -> Archive:
    """Open the archive in a folder, which is fed by a delivery."""
    if more:
        return open_archive(config=_config(delivery, root, **more))
    return Archive(_config(delivery, root), _registry(delivery))


@attrs.frozen
class Scene:
    """An archive, a delivery, and an update."""

    folder: Path
    options: UpdateOptions
    hides: tuple[str, ...] = ()
    fails: bool = False

    product: ClassVar[str]

    @property
    def delivery(self) -> Path:
        """Where the delivery lies."""
        return self.folder / "delivery"

    @property
    def base(self) -> Path:
        """The archive before the update."""
        return self.folder / "before"

    @property
    def reference(self) -> Path:
        """The archive after it, if nothing goes wrong."""
        return self.folder / "after"

    @property
    def whole(self) -> Whole:
        """The states in which each revision may be seen."""
        return json.loads((self.folder / "whole.json").read_text())

    def member(self, root: Path) -> Any:
        """Open the product in one of the archives of the scene."""
        raise NotImplementedError

    def deliver(self) -> Any:
        """Return a delivery, which is going to be prepared."""
        raise NotImplementedError

    def copy(self, root: Path) -> Path:
        """Make an archive as it is before the update."""
        shutil.copytree(self.base, root, symlinks=True)
        return root

    def update(self, root: Path) -> Any:
        """Run the update."""
        return self.member(root).run_update(self.options)

    def make(self, prepare: Callable[[Any, Any], Any]) -> Scene:
        """Build what the scene needs on the disk."""
        self.folder.mkdir(parents=True)
        self.base.mkdir()
        prepared = prepare(self, self.deliver())
        # Two archives are opened, since the index of the first one goes on being read while it is copied.
        self.copy(self.reference)
        before = seen(self.member(self.base))
        report = self.update(self.reference)
        assert bool(report.failed) == self.fails, report
        whole = self.states(before, seen(self.member(self.reference)), prepared)
        (self.folder / "whole.json").write_text(json.dumps(whole))
        return self

    def states(self, before: dict[str, dict[str, str]], after: dict[str, dict[str, str]], prepared: Any) -> Whole:
        """Return the states in which each revision may be seen: as it was, or as it is then."""
        whole: Whole = {}
        for unit, files in [*before.items(), *after.items()]:
            states = whole.setdefault(unit, [])
            states += [files] if files not in states else []
        return whole


@attrs.frozen
class ObsidScene(Scene):
    """What happens to observations."""

    product = PRODUCT

    def member(self, root: Path) -> ObsArchive:
        """Open the product by obsid."""
        return archive_of(self.delivery, root).by_obsid(PRODUCT)

    def deliver(self) -> Delivery:
        """Deliver one observation, or two."""
        return delivered(self.delivery, (OBSID, ALONE) if "alone" in self.folder.name else (OBSID,))


@attrs.frozen
class DayScene(Scene):
    """What happens to days: each is committed by itself, with what it supersedes in others."""

    product = TLM0.name

    def member(self, root: Path) -> DayArchive:
        """Open the product by day; a catalogue lists all that was delivered, in that order."""
        archive = self.deliver().archive(root)
        paths = sorted(self.delivery.glob("*/*/*"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        listed = [
            IngestedFile(ingested=to_secs("2019:300") + number, filename=path.name.removesuffix(".gz"))
            for number, path in enumerate(paths)
        ]
        feed = attrs.evolve(archive.feed, catalogue=Ingested(name="listed", listed=tuple(listed)))
        return DayArchive(archive.stores, feed=feed)

    def deliver(self) -> DeliveryShelf:
        """Return the shelf."""
        self.delivery.mkdir(exist_ok=True)
        return DeliveryShelf(TLM0, self.delivery)

    def put(self, day: Day, hour: float, hours: float = 1.0, **more: Any) -> str:
        """Deliver a file that begins at an hour of a day, and return its name there."""
        start = start_of(day) + 3600 * hour
        place = str(day).replace(":", "/")
        return f"{place}/{write_file(self.delivery / place, start, start + 3600 * hours, **more)}"

    def states(
        self, before: dict[str, dict[str, str]], after: dict[str, dict[str, str]], prepared: list[set[str]]
    ) -> Whole:
        """Return the sets of files that may be seen, which are those before and behind the commit of each day."""
        states = [{name: _sha256(self.delivery / name) for name in sorted(names)} for names in prepared]
        assert (before[ALL_DAYS], after[ALL_DAYS]) == (states[0], states[-1])
        store, told = self.member(self.reference).stores[0], set(before[ALL_DAYS])
        for change in changes_of(store):
            told -= {f"{store.name_of(change.unit)}/{name}" for name in change.removed}
            told |= {f"{store.name_of(change.unit)}/{name}" for name in change.added}
        assert told == prepared[-1], "whoever follows the changes knows what is there"
        return {ALL_DAYS: states}


def _nothing_before(scene: Scene, delivery: Delivery) -> None:
    """Archive nothing yet."""


def _release(scene: Scene, delivery: Delivery) -> None:
    scene.member(scene.base).run_update()
    delivery.release(OBSID, 2)


def _replace(scene: Scene, delivery: Delivery) -> None:
    scene.member(scene.base).run_update()
    deliver_again(scene.delivery, OBSID, 1)


def _withdraw(scene: Scene, delivery: Delivery) -> None:
    delivery.release(OBSID, 2)
    scene.member(scene.base).run_update()
    delivery.withdraw(OBSID)


def _withdraw_all(scene: Scene, delivery: Delivery) -> None:
    scene.member(scene.base).run_update()
    delivery.withdraw(ALONE)


def _fail(scene: Scene, delivery: Delivery) -> None:
    scene.member(scene.base).run_update(UpdateOptions(obsid=OBSID, version=1))
    _damage(scene.delivery)


def _retry(scene: Scene, delivery: Delivery) -> None:
    _damage(scene.delivery)
    scene.member(scene.base).run_update()
    _undo_damage(scene.delivery)


def _first_days(scene: DayScene, shelf: DeliveryShelf) -> list[set[str]]:
    """Deliver two days of two slots; behind them is a file that is asked for by its name."""
    first, second = ({scene.put(day, 12, slot=slot) for slot in (0, 1)} for day in DAYS[:2])
    late = {scene.put(DAYS[-1], 12)}
    return [set(), first, first | second, first | second | late]


def _supersede(scene: DayScene, shelf: DeliveryShelf) -> list[set[str]]:
    """Let newer files that go on behind midnight come for slot 0 in the first night, and for slot 1 in the second."""
    nights = []
    for slot, (evening, morning) in enumerate([DAYS[0:2], DAYS[1:3]]):
        nights.append({scene.put(evening, 22.5, slot=slot), scene.put(morning, 0.5, slot=slot)})
    scene.member(scene.base).run_update(scene.options)
    newer = [{scene.put(day, 22.6, 2.5, slot=slot, revision=2, mjf=101)} for slot, day in enumerate(DAYS[:2])]
    # Of the third day nothing is left.
    return [nights[0] | nights[1], newer[0] | nights[1], newer[0] | newer[1]]


_TWO_DAYS = UpdateOptions(since=float(to_secs("2019:272")), until=float(to_secs("2019:273:12:00:00")))
_SCENES: dict[str, tuple[type[Scene], Callable[[Any, Any], Any], dict[str, Any]]] = {
    "first": (ObsidScene, _nothing_before, {"options": UpdateOptions()}),
    "release": (ObsidScene, _release, {"options": UpdateOptions()}),
    "replace": (
        ObsidScene,
        _replace,
        {"options": UpdateOptions(obsid=OBSID, version=1, replace=True), "hides": (f"{OBSID:05d}_v01",)},
    ),
    "withdraw": (ObsidScene, _withdraw, {"options": UpdateOptions(recheck=True)}),
    "withdraw-alone": (ObsidScene, _withdraw_all, {"options": UpdateOptions(recheck=True)}),
    "fail": (ObsidScene, _fail, {"options": UpdateOptions(rebuild=True), "fails": True}),
    "retry": (ObsidScene, _retry, {"options": UpdateOptions(retry_failed=True)}),
    "days-first": (DayScene, _first_days, {"options": _TWO_DAYS}),
    "days-supersede": (DayScene, _supersede, {"options": _TWO_DAYS}),
}
NAMES = tuple(_SCENES)


def make_scene(folder: Path, name: str) -> None:
    """Build a scene below a folder."""
    kind, prepare, values = _SCENES[name]
    kind(folder / name, **values).make(prepare)


def scene_of(folder: Path, name: str) -> Scene:
    """Return a scene that was built."""
    kind, _, values = _SCENES[name]
    return kind(folder / name, **values)


# ---- what is seen ---------------------------------------------------------------------------------------------------


def seen(member: ObsArchive | DayArchive, *obsids: int) -> dict[str, dict[str, str]]:
    """Return what readers see: by revision the sha256 of each file; every verb must answer, and every file be there."""
    if isinstance(member, DayArchive):
        return {ALL_DAYS: _seen_in_days(member)}
    found: dict[str, dict[str, str]] = {}
    for obsid in obsids or (OBSID, ALONE):
        rows = member.get_rows(obsid, revision="all")
        for row in rows:
            unit = found.setdefault(f"{obsid:05d}_v{row['revision']:02d}", {})
            unit[row["filename"]] = _sha256(Path(row["path"]))
        dirs = member.get_obs_dirs(obsid)
        for key, path in (dirs or {"revisions": []}).items():
            assert key == "revisions" or any(Path(path).iterdir()), f"{path} has nothing in it"
        default = {Path(path).parent.name for path in member.get_files(obsid)}
        assert len(default) <= 1, f"several revisions are released: {default}"
        member.get_files(start="2021:001", stop="2022:001", revision="last")
        released = member.get_dir(obsid)
        assert released is None or Path(released).is_dir()
    return found


def _seen_in_days(member: DayArchive) -> dict[str, str]:
    ever = ("2019:270", "2019:280")
    paths = [row["path"] for row in member.get_rows(*ever)]
    assert paths == member.get_files(*ever)
    by_slot = [path for slot in (0, 1) for path in member.get_files(*ever, where={"slot": [slot]})]
    assert sorted(paths) == sorted(by_slot), f"{by_slot} are seen by slot, and {paths} by time"
    return {str(Path(path).relative_to(member.stores[0].folder)): _sha256(Path(path)) for path in paths}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def half_seen(found: dict[str, dict[str, str]], whole: Whole) -> list[str]:
    """Name the revisions that are not as they may be seen."""
    return [f"readers see half of {unit}: {sorted(files)}" for unit, files in found.items() if files not in whole[unit]]


def tree(root: Path) -> dict[str, tuple[Any, ...]]:
    """Return all files with their content and mode, folders and links below a folder, but for what changes anyway."""

    def walk(folder: Path) -> Iterator[tuple[str, tuple[Any, ...]]]:
        for path in sorted(folder.iterdir()):
            name = str(path.relative_to(root))
            if path.name.startswith(".lock") or path.name == ".staging" or ".db3" in path.name:
                continue
            if path.is_symlink():
                yield name, ("link", str(path.readlink()))
            elif path.is_dir():
                yield name, ("folder",)
                yield from walk(path)
            else:
                content = path.read_bytes()
                yield name, ("file", stat.S_IMODE(path.stat().st_mode), hashlib.sha256(content).hexdigest())

    return dict(walk(root))


_QUESTIONS = {
    "archfiles.db3": {
        "archfiles": "SELECT * FROM archfiles ORDER BY filename",
        "aca_files": "SELECT * FROM aca_files ORDER BY unit, filename",
        "aca_obsids": "SELECT * FROM aca_obsids ORDER BY obsid",
        "aca_intents": "SELECT * FROM aca_intents",
        "aca_conflicts": "SELECT unit, filename, sha256, size FROM aca_conflicts ORDER BY unit, filename",
        # What is done and nobody has asked for by a run of the catalogue need not be remembered.
        "aca_items": """
            SELECT item, obsid, run_id, state, attempts FROM aca_items
            WHERE run_id IS NOT NULL OR state <> 'committed' ORDER BY item
        """,
        "aca_state": "SELECT * FROM aca_state ORDER BY key",
    },
    "processing_asp_l1.db3": {"aspect_1_proc": "SELECT * FROM aspect_1_proc ORDER BY aspect_1_id"},
}


def rows_of(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of all tables that an interruption must not change."""
    found = {}
    for file, questions in _QUESTIONS.items():
        for path in root.glob(f"*/{file}"):
            with closing(sqlite3.connect(path)) as connection:
                found |= {table: connection.execute(sql).fetchall() for table, sql in questions.items()}
    return found


def events_of(scene: Scene, root: Path) -> set[str]:
    """Return what subscribers were told of."""
    with closing(sqlite3.connect(root / scene.product / "archfiles.db3")) as connection:
        return {row[0] for row in connection.execute("SELECT change FROM aca_events")}


# ---- what must hold -------------------------------------------------------------------------------------------------

_EXPECTED = {"unfinished", "staging", "last-id"}


def aftermath(scene: Scene, root: Path, *, is_interrupted: bool = True) -> list[str]:
    """Return what is wrong with an archive whose update was interrupted, and with what the next update makes of it."""
    problems = []
    member = scene.member(root)
    found = seen(member)
    problems += half_seen(found, scene.whole)
    lost = seen_before(scene) - found.keys() - set(scene.hides)
    problems += [f"{unit} was archived, and is not seen any more" for unit in sorted(lost)]
    store = member.stores[0]
    findings = verify(store, full=True)
    if open_plans(store) and not any(each.kind == "unfinished" for each in findings):
        problems.append("verify does not name what is unfinished")
    unexpected = [str(each) for each in findings if each.kind not in _EXPECTED]
    problems += [f"after the interruption verify finds {each}" for each in unexpected]
    problems += completed(scene, root)
    return problems


def seen_before(scene: Scene) -> set[str]:
    """Return the revisions that are archived before the update; there are none where all days are like one."""
    folders = scene.base.glob(f"{scene.product}/*/*_v*")
    return {folder.name for folder in folders}


def completed(scene: Scene, root: Path) -> list[str]:
    """Run the update again, and return in what the archive is not the one that was never interrupted."""
    member = scene.member(root)
    report = member.run_update(scene.options)
    problems = [] if scene.fails else [f"{item.name} failed: {item.reason}" for item in report.failed]
    problems += [f"a conflict: {each}" for each in report.conflicts]
    problems += differences("tree", tree(scene.reference), tree(root))
    there, expected = rows_of(root), rows_of(scene.reference)
    for table in expected:
        rows, wanted = there.get(table, []), expected[table]
        problems += [] if rows == wanted else [f"{table} has {rows}; expected {wanted}"]
    missing = events_of(scene, scene.reference) - events_of(scene, root)
    problems += [f"nobody was told {each}" for each in missing]
    problems += [f"not delivered: {each}" for each in undelivered(member.stores[0])]
    problems += [f"staging has {path.name}" for path in (root / scene.product / ".staging").glob("*")]
    for full in (False, True):
        problems += [f"verify finds {each}" for each in verify(member.stores[0], full=full)]
    problems += half_seen(seen(member), scene.whole)
    again = member.run_update(attrs.evolve(scene.options, replace=False))
    problems += [f"another update changes {each}" for each in again.changes]
    return problems


def differences(what: str, expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Name what is other in two snapshots."""
    names = sorted(expected.keys() | found.keys())
    return [
        f"{what}: {name} is {found.get(name)}; expected {expected.get(name)}"
        for name in names
        if found.get(name) != expected.get(name)
    ]
