"""The contract of each kind of offer, as test classes to inherit: give one fixture, get the tests.

The core's own tests run them on the built-in plugins, and on plugins that must fail them.
"""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import pytest

from aca_core.binding import bind
from aca_core.catalogues import Catalogue, Work
from aca_core.columns import FromArchive
from aca_core.config import Config
from aca_core.errors import IntegrityError
from aca_core.offers import Offer, is_valid_name, site_options
from aca_core.products import ArchiveProduct
from aca_core.registry import Registry
from aca_core.retrievers import ObsidRequest, Retriever

__all__ = [
    "ArchiveProductContract",
    "CatalogueContract",
    "OfferContract",
    "RetrieverContract",
]

HEAVY_MODULES: Final = ("astropy", "dask", "h5py", "matplotlib", "numpy", "pandas", "scipy", "sqlite_utils")
"""What a plugin's module must not import at its top: listing plugins would pay for it."""

_PYTHON_TYPES: Final = {"int": int, "float": float, "text": str}
_SQL_TYPES: Final = {"int": "INTEGER", "float": "REAL", "text": "TEXT"}


class OfferContract:
    """What every offer must keep; inherit one of the classes for a kind instead.

    Attributes
    ----------
    plugin_module : str or None
        The module that an entry point names, for the test of its import. By default the module of the offer's class, or
        that of the installed plugin that offers it.
    """

    plugin_module: str | None = None

    @pytest.fixture
    def offer(self) -> Offer:
        """The offer under test; the classes for a kind take it from their own fixture."""
        raise NotImplementedError("inherit the contract of a kind, such as ProbabilityModelContract")

    def test_has_a_valid_name(self, offer: Offer) -> None:
        """Its name has the form that all names have."""
        assert is_valid_name(offer.name), f"{offer.name!r}: use lower-case letters and digits joined by '-' or '_'"

    def test_says_what_it_is(self, offer: Offer) -> None:
        """It has a label for people."""
        assert offer.label.strip(), "set label= to a few words that say what it is"

    def test_cannot_be_changed(self, offer: Offer) -> None:
        """It is a frozen attrs class, subclass and all."""
        message = f"decorate {type(offer).__name__} with @attrs.frozen(kw_only=True)"
        assert "__attrs_attrs__" in vars(type(offer)), message
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            offer.name = "other"  # type: ignore[misc]  # that it is refused is the point

    def test_travels_to_other_processes(self, offer: Offer) -> None:
        """It pickles, and what arrives is equal to what was sent."""
        assert pickle.loads(pickle.dumps(offer)) == offer

    def test_takes_a_sites_options(self, offer: Offer, tmp_path: Path) -> None:
        """Its options have types that a configuration can be checked against, and its paths can be placed."""
        from aca_core._structure import structure_options

        assert structure_options({}, type(offer)) == {}
        bound = bind(offer, Config(root=[tmp_path], ska=tmp_path))
        for name in site_options(type(offer)):
            value = getattr(bound, name)
            assert not isinstance(value, Path) or value.is_absolute()

    def test_is_imported_quickly(self, offer: Offer) -> None:
        """Importing its module loads nothing heavy."""
        module = self.plugin_module or _module_of(offer)
        assert module, f"set plugin_module on {type(self).__name__} to the module that the entry point names"
        code = f"import sys, {module}; print(*[m for m in {HEAVY_MODULES!r} if m in sys.modules])"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
        assert result.returncode == 0, result.stderr
        assert not result.stdout.split(), (
            f"{module} imports {result.stdout.strip()} at its top; import inside functions"
        )


def _module_of(offer: Offer) -> str | None:
    """Return the module of the plugin that makes an offer: that of its class, or that of an installed plugin."""
    own = type(offer).__module__
    if not own.startswith("aca_core."):
        return own
    label = f"{offer.noun} {offer.name}"
    values = [info.value for info in Registry().plugins if label in info.offers]
    return values[0].partition(":")[0] if values else None


class ArchiveProductContract(OfferContract):
    """The contract of an archive product. Give the fixture ``product``.

    Attributes
    ----------
    delivery : sequence of str
        Base names of the files of one delivery, for the test of `version`.
    delivery_version : int or None
        The version that they carry.
    """

    delivery: Sequence[str] = ()
    delivery_version: int | None = None

    @pytest.fixture
    def product(self) -> ArchiveProduct:
        """The product under test."""
        raise NotImplementedError("override the fixture 'product'")

    @pytest.fixture
    def sample_file(self) -> Path | None:
        """A valid file of the product, for the tests of ``describe``; override it."""
        return None

    @pytest.fixture
    def offer(self, product: ArchiveProduct) -> Offer:
        """The product."""
        return product

    def test_content_types_can_be_asked_for(self, product: ArchiveProduct) -> None:
        """Where it declares content types, the index has a column for them; none is there twice."""
        names = [column.name for column in product.schema]
        assert not product.content_types or "content" in names
        assert len(set(product.content_types)) == len(product.content_types)

    def test_index_can_be_made(self, product: ArchiveProduct) -> None:
        """SQLite takes the schema, its key and its indexes."""
        with sqlite3.connect(":memory:") as connection:
            _make_index(connection, product)
        connection.close()

    def test_folders_lead_back_to_units(self, product: ArchiveProduct) -> None:
        """The folder of a unit is recognised as that unit's."""
        unit = product.layout.example
        assert product.layout.unit_in(product.layout.directory(unit)) == unit

    def test_reads_the_version_of_a_delivery(self, product: ArchiveProduct) -> None:
        """The version is read from the names of a delivery, and nothing is read from other names."""
        if product.version is None:
            return
        assert product.version.of(()) is None
        if not self.delivery:
            pytest.skip("set delivery and delivery_version on the test class to check how versions are read")
        assert product.version.of(self.delivery) == self.delivery_version

    def test_describes_a_file(self, product: ArchiveProduct, sample_file: Path | None) -> None:
        """A file gives a row that the index takes."""
        if sample_file is None:
            pytest.skip("override the fixture sample_file to check how a file is described")
        row = product.describe(sample_file)
        wanted = {column.name: column for column in product.schema if not isinstance(column.source, FromArchive)}
        assert set(row) == set(wanted), f"columns missing or too many: {sorted(set(row) ^ set(wanted))}"
        assert row["filename"] == sample_file.name
        for name, column in wanted.items():
            value = row[name]
            assert value is None or type(value) is _PYTHON_TYPES[column.type], f"{name} is {value!r}, not {column.type}"
            assert value is not None or not column.required, f"{name} is required, and None"
        content = row.get("content")
        assert content is None or content in product.content_types, f"content_types lacks {content!r}"
        filled = {column.name: row.get(column.name, 0) for column in product.schema}
        with sqlite3.connect(":memory:") as connection:
            _make_index(connection, product)
            marks = ", ".join("?" for _ in filled)
            # The names are the schema's identifiers; the values go as parameters.
            connection.execute(f"INSERT INTO files VALUES ({marks})", list(filled.values()))  # noqa: S608
        connection.close()

    def test_refuses_a_file_of_another_kind(self, product: ArchiveProduct, tmp_path: Path) -> None:
        """A file that is no file of the product is an `IntegrityError` that names it, not a traceback."""
        stranger = tmp_path / "stranger_000000001N001_file.dat"
        stranger.write_bytes(b"\x1f\x8b not what it says")
        with pytest.raises(IntegrityError, match="stranger"):
            product.describe(stranger)


def _make_index(connection: sqlite3.Connection, product: ArchiveProduct) -> None:
    columns = [f"[{each.name}] {_SQL_TYPES[each.type]}{' NOT NULL' * each.required}" for each in product.schema]
    connection.execute(f"CREATE TABLE files ({', '.join(columns)}, PRIMARY KEY ({_quoted(product.key)}))")
    for number, index in enumerate(product.indexes):
        connection.execute(f"CREATE INDEX index_{number} ON files ({_quoted(index)})")


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"[{name}]" for name in names)


class RetrieverContract(OfferContract):
    """The contract of a retriever. Give the fixture ``retriever``, and ``request_`` for the tests that fetch."""

    @pytest.fixture
    def retriever(self) -> Retriever:
        """The retriever under test."""
        raise NotImplementedError("override the fixture 'retriever'")

    @pytest.fixture
    def request_(self) -> ObsidRequest | None:
        """Something that the retriever can bring without a network; override it."""
        return None

    @pytest.fixture
    def offer(self, retriever: Retriever) -> Offer:
        """The retriever."""
        return retriever

    def test_brings_what_it_probed(
        self, retriever: Retriever, request_: ObsidRequest | None, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """A fetch brings at least what the probe named, under plain names, into the folder and nowhere else."""
        if request_ is None:
            pytest.skip("override the fixture request_ to check probe() and fetch()")
        probed = list(retriever.probe(request_, tmp_path_factory.mktemp("scratch")))
        surroundings = tmp_path_factory.mktemp("surroundings")
        folder = surroundings / "fetched"
        folder.mkdir()
        fetched = list(retriever.fetch(request_, folder))
        assert probed, "the probe of request_ named nothing"
        assert set(probed) <= set(fetched)
        assert sorted(fetched) == sorted(path.name for path in folder.iterdir())
        assert all((folder / name).is_file() and "/" not in name for name in fetched)
        assert list(surroundings.iterdir()) == [folder]

    def test_finds_nothing_for_a_stranger(
        self, retriever: Retriever, request_: ObsidRequest | None, tmp_path: Path
    ) -> None:
        """An obsid that does not exist has no files; that is no error."""
        if request_ is None:
            pytest.skip("override the fixture request_ to check probe() and fetch()")
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        assert list(retriever.probe(attrs.evolve(request_, obsid=99999), scratch)) == []


class CatalogueContract(OfferContract):
    """The contract of a catalogue. Give the fixture ``catalogue``, and ``work`` for the tests that ask it."""

    @pytest.fixture
    def catalogue(self) -> Catalogue:
        """The catalogue under test."""
        raise NotImplementedError("override the fixture 'catalogue'")

    @pytest.fixture
    def work(self) -> Work | None:
        """A table of runs that the catalogue can answer for without a network, with two runs or more; override it."""
        return None

    @pytest.fixture
    def offer(self, catalogue: Catalogue) -> Offer:
        """The catalogue."""
        return catalogue

    def test_lists_new_work_in_order(self, catalogue: Catalogue, work: Work | None) -> None:
        """Runs come by ascending id, and only those after the one that was seen last."""
        runs = list(catalogue.new_work(_given(work), after=0))
        ids = [run.id for run in runs]
        assert len(ids) > 1, "let the catalogue under test list two runs or more"
        assert ids == sorted(set(ids))
        assert list(catalogue.new_work(_given(work), after=ids[0])) == runs[1:]
        assert list(catalogue.new_work(_given(work), after=ids[-1])) == []

    def test_knows_the_runs_of_an_obsid(self, catalogue: Catalogue, work: Work | None) -> None:
        """A run that is new work is also found by its obsid, obi and revision, and its obi is one of the obsid's."""
        run = next(iter(catalogue.new_work(_given(work), after=0)))
        assert run in list(catalogue.runs(_given(work), run.obsid))
        assert run in list(catalogue.runs(_given(work), run.obsid, obi=run.obi, revision=run.revision))
        obis = catalogue.obis(run.obsid)
        assert not obis or run.obi in obis
        assert list(obis) == sorted(set(obis))

    def test_knows_nothing_of_a_stranger(self, catalogue: Catalogue, work: Work | None) -> None:
        """An obsid that does not exist has no runs and no obis; that is no error."""
        known = {run.obsid for run in catalogue.new_work(_given(work), after=0)}
        stranger = next(obsid for obsid in range(99999, 0, -1) if obsid not in known)
        assert list(catalogue.runs(_given(work), stranger)) == []
        assert catalogue.obis(stranger) == ()


def _given(work: Work | None) -> Work:
    if work is None:
        pytest.skip("override the fixture work to check what the catalogue answers")
    return work
