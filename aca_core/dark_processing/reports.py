"""What an update of dark calibrations did with each of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["DarkUpdate", "DarkUpdateReport", "State"]

State: TypeAlias = Literal["made", "updated", "current", "failed"]


@attrs.frozen(kw_only=True)
class DarkUpdate:
    """What became of one calibration.

    Attributes
    ----------
    dark_id : str
        ``YYYYDOY`` of its folder; of its first day where it has none.
    state : {'made', 'updated', 'current', 'failed'}
        Whether its entry is new, was replaced, was left as it is, or could not be made.
    reason : str
        Why it was replaced or could not be made; empty for the others.
    start, stop : str
        When it was made, UTC.
    """

    dark_id: str
    state: State
    reason: str = ""
    start: str = ""
    stop: str = ""


@attrs.frozen(kw_only=True)
class DarkUpdateReport:
    """What an update did.

    Attributes
    ----------
    source, target : str
        The dark sources that it read from and wrote to.
    root : Path
        The folder that holds the entries.
    start, stop : str
        The range that was looked at, UTC.
    rows : tuple of DarkUpdate
        The calibrations in it, in order of time.
    dry_run : bool
        Whether nothing was written, and the states say what would become of them.
    synthetic : tuple of str
        The ids of those that were made from synthetic maps.
    """

    source: str
    target: str
    root: Path
    start: str
    stop: str
    rows: tuple[DarkUpdate, ...] = ()
    dry_run: bool = False
    synthetic: tuple[str, ...] = ()

    def ids(self, state: State) -> list[str]:
        """Return the ids of the calibrations with a state.

        Parameters
        ----------
        state : {'made', 'updated', 'current', 'failed'}
            Which.

        Returns
        -------
        list of str

        Examples
        --------
        >>> row = DarkUpdate(dark_id="2019272", state="made")
        >>> report = DarkUpdateReport(source="ska", target="mica", root=Path("aca_dark"), start="2019:270",
        ...                           stop="2019:280", rows=(row,))
        >>> report.ids("made"), report.ids("failed")
        (['2019272'], [])
        """
        return [row.dark_id for row in self.rows if row.state == state]

    def table(self) -> Table:
        """Return the rows as a table.

        Returns
        -------
        astropy.table.Table
            Columns ``dark_id``, ``state``, ``reason``, ``start``, ``stop``; the ``meta`` says of which update.
        """
        from astropy.table import Table

        names = [field.name for field in attrs.fields(DarkUpdate)]
        meta = {"source": self.source, "target": self.target, "dry_run": self.dry_run}
        columns = {name: [getattr(row, name) for row in self.rows] for name in names}
        return Table(columns, names=names, dtype=["U64"] * len(names) if not self.rows else None, meta=meta)
