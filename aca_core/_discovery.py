"""Which entry points the installed distributions declare, one distribution at a time.

``importlib.metadata.entry_points()`` answers for all distributions at once, so one malformed file empties the list for
everybody; and it reads the metadata of each. Here only those that mention the group are looked at.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = [
    "COMMAND_GROUP",
    "CORE_DISTRIBUTION",
    "FoundEntryPoint",
    "canonical_id",
    "canonical_name",
    "find_entry_points",
]

COMMAND_GROUP: Final = "aca_core.commands"
"""The entry-point group in which a distribution declares commands."""

CORE_DISTRIBUTION: Final = "aca-core"
"""The name under which this package is installed."""


@attrs.frozen
class FoundEntryPoint:
    """An entry point, with the distribution that declares it.

    Attributes
    ----------
    name, value : str
        As in the distribution's metadata: ``asp1`` and ``aca_plugins.asp1``.
    distribution, version : str
        The distribution's name in its canonical form, and its version.
    load : callable
        Imports what the entry point names and returns it; raises whatever that raises.
    requirements : callable
        Returns the requirements of the distribution, one text each.
    """

    name: str
    value: str
    distribution: str
    version: str
    load: Callable[[], Any] = attrs.field(repr=False, eq=False)
    requirements: Callable[[], Iterable[str]] = attrs.field(default=tuple, repr=False, eq=False)

    @property
    def id(self) -> str:
        """``distribution:name``, unique among what is installed."""
        return f"{self.distribution}:{self.name}"

    def unmet_requirement(self) -> str | None:
        """Return the distribution's requirement that excludes the installed core, or None.

        Returns
        -------
        str or None
            For example ``aca-core>=2``.
        """
        about_core = (text for text in self.requirements() if re.match(r"(?i)\s*aca[-_.]core\b", text))
        return next((text for text in about_core if not _is_met(text)), None)


def find_entry_points(group: str) -> Iterator[FoundEntryPoint]:
    """Find the entry points of a group, without importing what they name.

    Parameters
    ----------
    group : str
        For example ``aca_core``.

    Yields
    ------
    FoundEntryPoint
        Each (distribution, name, value) once, ordered by id. A distribution that is on the path twice counts where it
        comes first, as it does for imports.
    """
    from importlib.metadata import distributions

    found: dict[tuple[str, str, str], FoundEntryPoint] = {}
    first: dict[str, Distribution] = {}
    for installed in distributions():
        for entry_point in _entry_points_of(installed, group):
            if first.setdefault(entry_point.distribution, installed) is installed:
                found.setdefault((entry_point.distribution, entry_point.name, entry_point.value), entry_point)
    yield from sorted(found.values(), key=lambda entry_point: (entry_point.id, entry_point.value))


def canonical_name(distribution: str) -> str:
    """Return a distribution's name in the canonical form of the packaging standards: lower case and hyphens.

    Parameters
    ----------
    distribution : str
        In any form.

    Returns
    -------
    str
        For example ``aca-sim`` for ``ACA_Sim``.
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def canonical_id(name: str, *, owner: bool = False) -> str:
    """Return what a person wrote for a plugin with its distribution in canonical form.

    Parameters
    ----------
    name : str
        A plugin's id ``distribution:name``, or one of the two alone.
    owner : bool
        Whether a word alone is a distribution; else it is the name of an entry point, and stays as it is.

    Returns
    -------
    str
        For example ``aca-sim:sim1`` for ``ACA_Sim:sim1``.
    """
    distribution, colon, entry_point = name.partition(":")
    return f"{canonical_name(distribution)}{colon}{entry_point}" if colon or owner else name


def _entry_points_of(installed: Distribution, group: str) -> Iterator[FoundEntryPoint]:
    """Yield the entry points of one distribution; what cannot be read costs nobody but itself."""
    try:
        text = installed.read_text("entry_points.txt")
        if not text or group not in text:
            return
        name, version = _name_and_version(installed)
        entry_points = [each for each in installed.entry_points if each.group == group]
    except Exception as error:  # a malformed file raises anything from ValueError to AttributeError
        name, version = _name_and_version(installed)
        yield FoundEntryPoint("", "", name, version, functools.partial(_fail, error))
        return
    for each in entry_points:
        yield FoundEntryPoint(each.name, each.value, name, version, each.load, lambda: installed.requires or ())


def _name_and_version(installed: Distribution) -> tuple[str, str]:
    try:
        return canonical_name(installed.name or "unnamed"), installed.metadata["Version"] or "unknown"
    except Exception:  # METADATA is as damaged as the rest
        return "unnamed", "unknown"


def _fail(error: Exception) -> None:
    raise ValueError(f"the distribution's entry_points.txt cannot be read ({error}); reinstall it") from error


def _is_met(requirement_text: str) -> bool:
    """Say whether the installed core meets one requirement; one that cannot be read, or does not apply, is met."""
    from importlib.metadata import version

    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(requirement_text)
    except InvalidRequirement:
        return True
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
        return True
    return requirement.specifier.contains(version(CORE_DISTRIBUTION), prereleases=True)
