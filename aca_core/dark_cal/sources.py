"""Which dark source answers: that of the configuration, one by its name, or whatever lies in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import attrs

from aca_core.archive.current import current_registry
from aca_core.dark_sources import DarkSource, DatedTree, os_errors
from aca_core.errors import DeclarationError, MissingDataError
from aca_core.offers import is_valid_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aca_core.registry import Registry

__all__ = ["SourceLike", "dark_source_of"]

SourceLike: TypeAlias = "str | Path | DarkSource | None"


def dark_source_of(source: SourceLike = None) -> DarkSource:
    """Return the dark source that is meant.

    Parameters
    ----------
    source : str, path or DarkSource, optional
        A name, such as ``mica`` or that of any plugin; a folder of dated ones, as a `Path` or a text with a slash in
        it, whose layout is that of whichever source has such files; a source itself. By default the one that the
        configuration names as ``source`` of ``[dark]``.

    Returns
    -------
    DarkSource
        Bound to the site.

    Raises
    ------
    UnknownNameError
        No source has that name; the message lists those that exist. It is a LookupError.
    MissingDataError
        There is no such folder, or nothing in it that any source would read. It is a LookupError.
    IntegrityError
        The folder cannot be read.
    DeclarationError
        It is none of these things. It is a ValueError.
    ConfigError
        The configuration, or what it says of the source, is wrong.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = write_dark_calibration(Path(tempfile.mkdtemp()), "2019272").parent
    >>> dark_source_of(folder).ids()
    ('2019272',)
    """
    if isinstance(source, DarkSource):
        return source
    registry = current_registry()
    if source is None:
        return registry.dark_source(registry.config.dark.source)
    if is_valid_name(source):
        return registry.dark_source(str(source))
    if not isinstance(source, str | Path) or not str(source).strip() or "\0" in str(source):
        expected = "the name of a dark source, a folder or a DarkSource"
        raise DeclarationError("dark calibration", "source", source, expected)
    return _tree_in(Path(source), registry)


def _tree_in(folder: Path, registry: Registry) -> DarkSource:
    """Return the calibrations in a folder, in the layout of the first source that would find files there."""
    try:
        folder = folder.expanduser().absolute()
    except RuntimeError:  # no such user
        folder = folder.absolute()
    trees = [attrs.evolve(tree, root=folder, other_roots=()) for tree in _layouts(registry)]
    with os_errors(folder):
        if not folder.is_dir():
            what = f"{folder} is no folder" if folder.exists() else f"there is no folder {folder}"
            raise MissingDataError(f"dark calibrations: {what}")
    if not trees:
        raise MissingDataError(f"no dark source that is installed reads folders like {folder}; see 'aca plugins'")
    dark_ids = trees[0].ids()
    for tree in trees:
        if not dark_ids or any(_has_files(tree, folder / dark_id) for dark_id in reversed(dark_ids)):
            return tree
    names = ", ".join(sorted({name for tree in trees for name in _files_of(tree)}))
    raise MissingDataError(f"none of the {len(dark_ids)} calibrations in {folder} has one of the files {names}")


def _layouts(registry: Registry) -> Iterable[DatedTree]:
    """Return the trees that are installed, that of the configuration first."""
    trees = [source for source in registry.offers(DarkSource) if isinstance(source, DatedTree)]
    return sorted(trees, key=lambda tree: (tree.name != registry.config.dark.source, tree.name))


def _files_of(tree: DatedTree) -> tuple[str, ...]:
    return (tree.image_file, *([tree.properties_file] if tree.properties_file else []))


def _has_files(tree: DatedTree, folder: Path) -> bool:
    # A calibration that may not be read says nothing of the layout, and is no error for the others.
    return any(os.path.isfile(folder / name) for name in _files_of(tree))  # noqa: PTH113
