"""Attitudes of the camera: the arithmetic, which files go together, what is left out, and the archive behind it."""

from __future__ import annotations

import itertools
import shutil

import attrs
import numpy as np
import pytest
from aca_plugins import asp1
from astropy.io import fits

from aca_core import AcaError, Config, IntegrityError, ProductSet, open_archive, using
from aca_core.attitudes import (
    ARCSEC_PER_RADIAN,
    angles,
    from_equatorial,
    from_transform,
    multiply,
    star_vector,
    transform,
)
from aca_core.simulation import simulate_delivery
from aca_core.simulation.asp1_files import attitude_times
from aca_core.simulation.motion import attitudes_at, star_angles
from aca_core.testing import write_fits

STEP = 0.25625
START = 686_111_014.25
LENGTH = 100.0


@attrs.define
class Interval:
    """The three files of an aspect interval, written where they are asked for."""

    folder: object
    start: float = START
    length: float = LENGTH
    obsid: int = 7000
    revision: int = 2
    attitude: tuple = (10.0, 20.0, 30.0)
    misalign: object = attrs.field(factory=lambda: np.eye(3))
    bad: tuple = ()

    _number = itertools.count()

    def header(self, content, **changes):
        times = {"TSTART": self.start, "TSTOP": self.start + self.length}
        ids = {"OBS_ID": str(self.obsid), "OBI_NUM": 0, "REVISION": self.revision}
        return {"CONTENT": content, **ids, **times, **changes}

    def path(self, kind):
        return self.folder / f"pcadf{int(self.start):09d}N{self.revision:03d}_{next(self._number)}_{kind}.fits.gz"

    @property
    def times(self):
        return self.start + STEP * np.arange(int(self.length / STEP))

    def asol(self, columns=None, **changes):
        times = self.times
        q = np.tile(from_equatorial(*self.attitude), (len(times), 1))
        return write_fits(self.path("asol1"), self.header("ASPSOL", **changes), columns or {"time": times, "q_att": q})

    def acal(self, columns=None, **changes):
        columns = columns or {"aca_misalign": np.asarray(self.misalign)[np.newaxis]}
        return write_fits(self.path("acal1"), self.header("ACACAL", **changes), columns)

    def aqual(self, columns=None, **changes):
        times = self.start + 2.05 * np.arange(int(self.length / 2.05))
        times = np.concatenate([times, self.bad])
        status = np.concatenate([np.zeros(len(times) - len(self.bad)), np.ones(len(self.bad))]).astype(np.int16)
        return write_fits(
            self.path("aqual1"), self.header("ASPQUAL", **changes), columns or {"time": times, "asp_sol_status": status}
        )

    def all(self):
        return [self.asol()], [self.acal()], [self.aqual()]


@pytest.fixture
def interval(tmp_path):
    return Interval(tmp_path)


# ---- the arithmetic -------------------------------------------------------------------------------------------------

C, S = np.cos(10 / ARCSEC_PER_RADIAN), np.sin(10 / ARCSEC_PER_RADIAN)
TEN_ARCSEC_ABOUT_Z = np.array([[C, -S, 0], [S, C, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("attitude", "misalign", "expected"),
    [
        ((12, 45, 45), np.eye(3), (0.38857298, -0.3146602, 0.23486498, 0.8335697)),
        ((10, 20, 30), np.eye(3), (0.26853582, -0.14487813, 0.12767944, 0.94371436)),
        ((10, 20, 30), TEN_ARCSEC_ABOUT_Z, (0.26853933, -0.14487162, 0.12765656, 0.94371746)),
        ((10, 20, 30), TEN_ARCSEC_ABOUT_Z.reshape(9), (0.26853933, -0.14487162, 0.12765656, 0.94371746)),
    ],
)
def test_quaternions_are_those_of_the_camera(interval, attitude, misalign, expected):
    interval.attitude, interval.misalign = attitude, misalign
    quaternions, times, headers = asp1.get_atts_from_files(*interval.all())
    assert quaternions.shape == (len(interval.times), 4)
    np.testing.assert_allclose(quaternions, np.tile(expected, (len(times), 1)), rtol=0, atol=2e-8)
    np.testing.assert_array_equal(times, interval.times)
    (header,) = headers
    assert isinstance(header, dict)
    assert (header["CONTENT"], header["OBS_ID"], header["TSTART"]) == ("ASPSOL", "7000", START)


def test_quaternions_are_normalised(interval):
    q = -3 * np.tile(from_equatorial(10, 20, 30), (3, 1))
    solution = interval.asol({"time": interval.times[:3], "q_att": q})
    quaternions, _, _ = asp1.get_atts_from_files([solution], [interval.acal()], [interval.aqual()])
    np.testing.assert_allclose(quaternions, -q / 3, rtol=0, atol=1e-15)


def test_the_solvers_own_attitudes_are_used_where_they_are(interval):
    raw, corrected = (np.tile(from_equatorial(*attitude), (3, 1)) for attitude in ((10, 20, 30), (11, 21, 31)))
    solution = interval.asol({"time": interval.times[:3], "q_att": corrected, "q_att_raw": raw})
    quaternions, _, _ = asp1.get_atts_from_files([solution], [interval.acal()], [interval.aqual()])
    np.testing.assert_allclose(quaternions, raw, rtol=0, atol=1e-15)


def test_columns_may_be_in_upper_case(interval):
    solution = interval.asol({"TIME": [START], "Q_ATT": from_equatorial(10, 20, 30)[np.newaxis]})
    calibration = interval.acal({"ACA_MISALIGN": np.eye(3)[np.newaxis]})
    quality = interval.aqual({"TIME": [START], "ASP_SOL_STATUS": np.array([0], dtype=np.int16)})
    quaternions, times, _ = asp1.get_atts_from_files([str(solution)], [str(calibration)], [str(quality)])
    np.testing.assert_allclose(quaternions, [from_equatorial(10, 20, 30)], rtol=0, atol=1e-15)
    assert times.tolist() == [START]


def test_nothing_gives_arrays_of_the_right_shape():
    quaternions, times, headers = asp1.get_atts_from_files([], [], [])
    assert (quaternions.shape, times.shape, headers) == ((0, 4), (0,), [])
    assert quaternions.dtype == times.dtype == float


# ---- what is filtered -----------------------------------------------------------------------------------------------


def test_the_filter_reaches_one_camera_cycle_both_ends_included(interval):
    at = START + 50.0
    offsets = np.array([-2.0, -1.0251, -1.025, -1.0249, 0.0, 1.0249, 1.025, 1.0251, 2.0])
    q = np.tile(from_equatorial(10, 20, 30), (len(offsets), 1))
    for fraction in np.linspace(0, 1, 30):  # doubles of that size are 1.2e-7 s apart: rounded this way and that
        interval.bad = (at + fraction,)
        solution = interval.asol({"time": at + fraction + offsets, "q_att": q})
        files = [solution], [interval.acal()], [interval.aqual()]
        _, times, _ = asp1.get_atts_from_files(*files)
        np.testing.assert_allclose(times - at - fraction, [-2.0, -1.0251, 1.0251, 2.0], rtol=0, atol=1e-6)
        _, times, _ = asp1.get_atts_from_files(*files, filter=False)
        assert len(times) == len(offsets)


def test_the_filter_takes_every_bad_time_in_any_order(interval):
    bad = np.random.default_rng(4).uniform(START - 5, START + LENGTH + 5, 20)
    interval.bad = tuple(bad)
    _, times, _ = asp1.get_atts_from_files(*interval.all())
    near = (np.abs(interval.times[:, np.newaxis] - bad) <= 1.025).any(axis=1)
    assert 0 < near.sum() < len(near)
    np.testing.assert_array_equal(times, interval.times[~near])


def test_a_solution_that_is_bad_throughout_leaves_its_header(interval):
    interval.bad = tuple(interval.times)
    quaternions, times, headers = asp1.get_atts_from_files(*interval.all())
    assert (quaternions.shape, times.shape, len(headers)) == ((0, 4), (0,), 1)


def test_without_the_filter_quality_is_not_needed(interval):
    _, times, _ = asp1.get_atts_from_files([interval.asol()], [interval.acal()], [], filter=False)
    assert len(times) == len(interval.times)


# ---- which files go together ----------------------------------------------------------------------------------------


def test_intervals_are_paired_by_time_and_sorted(interval, tmp_path):
    later = Interval(tmp_path, start=START + 500, attitude=(10, 20, 31), misalign=TEN_ARCSEC_ABOUT_Z)
    asol, acal, aqual = [later.asol(), interval.asol()], [interval.acal(), later.acal()], [later.aqual()]
    quaternions, times, headers = asp1.get_atts_from_files(asol, acal, [interval.aqual(), *aqual])
    assert [header["TSTART"] for header in headers] == [START, START + 500]
    np.testing.assert_array_equal(times, np.concatenate([interval.times, later.times]))
    turned = multiply(from_equatorial(10, 20, 31), from_transform(TEN_ARCSEC_ABOUT_Z.T))
    np.testing.assert_allclose(quaternions[0], from_equatorial(10, 20, 30), rtol=0, atol=1e-15)
    np.testing.assert_allclose(quaternions[-1], turned, rtol=0, atol=1e-15)


def test_intervals_that_overlap_are_sorted_by_time(interval, tmp_path):
    other = Interval(tmp_path, start=START + 0.1, obsid=7001, attitude=(10, 20, 31))
    _, times, _ = asp1.get_atts_from_files(*(a + b for a, b in zip(interval.all(), other.all(), strict=True)))
    assert len(times) == len(interval.times) + len(other.times)
    assert (np.diff(times) >= 0).all()


def test_of_several_revisions_each_goes_with_its_own(interval, tmp_path):
    newer = Interval(tmp_path, revision=3, length=LENGTH + 1, misalign=TEN_ARCSEC_ABOUT_Z)
    files = [[newer.asol(), interval.asol()], [interval.acal(), newer.acal()], [interval.aqual(), newer.aqual()]]
    quaternions, _, _ = asp1.get_atts_from_files(*files)
    turned = multiply(from_equatorial(10, 20, 30), from_transform(TEN_ARCSEC_ABOUT_Z.T))
    assert np.count_nonzero(np.allclose(quaternions, turned, rtol=0, atol=1e-12)) == 0
    assert np.isclose(quaternions, turned, rtol=0, atol=1e-12).all(axis=1).sum() == len(newer.times)


@pytest.mark.parametrize("keyword", ["TSTART", "TSTOP"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_times_agree_within_ten_seconds(interval, keyword, sign):
    time = interval.header("")[keyword]
    good, wrong = (interval.acal(**{keyword: time + sign * off}) for off in (10.0, 10.01))
    _, times, _ = asp1.get_atts_from_files([interval.asol()], [good], [interval.aqual()])
    assert len(times) == len(interval.times)
    with pytest.raises(ValueError, match="mismatched") as caught:
        asp1.get_atts_from_files([interval.asol()], [wrong], [interval.aqual()])
    assert isinstance(caught.value, AcaError)
    assert str(wrong) in str(caught.value)


@pytest.mark.parametrize("lacking", ["acal", "aqual"])
def test_a_solution_without_a_partner_is_reported_and_left_out(interval, tmp_path, warnings_of_core, lacking):
    alone = Interval(tmp_path, start=START + 500)
    solution = alone.asol()
    acal = [interval.acal()] + ([alone.acal()] if lacking != "acal" else [])
    aqual = [interval.aqual()] + ([alone.aqual()] if lacking != "aqual" else [])
    _, times, headers = asp1.get_atts_from_files([solution, interval.asol()], acal, aqual)
    np.testing.assert_array_equal(times, interval.times)
    assert len(headers) == 1
    (warning,) = warnings_of_core()
    assert str(solution) in warning
    assert {"acal": "ACACAL", "aqual": "ASPQUAL"}[lacking] in warning


def test_files_of_other_times_altogether_are_mismatched(interval, tmp_path):
    other = Interval(tmp_path, start=START + 500)
    with pytest.raises(ValueError, match="mismatched"):
        asp1.get_atts_from_files([interval.asol()], [other.acal()], [other.aqual()])


def test_a_solution_alone_is_reported(interval, warnings_of_core):
    quaternions, times, headers = asp1.get_atts_from_files([interval.asol()], [], [])
    assert (quaternions.shape, times.shape, headers) == ((0, 4), (0,), [])
    assert len(warnings_of_core()) == 1


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_the_combined_solution_is_refused(interval):
    with pytest.raises(IntegrityError, match="ASPSOLOBI"):
        asp1.get_atts_from_files([interval.asol(CONTENT="ASPSOLOBI")], [interval.acal()], [interval.aqual()])


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        ("asol", {"time": [START]}, "q_att"),
        ("asol", {"q_att": [[0.0, 0.0, 0.0, 1.0]]}, "no column time"),
        ("asol", {"time": [START], "q_att": [1.0]}, "quaternions"),
        ("acal", {"fts_misalign": np.eye(3)[np.newaxis]}, "no column aca_misalign"),
        ("acal", {"aca_misalign": np.eye(4)[np.newaxis]}, "3x3"),
        ("acal", {"aca_misalign": 2 * np.eye(3)[np.newaxis]}, "a rotation"),
        ("acal", {"aca_misalign": -np.eye(3)[np.newaxis]}, "a rotation"),
        ("aqual", {"time": [START]}, "no column asp_sol_status"),
    ],
)
def test_files_of_another_kind_are_refused(interval, kind, columns, message):
    files = {each: getattr(interval, each)(columns if each == kind else None) for each in ("asol", "acal", "aqual")}
    with pytest.raises(IntegrityError, match=message) as caught:
        asp1.get_atts_from_files([files["asol"]], [files["acal"]], [files["aqual"]])
    assert caught.value.path == str(files[kind])


def test_a_damaged_file_is_named(interval):
    solution = interval.asol()
    content = solution.read_bytes()
    solution.write_bytes(content[: len(content) // 2])
    with pytest.raises(IntegrityError) as caught:
        asp1.get_atts_from_files([solution], [interval.acal()], [interval.aqual()])
    assert caught.value.path == str(solution)


def test_a_file_without_times_is_refused(interval):
    with pytest.raises(IntegrityError, match="TSTART"):
        asp1.get_atts_from_files([interval.asol(TSTART="today")], [interval.acal()], [interval.aqual()])


def test_all_revisions_at_once_are_refused():
    with pytest.raises(ValueError, match="one revision") as caught:
        asp1.get_atts(obsid=7000, revision="all")
    assert isinstance(caught.value, AcaError)


# ---- simulated observations -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def delivery(tmp_path_factory):
    """Old columns, new columns, a provisional version only, and two intervals."""
    return simulate_delivery(
        tmp_path_factory.mktemp("simulated") / "delivered", seed=11, duration=600.0, obsids=[8008, 8009, 8011, 8012]
    )


def files_of(delivery, obsid, revision, kind):
    return sorted(
        (delivery.folder / "asp1" / "08" / f"{obsid:05d}_v{revision:02d}").glob(f"pcadf{9 * '[0-9]'}N*_{kind}.*")
    )


@pytest.mark.parametrize(("obsid", "revision"), [(8008, 1), (8009, 1), (8009, 2), (8012, 2)])
def test_the_truth_of_a_simulation_is_recovered(delivery, obsid, revision):
    observation = delivery.truth.of(obsid, revision).observation
    files = [files_of(delivery, obsid, revision, kind) for kind in ("asol1", "acal1", "aqual1")]
    quaternions, times, headers = asp1.get_atts_from_files(*files)
    count = len(observation.intervals)
    assert len(headers) == count
    assert any(observation.observatory_offset)  # else the attitudes that are used would not show

    bad = np.concatenate([_bad_times(path) for path in files[2]])
    every = np.concatenate([attitude_times(observation, number) for number in range(count)])
    near = (np.abs(every[:, np.newaxis] - bad) <= 1.025).any(axis=1)
    assert near.any() == bool(observation.gaps)
    np.testing.assert_array_equal(times, every[~near])

    misalign = np.array(observation.alignment.aca_misalign)
    expected = multiply(attitudes_at(observation, times), from_transform(misalign.T))
    np.testing.assert_allclose(quaternions, expected, rtol=0, atol=1e-12)
    # The other way round: in this frame the stars are where the camera truly saw them.
    for star in observation.stars:
        seen = angles(np.einsum("nij,i->nj", transform(quaternions), star_vector(star.ra, star.dec)))
        np.testing.assert_allclose(seen, star_angles(observation, star, times), rtol=0, atol=1e-6)


def _bad_times(path):
    with fits.open(path) as hdus:
        return np.array(hdus[1].data["time"][hdus[1].data["asp_sol_status"] != 0], dtype=float)


# ---- the archive ----------------------------------------------------------------------------------------------------


def opened(root, folder):
    config = Config(
        root=[root],
        sets={"nightly": ProductSet(products=("asp1",), retriever="directory")},
        retrievers={"directory": {"folder": str(folder)}},
    )
    return open_archive(config=config)


@pytest.fixture(scope="module")
def archive(delivery, tmp_path_factory):
    config = Config(
        root=[tmp_path_factory.mktemp("root")],
        sets={"nightly": ProductSet(products=("asp1",), retriever="directory", catalogue="file")},
        retrievers={"directory": {"folder": str(delivery.folder)}},
        catalogues={"file": {"path": str(delivery.catalogue)}},
    )
    archive = open_archive(config=config)
    archive["asp1"].update(rebuild=True)
    return archive


@pytest.fixture
def current(archive):
    with using(archive):
        yield archive


@pytest.mark.parametrize(
    ("obsid", "revision", "found"), [(8009, None, 2), (8009, 1, 1), (8009, "last", 2), (8012, None, 2)]
)
def test_an_observation_has_the_attitudes_of_its_files(current, delivery, obsid, revision, found):
    files = [files_of(delivery, obsid, found, kind) for kind in ("asol1", "acal1", "aqual1")]
    for is_filtered in (True, False):
        quaternions, times, headers = asp1.get_atts(obsid=obsid, revision=revision, filter=is_filtered)
        expected = asp1.get_atts_from_files(*files, filter=is_filtered)
        np.testing.assert_array_equal(quaternions, expected[0])
        np.testing.assert_array_equal(times, expected[1])
        assert headers == expected[2]
        assert {header["CONTENT"] for header in headers} == {"ASPSOL"}


def test_a_range_has_the_intervals_that_reach_into_it(current, delivery):
    first, second = delivery.truth.of(8012).observation.intervals
    _, _, headers = asp1.get_atts(start=first.start + 1, stop=first.stop - 1)
    assert [header["TSTART"] for header in headers] == [first.start]
    _, times, headers = asp1.get_atts(start=first.stop - 1, stop=second.start + 1)
    assert [header["TSTART"] for header in headers] == [first.start, second.start]
    assert (np.diff(times) > 0).all()
    _, _, headers = asp1.get_atts(start="2021:001", stop="2021:002")
    assert [header["OBS_ID"] for header in headers] == ["8008", "8009", "8012", "8012"]


def test_what_is_not_archived_has_no_attitudes(current):
    quaternions, times, headers = asp1.get_atts(obsid=9999)
    assert (quaternions.shape, times.shape, headers) == ((0, 4), (0,), [])
    assert asp1.get_atts(obsid=8009, revision=3)[0].shape == (0, 4)


@pytest.mark.parametrize(
    ("obsid", "revision", "said"),
    [
        (9999, None, "nothing of obsid 9999 is archived"),
        (8009, 3, "obsid 8009: revision 3 is not archived; its revisions: 1, 2"),
        (8011, None, "obsid 8011: no revision is released, so ask for one by revision; its revisions: 1"),
        (8011, "default", "obsid 8011: no revision is released"),
    ],
)
def test_without_attitudes_it_is_said_what_is_archived(current, warnings_of_core, obsid, revision, said):
    quaternions, times, headers = asp1.get_atts(obsid=obsid, revision=revision)
    assert (quaternions.shape, times.shape, headers) == ((0, 4), (0,), [])
    (warning,) = warnings_of_core()
    assert said in warning
    assert "attitudes" in warning


def test_a_revision_without_solutions_is_said(delivery, tmp_path, warnings_of_core):
    folder = tmp_path / "delivered" / "asp1" / "08"
    shutil.copytree(delivery.folder / "asp1" / "08", folder, symlinks=True)
    for path in (folder / "08008_v01").glob("*asol1*"):
        path.unlink()
    (tmp_path / "root").mkdir()
    archive = opened(tmp_path / "root", folder.parents[1])
    archive["asp1"].update(obsid=8008)
    with using(archive):
        assert asp1.get_atts(8008)[2] == []
    assert "obsid 8008: the released revision has no ASPSOL; its revisions: 1" in warnings_of_core()[-1]


def test_what_is_archived_is_said_of_nothing_else(current, warnings_of_core):
    asp1.get_atts(obsid=8011, revision=1)
    asp1.get_atts(obsid=8011, revision="last")
    asp1.get_atts(start="2021:001", stop="2021:002")
    assert warnings_of_core() == []


def test_neither_obsid_nor_range_is_refused_and_so_are_both(current):
    with pytest.raises(TypeError):
        asp1.get_atts()
    with pytest.raises(TypeError):
        asp1.get_atts(8009, start="2021:001")


def test_files_and_folders_are_those_of_the_archive(current):
    folder = str(current.roots[0] / "asp1" / "08")
    assert asp1.get_dir(8009) == f"{folder}/08009"
    assert asp1.get_obs_dirs(8009)["revisions"] == [1, 2]
    assert len(asp1.get_files(8012, content="ASPSOL")) == 2
