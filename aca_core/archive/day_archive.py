"""One product by day: which files it has in a range of time, and how it is brought up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from aca_core.archive.product_archive import ProductArchive

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = ["DayArchive"]


class DayArchive(ProductArchive):
    """The archive of one product by day; `aca_core.archive.open_archive` makes one for each."""

    def get_files(
        self,
        start: DateLike,
        stop: DateLike = None,
        content: str | Sequence[str] | None = None,
        *,
        where: Mapping[str, Sequence[Any]] | None = None,
    ) -> list[str]:
        """Return the files that overlap a range of time.

        Parameters
        ----------
        start, stop : date
            In any form of `aca_core.dates`; `stop` is now by default.
        content : str or sequence of str, optional
            Content types; by default those that the product declares.
        where : mapping of str to sequence, optional
            Columns of the index, and the values that each may have, such as ``{"slot": [0, 1]}``.

        Returns
        -------
        list of str
            Absolute paths by time and name.
        """
        return [row["path"] for row in self.get_rows(start, stop, content, columns=(), where=where)]

    def get_rows(
        self,
        start: DateLike,
        stop: DateLike = None,
        content: str | Sequence[str] | None = None,
        *,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Sequence[Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the rows of the index for a range of time.

        Parameters
        ----------
        start, stop, content, where
            As for `get_files`.
        columns : sequence of str, optional
            Which columns; all by default.

        Returns
        -------
        list of dict
            In the order of `get_files`; ``path`` is where the file lies.
        """
        query = attrs.evolve(self._range(start, stop), content=self._content(content), where=self._where(where))
        return self._rows(query, columns)

    def update(self, **options: Any) -> list[str]:
        """Bring the archive up to date.

        Parameters
        ----------
        **options
            Fields of `aca_core.archive.UpdateOptions`: ``since`` is needed for the first time.

        Returns
        -------
        list of str
            The days in which anything changed. What failed is in the log and in `items`.
        """
        from aca_core.archive.reports import UpdateOptions

        report = self.run_update(UpdateOptions(**options))
        return sorted({str(change.unit) for change in report.changes})
