"""What a retriever is: it brings delivered files into a folder. It decides nothing and retries nothing."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

import attrs

from aca_core._checks import as_whole, base_name, check, whole
from aca_core._frozen import FrozenMapping
from aca_core.errors import DeclarationError
from aca_core.obsids import MAX_OBSID
from aca_core.offers import Offer
from aca_core.products import ArchiveProduct

__all__ = ["FileRequest", "ObsidRequest", "Request", "Retriever", "TimeRequest", "VersionWanted", "is_version_wanted"]

VersionWanted: TypeAlias = Literal["default", "last"] | int
"""``default`` is the released version, ``last`` the newest whether released or not, a number itself."""


def _is_version(value: object) -> bool:
    return value in ("default", "last") or (
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 999
    )


is_version_wanted = check(_is_version, "'default', 'last' or a whole number from 0 to 999")
"""The validator of a field that says which version is wanted."""


@attrs.frozen(kw_only=True)
class ObsidRequest:
    """The files of one version of an obsid.

    Attributes
    ----------
    product : ArchiveProduct
        Which product.
    obsid : int
        Which observation.
    obi : int or None
        The observation interval, where the obsid has several; None for no restriction.
    version : {'default', 'last'} or int
        Which version.
    """

    product: ArchiveProduct
    obsid: int = attrs.field(converter=as_whole, validator=whole(0, MAX_OBSID))
    obi: int | None = attrs.field(default=None, validator=attrs.validators.optional(whole(0, 999)))
    version: VersionWanted = attrs.field(
        default="default",
        converter=as_whole,
        validator=is_version_wanted,
    )

    def __str__(self) -> str:
        return f"{self.product.name} of obsid {self.obsid}, version {self.version}"


@attrs.frozen(kw_only=True)
class TimeRequest:
    """The files that overlap a range of time.

    Attributes
    ----------
    product : ArchiveProduct
        Which product.
    start, stop : float
        CXC seconds.
    """

    product: ArchiveProduct
    start: float = attrs.field(converter=float)
    stop: float = attrs.field(converter=float)

    def __attrs_post_init__(self) -> None:
        """Refuse a range that is none; NaN is in no order."""
        if not -math.inf < self.start <= self.stop < math.inf:
            raise DeclarationError("TimeRequest", "start, stop", (self.start, self.stop), "start before stop, CXC s")

    def __str__(self) -> str:
        return f"{self.product.name} from {self.start} to {self.stop}"


@attrs.frozen(kw_only=True)
class FileRequest:
    """One file by name.

    Attributes
    ----------
    product : ArchiveProduct
        Which product.
    filename : str
        Base name of the file.
    """

    product: ArchiveProduct
    filename: str = attrs.field(validator=base_name)

    def __str__(self) -> str:
        return f"{self.product.name} file {self.filename}"


Request: TypeAlias = ObsidRequest | TimeRequest | FileRequest
"""Anything that a retriever may be asked to fetch."""


@attrs.frozen(kw_only=True)
class Retriever(Offer, ABC):
    """A way to get delivered files: a program, a folder, a server.

    Subclass it with `attrs.frozen`. Connect when asked, not when made: several threads may ask at once. Put
    whole files under their delivered names into the folder that you are given and nowhere else; checking, unpacking and
    placing them is the core's work.

    Examples
    --------
    >>> import attrs
    >>> from pathlib import Path
    >>> from aca_core import Retriever, site_option
    >>> @attrs.frozen(kw_only=True)
    ... class Shelf(Retriever):
    ...     folder: Path = site_option(Path("delivered"), help="folder of delivered files")
    ...     def probe(self, request, scratch):
    ...         return sorted(path.name for path in self.folder.glob(f"*{request.obsid:05d}*"))
    ...     def fetch(self, request, folder):
    ...         return [(folder / name).write_bytes((self.folder / name).read_bytes()) and name
    ...                 for name in self.probe(request, folder)]
    >>> Shelf(name="shelf").noun
    'retriever'
    """

    section: ClassVar[str] = "retrievers"

    @property
    def noun(self) -> str:
        """``retriever``."""
        return "retriever"

    def words(self, product: ArchiveProduct) -> Mapping[str, str]:
        """Return the words with which a product wants to be asked for here; empty where it declares none."""
        return product.dialects.get(self.name, FrozenMapping())

    @abstractmethod
    def probe(self, request: ObsidRequest, scratch: Path) -> Iterable[str]:
        """Say what a fetch would bring, as cheaply as possible.

        Parameters
        ----------
        request : ObsidRequest
            What is wanted.
        scratch : Path
            An empty folder, for a retriever that has to bring a file to learn its name; what is in it is thrown away.

        Returns
        -------
        iterable of str
            Base names, at least of the files that carry the version; empty where there is no such version.

        Raises
        ------
        RetrievalError
            The question could not be answered; `unavailable` where nothing can be had now, as from a mount that is
            absent. Never return nothing instead: that means that there is no such version, and a release may be taken
            back for it.
        """

    @abstractmethod
    def fetch(self, request: Request, folder: Path) -> Iterable[str]:
        """Bring the files of a request.

        Parameters
        ----------
        request : ObsidRequest, TimeRequest or FileRequest
            What is wanted.
        folder : Path
            An empty folder for the files.

        Returns
        -------
        iterable of str
            Base names of the files that were put into `folder`; none where there is nothing that the request names.
            Files that the product discards may be left out.

        Raises
        ------
        RetrievalError
            Some of it could not be brought; `permanent` where this kind of request is not answered here at all.
        """
