"""One product by day: which files it has in a range of time, and how it is brought up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from aca_core.archive.product_archive import ProductArchive
from aca_core.errors import DeclarationError, UnknownNameError

if TYPE_CHECKING:
    from aca_core.archive.column_store.keeping import ColumnKeeper
    from aca_core.archive.column_store.reading import TableRows
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

    # ---- what is in the files ---------------------------------------------------------------------------------------

    @property
    def column_store(self) -> ColumnKeeper | None:
        """What keeps the tables of the first root as columns; None for products that declare no column store."""
        if self.product.column_store is None:
            return None
        from aca_core.archive.column_store.keeping import ColumnKeeper

        return ColumnKeeper(self.stores[0])

    def read_tables(
        self,
        start: DateLike,
        stop: DateLike = None,
        columns: str | Sequence[str] | None = None,
        *,
        where: Mapping[str, Sequence[Any]] | None = None,
        use_store: bool = True,
    ) -> list[TableRows]:
        """Return the rows that the tables in the files have in a range of time.

        The rows of a file come from the column store where that was made of this very file, else from the file: the
        answer is the same.

        Parameters
        ----------
        start, stop : date
            In any form of `aca_core.dates`; `stop` is now by default. Both ends are included.
        columns : str or sequence of str, optional
            Which columns of the tables, in upper or lower case; all by default. The time is always there. One that no
            table has is left out.
        where : mapping of str to sequence, optional
            Columns of the index, and the values that each may have, such as ``{"slot": [0, 1]}``.
        use_store : bool, default True
            Whether the column store may answer.

        Returns
        -------
        list of TableRows
            One for each group of tables that has rows in the range, in the order of the group's values. Rows are in the
            order of the files, and as they are in the files.

        Raises
        ------
        UnknownNameError
            The product has no column store, or the index no such column. It is a LookupError.
        DateError
            The range goes backwards. It is a ValueError.
        DeclarationError
            Something among `columns` is no name. It is a ValueError.
        IntegrityError
            A file is damaged, or lost.
        """
        from aca_core.archive.column_store.reading import read_rows

        if self.product.column_store is None:
            hint = "its author adds column_store=ColumnStore(group=…), by which its tables can be read together."
            raise UnknownNameError("product with a column store", self.name, [], hint)
        query = self._range(start, stop)
        return read_rows(
            self.stores,
            query.start or 0.0,
            query.stop or 0.0,
            _names(columns),
            where=self._where(where),
            elsewhere=lambda place: self._before(place) if place else None,
            use_store=use_store,
        )

    # ---- keeping it -------------------------------------------------------------------------------------------------

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


def _names(columns: str | Sequence[str] | None) -> list[str] | None:
    """Return the names of columns as they are kept; None stands for all."""
    if columns is None:
        return None
    names = [columns] if isinstance(columns, str) else list(columns)
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise DeclarationError("read_tables", "columns", wrong[0], "names of columns")
    return [name.upper() for name in names]
