"""What a site chose: archive roots, plugins, product sets, options of offers, default models; and where from.

A configuration is a frozen value that is passed on explicitly; `aca_core.config_layers` reads one.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from aca_core._checks import as_floats, as_tuple, check, is_a, is_range, is_words, refusal, text, whole
from aca_core._frozen import FrozenMapping, freeze
from aca_core.errors import ConfigError, ConfigProblem, UnknownNameError
from aca_core.obsids import as_obsid_list, check_obsid_list

__all__ = [
    "OFFER_SECTIONS",
    "OFFER_VARIANTS",
    "SKA_PREFIX",
    "Config",
    "DarkSettings",
    "PluginSettings",
    "ProbabilitySettings",
    "ProductSet",
    "dotted",
    "nearest_origin",
]

OFFER_SECTIONS: Final = ("products", "dark_sources", "models", "retrievers", "catalogues")
"""The tables that hold one table for each offer, by its name."""


OFFER_VARIANTS: Final = ("acquisition", "guide")
"""What tells apart offers of one section and name; see `Offer.variant`."""

SKA_PREFIX: Final = "{ska}"
"""A path that starts with this lies in the site's Ska tree instead of its archive."""


def _option(default: Any, help: str, **field_arguments: Any) -> Any:
    return attrs.field(default=default, metadata={"help": help}, **field_arguments)


def _is_strings(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, str) for each in value)


def _is_file_mode(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"0?[46][0246]{2}", value, re.ASCII) is not None


def _one_of(*choices: str) -> Any:
    return check(lambda value: value in choices, " or ".join(repr(choice) for choice in choices))


_strings = check(_is_strings, "a list of strings")
_name_or_none = check(lambda value: value is None or isinstance(value, str), "a string")


@attrs.frozen(kw_only=True)
class PluginSettings:
    """Which plugins may load, and whose name wins: the table ``[plugins]``.

    Attributes
    ----------
    disable : tuple of str
        Plugins that are not loaded, by name (``asp1``) or by id (``aca-core:asp1``).
    prefer : mapping of str to str
        For a name that several plugins offer: the distribution, or the id of the plugin, that shall have it.
    strict : bool
        Whether a plugin that fails is an error rather than a warning.
    """

    disable: tuple[str, ...] = _option(
        (), "plugins that are not loaded, by name or by distribution:name", converter=as_tuple, validator=_strings
    )
    prefer: Mapping[str, str] = _option(
        FrozenMapping(),
        "for a name that several plugins offer: whose it is",
        converter=freeze,
        validator=check(lambda value: is_words({"prefer": value}), "a mapping of names to distributions"),
    )
    strict: bool = _option(
        False, "whether a plugin that fails is an error, not a warning", validator=is_a(bool, "True or False")
    )


@attrs.frozen(kw_only=True)
class ProbabilitySettings:
    """Which model answers when none is named: the table ``[probability]``.

    Attributes
    ----------
    acquisition, guide : str
        Names of models.
    """

    acquisition: str = _option("sota-2013", "model for the probability of acquiring a star", validator=text)
    guide: str = _option("sota-2013", "model for the probability of tracking a star", validator=text)


_path_or_none = check(lambda value: value is None or isinstance(value, Path), "a path")


@attrs.frozen(kw_only=True)
class DarkSettings:
    """Which dark calibrations answer, and what new ones are made from: the table ``[dark]``.

    Attributes
    ----------
    source : str
        The dark source that answers where none is named.
    processed_from : str
        The dark source whose maps `aca_core.dark_processing` makes entries of `source` from.
    events : Path or None
        A table of the intervals in which the camera read out the whole CCD: columns ``start`` and ``stop``, dates.
    aacccdpt, hdr3 : Path or None
        Tables of CCD temperatures, columns ``time`` (a date) and ``value`` (degC), of telemetry AACCCDPT and of the
        camera's header 3; without the latter, the archive's level-0 telemetry is asked.
    temperature_range : tuple of float
        Samples of CCD temperature outside of it are taken for faults, degC.
    """

    source: str = _option("mica", "dark source that answers where none is named", validator=text)
    processed_from: str = _option("ska", "dark source that new calibrations are made from", validator=text)
    events: Path | None = _option(
        None, "table of the intervals of full readouts: start, stop (dates)", validator=_path_or_none
    )
    aacccdpt: Path | None = _option(
        None, "table of telemetry AACCCDPT: time (a date), value (degC)", validator=_path_or_none
    )
    hdr3: Path | None = _option(
        None,
        "table of CCD temperatures of header 3: time (a date), value (degC); without it, the archive's telemetry",
        validator=_path_or_none,
    )
    temperature_range: tuple[float, ...] = _option(
        (-40.0, 15.0),
        "CCD temperatures outside are taken for faults, degC",
        converter=as_floats,
        validator=check(is_range, "two increasing temperatures, degC"),
    )


@attrs.frozen(kw_only=True)
class ProductSet:
    """A name for a choice of what to keep up to date and how: a table ``[sets.NAME]``.

    Attributes
    ----------
    products : tuple of str
        Names of archive products.
    retriever, catalogue : str or None
        Where files come from, and who says what is new; without a catalogue only named obsids can be asked for.
    content_types : tuple of str
        The content types to keep; empty for all.
    discard : tuple of str
        Globs of delivered files to drop, beside those that the products drop.
    bad_obsids : tuple of int or Path
        Obsids to leave alone, beside those of the products; or a file that lists them.
    executor : {'serial', 'threads', 'processes', 'dask'}
        Where work that can be spread runs; with several jobs, ``serial`` means threads.
    jobs : int
        How many workers.
    scheduler : str or None
        Address of the Dask scheduler, for ``executor = "dask"``.
    checksum : {'error', 'warn'}
        Whether a file whose checksum is wrong is refused, or kept with a recorded warning.
    """

    products: tuple[str, ...] = attrs.field(
        converter=as_tuple,
        validator=check(lambda value: _is_strings(value) and len(value) > 0, "a list of at least one name"),
        metadata={"help": "names of archive products"},
    )
    retriever: str | None = _option(None, "where files come from", validator=_name_or_none)
    catalogue: str | None = _option(
        None, "who says what is new; without it only named obsids work", validator=_name_or_none
    )
    content_types: tuple[str, ...] = _option(
        (), "content types to keep; empty for all", converter=as_tuple, validator=_strings
    )
    discard: tuple[str, ...] = _option((), "globs of delivered files to drop", converter=as_tuple, validator=_strings)
    bad_obsids: tuple[int, ...] | Path = _option(
        (), "obsids to leave alone, or a file of them", converter=as_obsid_list, validator=check_obsid_list
    )
    executor: Literal["serial", "threads", "processes", "dask"] = _option(
        "serial",
        "where work that can be spread runs; with several jobs, serial means threads",
        validator=_one_of("serial", "threads", "processes", "dask"),
    )
    jobs: int = _option(1, "how many workers", validator=whole(1, 10_000))
    scheduler: str | None = _option(None, "address of the Dask scheduler", validator=_name_or_none)
    checksum: Literal["error", "warn"] = _option(
        "error", "refuse a file whose checksum is wrong, or keep it and warn", validator=_one_of("error", "warn")
    )

    def __attrs_post_init__(self) -> None:
        """Check what only the whole set can show."""
        if self.executor == "dask" and self.scheduler is None:
            expected = "the address of a Dask scheduler, such as 'tcp://host:8786', for executor 'dask'"
            raise refusal(self, "scheduler", None, expected)


def _as_paths(value: str | Path | Iterable[str | Path]) -> tuple[Path, ...]:
    return (Path(value),) if isinstance(value, str | Path) else tuple(Path(each) for each in value)


@attrs.frozen(kw_only=True)
class Config:
    """Everything that a site chose. `load_config` makes one; a program may as well write one down.

    Attributes
    ----------
    root : tuple of Path
        The archive's roots, each a folder that holds ``asp1/``, ``obspar/`` and so on. The first that has a thing
        answers; the first is written to.
    ska : Path or None
        The older Ska tree, for offers whose folders lie in it.
    lock : {'kernel', 'soft'}
        How a product is locked; ``soft`` for mounts without kernel locks.
    file_mode : str
        Permission bits of archived files, in octal digits.
    plugins, probability, dark : PluginSettings, ProbabilitySettings, DarkSettings
        See there.
    sets : mapping of str to ProductSet
        The product sets by name.
    products, dark_sources, models, retrievers, catalogues : mapping of str to mapping
        What the site sets for single offers, by name; checked against an offer when it is bound.
    origins : mapping of str to str
        Where each value came from, by dotted key; keys that are not here have their default.
    file : Path or None
        The configuration file that was read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from aca_core import Config
    >>> Config(root=[Path("/data/aca/archive")]).root[0].name
    'archive'
    """

    root: tuple[Path, ...] = attrs.field(
        default=(),
        converter=_as_paths,
        metadata={
            "help": "folder that holds the products' folders; several, and the first that has a thing answers",
            "expected": "a path in quotes, or an array of them",
        },
    )
    ska: Path | None = _option(None, "the older Ska tree")
    lock: Literal["kernel", "soft"] = _option(
        "kernel", "how products are locked; 'soft' for mounts without locks", validator=_one_of("kernel", "soft")
    )
    file_mode: str = _option(
        "0664",
        'permissions of archived files; "0444" keeps everybody from changing one by mistake',
        validator=check(_is_file_mode, "octal digits such as '0664', readable for the owner, executable for nobody"),
    )
    plugins: PluginSettings = _option(PluginSettings(), "which plugins may load, and whose name wins")
    probability: ProbabilitySettings = _option(ProbabilitySettings(), "which model answers when none is named")
    dark: DarkSettings = _option(DarkSettings(), "which dark calibrations answer, and what new ones are made from")
    sets: Mapping[str, ProductSet] = _option(FrozenMapping(), "product sets", converter=freeze)
    products: Mapping[str, Mapping[str, Any]] = _option(FrozenMapping(), "options of products", converter=freeze)
    dark_sources: Mapping[str, Mapping[str, Any]] = _option(
        FrozenMapping(), "options of dark sources", converter=freeze
    )
    models: Mapping[str, Mapping[str, Any]] = _option(FrozenMapping(), "options of models", converter=freeze)
    retrievers: Mapping[str, Mapping[str, Any]] = _option(FrozenMapping(), "options of retrievers", converter=freeze)
    catalogues: Mapping[str, Mapping[str, Any]] = _option(FrozenMapping(), "options of catalogues", converter=freeze)
    origins: Mapping[str, str] = attrs.field(
        factory=FrozenMapping, converter=freeze, eq=False, metadata={"internal": True}
    )
    file: Path | None = attrs.field(default=None, eq=False, metadata={"internal": True})

    def product_set(self, name: str) -> ProductSet:
        """Return a product set.

        Parameters
        ----------
        name : str
            As in ``[sets.NAME]``.

        Returns
        -------
        ProductSet

        Raises
        ------
        UnknownNameError
            There is no such set; the message lists those that exist.
        """
        if name not in self.sets:
            raise UnknownNameError("product set", name, self.sets, "Define it as [sets.NAME] in the configuration.")
        return self.sets[name]

    def options(self, section: str, name: str, variant: str = "") -> list[tuple[tuple[str, ...], Mapping[str, Any]]]:
        """Return the tables that hold a site's options for one offer.

        Parameters
        ----------
        section, name : str
            As in ``[products.asp1]``.
        variant : str, optional
            For a kind of offer whose names may be shared, such as acquisition and guide models: the table's own keys
            are for all of that name, and the table inside it that is called like the variant is for one.

        Returns
        -------
        list of tuple
            The keys that lead to each table, and the table; none where the site sets nothing.
        """
        table: Mapping[str, Any] | None = getattr(self, section, {}).get(name)
        if table is None:
            return []
        if not variant:
            return [((section, name), table)]
        inner = {key for key in OFFER_VARIANTS if isinstance(table.get(key), Mapping)}
        common = {key: value for key, value in table.items() if key not in inner}
        own = [((section, name, variant), table[variant])] if variant in inner else []
        return [((section, name), common), *own]

    def placed(self, path: Path, *, every: bool = False) -> list[Path]:
        """Return where a site's path lies: absolute as it is, else below an archive root or in the Ska tree.

        Parameters
        ----------
        path : Path
            Absolute, relative to the archive root, or with ``{ska}`` as its first part.
        every : bool, default False
            Whether to return one path for each root, else the one in the first root where it exists.

        Returns
        -------
        list of Path
            At least one.

        Raises
        ------
        ValueError
            It needs an archive root or a Ska tree and none is configured, or starts with something in braces.
        """
        with contextlib.suppress(RuntimeError):  # no such user: then the tilde is part of a name
            path = path.expanduser()
        first = path.parts[0] if path.parts else ""
        if path.is_absolute():
            return [path]
        if first == SKA_PREFIX:
            if self.ska is None:
                raise ValueError(f'{path} lies in the Ska tree, and none is configured; set ska = "…" or SKA')
            return [self.ska.joinpath(*path.parts[1:])]
        if first.startswith("{"):
            raise ValueError(f"{path} starts with {first!r}; expected {SKA_PREFIX}/… for a path in the Ska tree")
        if not self.root:
            text = "is relative to the archive root, and none is configured"
            raise ValueError(f'{path} {text}; set root = "…" or ACA_DATA')
        candidates = [root / path for root in self.root]
        return candidates if every else [next((each for each in candidates if each.exists()), candidates[0])]

    def origin(self, *keys: str) -> str:
        """Return where the value of a key came from.

        Parameters
        ----------
        *keys : str
            The keys that lead to it, for example ``"sets", "nightly", "jobs"``.

        Returns
        -------
        str
            A file's path, ``environment variable …``, ``argument`` or ``default``.
        """
        return self.origins.get(".".join(keys), "default")

    def blamed(self, *keys: str) -> str:
        """Return whom to name for a problem at a key: the origin of its value, or of the nearest table around it."""
        return nearest_origin(self.origins, keys)

    def require_root(self) -> tuple[Path, ...]:
        """Return the archive roots.

        Raises
        ------
        ConfigError
            None is configured.
        """
        if not self.root:
            source = str(self.file) if self.file else "configuration"
            text = 'no archive root; set root = "…" in a configuration file (aca config init) or ACA_DATA'
            raise ConfigError([ConfigProblem(source, "root", text)])
        return self.root


def dotted(keys: Iterable[str]) -> str:
    """Return keys and indexes as one path, ``sets.nightly.products[0]``.

    Parameters
    ----------
    keys : iterable of str
        The keys that lead to a value; an index is written ``[0]``.

    Returns
    -------
    str

    Examples
    --------
    >>> dotted(["root", "[1]"])
    'root[1]'
    """
    return ".".join(keys).replace(".[", "[")


def nearest_origin(origins: Mapping[str, str], keys: tuple[str, ...]) -> str:
    """Return the source of the value at `keys`, or of the nearest table around it.

    Parameters
    ----------
    origins : mapping of str to str
        Sources by dotted key.
    keys : tuple of str
        The keys that lead to the value.

    Returns
    -------
    str
        ``default`` where no layer set anything there.
    """
    for length in range(len(keys), 0, -1):
        if source := origins.get(".".join(keys[:length])):
            return source
    return "default"
