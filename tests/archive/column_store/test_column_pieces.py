"""Pieces of a column store: what is written is read, whatever its type, and what is no piece is told apart."""

import errno
import os

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from aca_core import IntegrityError
from aca_core.archive.column_store.pieces import Piece, Source
from aca_core.archive.column_store.writing import Part, write_piece

KINDS = st.sampled_from(["<f8", "<f4", "<i2", "<i4", "<i8", "|u1", "|i1", "<u2", "|b1", "|S5"])


def part_of(values, name="a.fits", group="slot_3"):
    rows = len(next(iter(values.values())))
    source = Source(
        filename=name,
        day="2021/001",
        revision=1,
        size=5,
        sha256="0" * 64,
        rows=rows,
        tmin=1.0,
        tmax=2.0,
        synthetic=True,
    )
    schema = tuple((key, each.dtype.str, each.shape[1:]) for key, each in sorted(values.items()))
    return Part(group, schema, (source,), values.__getitem__)


@st.composite
def tables(draw, schema):
    rows = draw(st.integers(0, 5))
    return {name: draw(of_numpy.arrays(kind, (rows, *shape))) for name, (kind, shape) in schema.items()}


SCHEMAS = st.dictionaries(
    st.sampled_from(["TIME", "A", "B_1"]),
    st.tuples(KINDS, st.sampled_from([(), (1,), (3,), (2, 4)])),
    min_size=1,
)


@given(data=st.data())
def test_what_is_written_is_read(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("piece") / "2021" / "001.h5"
    schemas = data.draw(st.lists(SCHEMAS, min_size=1, max_size=2))
    files = data.draw(st.lists(st.sampled_from(schemas).flatmap(tables), min_size=1, max_size=4))
    parts = [part_of(values, f"{number}.fits") for number, values in enumerate(files)]
    write_piece(path, parts, {"product": "test"})
    with Piece(path) as piece:
        runs = {run.source.filename: run for run in piece.runs("slot_3")}
        assert len(runs) == len(files)
        assert list(piece.check()) == []
        for number, values in enumerate(files):
            run = runs[f"{number}.fits"]
            assert run.source == parts[number].sources[0]
            assert piece.names(run.place) == sorted(values)
            assert piece.schema(run.place) == parts[number].schema
            for name, expected in values.items():
                found = piece.read(run.place, name, run.first, run.source.rows)
                assert found.dtype == expected.dtype
                assert found.tobytes() == expected.tobytes()
            assert piece.read(run.place, "NONE", 0, 1) is None
    assert [each.name for each in path.parent.iterdir()] == ["001.h5"]


def test_a_part_of_a_column_is_read_and_no_more_than_there_is(tmp_path):
    write_piece(tmp_path / "001.h5", [part_of({"A": np.arange(10, dtype="<i4")})], {})
    with Piece(tmp_path / "001.h5") as piece:
        assert piece.read("slot_3/0", "A", 3, 2).tolist() == [3, 4]
        assert piece.read("slot_3/0", "A", 10, 0).tolist() == []
        with pytest.raises(IntegrityError, match="it has 10 rows; expected 11"):
            piece.read("slot_3/0", "A", 8, 3)
        with pytest.raises(IntegrityError, match="cannot be read at slot_9/0"):
            piece.names("slot_9/0")
        assert piece.runs("slot_9") == []


def test_what_is_not_there_and_what_is_no_piece_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError):
        Piece(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(IntegrityError, match="cannot be opened"):
        Piece(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = [1]
    with pytest.raises(IntegrityError, match="says of its format None; expected 'aca_core columns 1'"):
        Piece(tmp_path / "other.h5")
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(IntegrityError):
        Piece(tmp_path / "folder.h5")


def test_a_piece_that_cannot_be_written_leaves_the_one_before(tmp_path):
    path = tmp_path / "2021" / "001.h5"
    write_piece(path, [part_of({"A": np.arange(10)})], {})
    before = path.read_bytes()

    def fails(name):
        raise IntegrityError("a.fits", "is damaged")

    part = part_of({"A": np.arange(10)})
    with pytest.raises(IntegrityError, match="is damaged"):
        write_piece(path, [Part(part.group, part.schema, part.sources, fails)], {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("after", [0, 1, 5])
def test_what_the_system_says_of_a_write_is_said(tmp_path, monkeypatch, number, after):
    """HDF5 itself is not told, since it would crash; afterwards the same process writes on."""
    real, left = os.pwrite, [after]

    def pwrite(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(number, os.strerror(number))
        return real(*arguments)

    path = tmp_path / "2021" / "001.h5"
    parts = [part_of({"A": np.arange(1000), "B": np.ones((1000, 8, 8))})]
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", pwrite)
        with pytest.raises(OSError, match=r"2021/\.001\.h5") as found:
            write_piece(path, parts, {})
    assert found.value.errno == number
    assert list(path.parent.iterdir()) == []
    write_piece(path, parts, {})
    with Piece(path) as piece:
        assert list(piece.check()) == []


def test_a_write_that_is_cut_short_is_gone_on_with(tmp_path, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, place: real(descriptor, data[:1000], place))
    write_piece(tmp_path / "001.h5", [part_of({"B": np.ones((1000, 8, 8))})], {})
    with Piece(tmp_path / "001.h5") as piece:
        assert list(piece.check()) == []
