"""The links of an obsid, as they are found on the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import attrs

from aca_core.archive.store import Store
from aca_core.layouts import ByObsid, ObsidRevision

__all__ = ["FoundLinks", "linked_release", "links_of", "names_in", "provisional_links"]

_FOLDER: Final = re.compile(r"(\d{5})_v(\d{2,3})", re.ASCII)


@attrs.frozen(kw_only=True)
class FoundLinks:
    """Where the links of an obsid lead.

    Attributes
    ----------
    obsid : int
        Which observation.
    released, newest : int or None
        The versions to which its two links lead, whether they are archived or not; None where there is no link, or it
        leads somewhere else.
    strays : tuple of str
        Links that lead somewhere else than to a version of the obsid, with their targets.
    """

    obsid: int
    released: int | None = None
    newest: int | None = None
    strays: tuple[str, ...] = ()


def links_of(store: Store, obsid: int) -> FoundLinks:
    """Read the links of an obsid.

    Parameters
    ----------
    store : Store
        Of a product by obsid.
    obsid : int
        Which observation.

    Returns
    -------
    FoundLinks
    """
    layout = store.product.layout
    if not isinstance(layout, ByObsid):
        return FoundLinks(obsid=obsid)
    versions: list[int | None] = []
    strays: list[str] = []
    for link in (layout.default_link(obsid), layout.last_link(obsid)):
        target = _target(store, link)
        version = None if target is None else _version_in(target, obsid)
        versions.append(version)
        if target is not None and version is None:
            strays.append(f"{link} -> {target}")
    return FoundLinks(obsid=obsid, released=versions[0], newest=versions[1], strays=tuple(strays))


def linked_release(store: Store, obsid: int) -> int | None:
    """Return the version to which the link to the released one leads, if the folder of that version is there.

    Parameters
    ----------
    store : Store
        Of a product by obsid.
    obsid : int
        Which observation.

    Returns
    -------
    int or None
        None where there is no link, it leads somewhere else, or there is no such folder.
    """
    layout = store.product.layout
    target = _target(store, layout.default_link(obsid)) if isinstance(layout, ByObsid) else None
    version = None if target is None else _version_in(target, obsid)
    if version is None or not os.path.isdir(store.folder_of(ObsidRevision(obsid, version))):  # noqa: PTH112
        return None
    return version


def _target(store: Store, link: PurePosixPath) -> str | None:
    try:
        return os.readlink(f"{store.folder}/{link}")  # noqa: PTH115  # in a question's shortest path
    except OSError:  # not there, or no link
        return None


def _version_in(target: str, obsid: int) -> int | None:
    match = _FOLDER.fullmatch(target.rstrip("/"))
    if match is None or int(match[1]) != obsid:
        return None
    version = int(match[2])
    return version if str(ObsidRevision(obsid, version)) == match[0] else None


def provisional_links(store: Store) -> Iterator[tuple[int, int | None]]:
    """Yield the obsids that have a link to a provisional version, ascending, with that version.

    Parameters
    ----------
    store : Store
        Of a product by obsid.

    Yields
    ------
    tuple of int
        The obsid, and the version; None where the link leads somewhere else.
    """
    for chunk in range(100):
        folder = store.folder / f"{chunk:02d}"
        if not folder.is_dir():
            continue
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if re.fullmatch(r"\d{5}_last", entry.name, re.ASCII))
        for name in names:
            obsid = int(name[:5])
            if (folder / name).is_symlink():
                yield obsid, links_of(store, obsid).newest


def names_in(folder: Path) -> set[str]:
    """Return the names in a folder; none where it is not there, or may not be read."""
    try:
        return {path.name for path in folder.iterdir()}
    except OSError:  # it is not there; or it is somebody else's affair
        return set()
