"""What tables may be called, and by what they may be grouped, to be kept as columns: anything that files can say."""

import attrs
import numpy as np
import pytest
from astropy.io import fits
from column_days import PRODUCT, Site, assert_same, secs

from aca_core import Column, ColumnStore, FitsColumns, IntegrityError

TEN = np.arange(0, 40, 4)


def _site_of(tmp_path, *more_columns, **store):
    columns = FitsColumns(*PRODUCT.columns.columns, *more_columns)
    return Site(tmp_path, attrs.evolve(PRODUCT, columns=columns, column_store=ColumnStore(margin=2.0, **store)))


def _assert_kept(site):
    """Follow, and hold the store, which is to have all there is, against the files."""
    site.follow(site.update())
    groups = assert_same(site.archive, "2020:360", "2021:300")
    assert all(group.from_store == len(group.files) for group in groups)
    assert site.problems(full=True) == []
    return groups


def test_tables_may_be_grouped_by_any_text(tmp_path):
    site = _site_of(tmp_path, Column("object"), group=("object",))
    names = ["A", "A/0", "A/0/columns", "A%2F0", "/", "..", "A B", "x" * 60]
    for number, name in enumerate(names):
        site.put(f"2021:030:{number:02d}:00:00", [0.0, 4.0], object=name)
    site.put("2021:030:23:00:00", [0.0, 4.0])  # which says none
    groups = _assert_kept(site)
    assert {group.group["object"] for group in groups} == {*names, None}
    site.put("2021:032:10:00:00", [0.0])
    site.follow(site.update())  # January becomes a month
    _assert_kept(site)


def test_all_tables_may_be_one_group(tmp_path):
    site = _site_of(tmp_path, group=())
    site.put("2021:030:10:00:00", [0.0, 4.0])
    site.put("2021:030:11:00:00", [0.0, 4.0], slot=1)
    (group,) = _assert_kept(site)
    assert len(group) == 4


def test_the_column_of_the_time_may_be_named_in_any_case(tmp_path):
    site = _site_of(tmp_path, group=("slot",), time="time")
    site.put("2021:030:10:00:00", [0.0, 4.0])
    (group,) = _assert_kept(site)
    assert len(group.values["TIME"]) == 2


@pytest.mark.parametrize("time", ["WORD", "IMG"])
def test_times_that_are_no_numbers_are_said(tmp_path, time):
    site = _site_of(tmp_path, group=("slot",), time=time)
    site.put("2021:030:10:00:00", [0.0, 4.0])
    (change,) = site.update()
    report = site.keeper.follow(change)
    assert [f"its column {time} is no time" in each for each in report.failed] == [True]
    with pytest.raises(IntegrityError, match=f"its column {time} is no time"):
        site.read()


def test_a_file_with_a_name_of_any_length_is_found_again(site):
    name = site.put("2021:030:10:00:00", TEN)
    long = name.replace(".fits.gz", f"{'a' * (200 - len(name))}.fits.gz")
    folder = site.shelf.folder / "2021/030"
    (folder / name).rename(folder / long)
    (group,) = _assert_kept(site)
    assert group.files[0]["filename"] == long


@pytest.mark.filterwarnings("ignore:It is strongly recommended that column names")
@pytest.mark.parametrize("name", ["A/B", ".", "..", "TIMES/", "/", "A%2FB", "A B"])
def test_columns_may_have_any_name(site, name):
    site.put("2021:030:10:00:00", TEN, columns={name: np.arange(10)})
    site.put("2021:030:11:00:00", TEN)
    (group,) = _assert_kept(site)
    assert name in group.values


def test_times_may_be_whole_numbers_and_all_that_there_is(tmp_path):
    site = _site_of(tmp_path, group=("slot",))
    start = int(secs("2021:030:10:00:00"))
    folder = site.shelf.folder / "2021/030"
    folder.mkdir(parents=True)
    header = {"TSTART": float(start), "TSTOP": start + 9e3, "REVISION": 1, "DATE": "2021-10-01T00:00:00"}
    times, images = start + np.arange(9000), np.ones((9000, 2), np.uint8)
    table = fits.BinTableHDU.from_columns(
        [fits.Column("TIME", "J", array=times), fits.Column("IMG", "2B", array=images)], fits.Header(header)
    )
    table.writeto(folder / f"tlmf{start}N001_0_img0.fits.gz", checksum=True)
    (group,) = _assert_kept(site)
    assert group.values["TIME"].dtype == np.int32
