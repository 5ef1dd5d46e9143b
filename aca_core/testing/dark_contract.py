"""The contract of a dark source: what it must answer itself, and what the core makes of it by date."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from aca_core.dark_sources import CCD_SHAPE, DarkSource, is_dark_id
from aca_core.errors import MissingDataError
from aca_core.offers import Offer
from aca_core.testing.contracts import OfferContract

__all__ = ["DarkSourceContract"]


class DarkSourceContract(OfferContract):
    """The contract of a dark source. Give the fixture ``source``: a source that points at one or more calibrations."""

    @pytest.fixture
    def source(self) -> DarkSource:
        """The source under test, with at least one calibration."""
        raise NotImplementedError("override the fixture 'source'")

    @pytest.fixture
    def offer(self, source: DarkSource) -> Offer:
        """The source."""
        return source

    # ---- what the source answers itself ----

    def test_lists_ids_in_order(self, source: DarkSource) -> None:
        """Ids are YYYYDOY of days that exist, ascending, without repetition."""
        ids = source.ids()
        assert ids, "let the fixture 'source' point at one or more calibrations"
        assert list(ids) == sorted(set(ids))
        assert all(is_dark_id(dark_id) for dark_id in ids), "pass over entries that are no YYYYDOY"

    def test_finds_the_folder(self, source: DarkSource) -> None:
        """The folder of a calibration is absolute and exists."""
        folder = source.directory(source.ids()[0])
        assert folder.is_absolute()
        assert folder.is_dir()

    def test_reads_a_map(self, source: DarkSource) -> None:
        """A map has the shape of the CCD, in floating point and native byte order."""
        image = source.image(source.ids()[0])
        assert image.shape == CCD_SHAPE
        assert image.dtype.kind == "f"
        assert image.dtype.isnative

    def test_hands_out_maps_of_their_own(self, source: DarkSource) -> None:
        """What a caller does to a map does not show in the next one."""
        dark_id = source.ids()[0]
        first = source.image(dark_id)
        before = first[0, 0]
        first[0, 0] = before + 1000
        assert source.image(dark_id)[0, 0] == before

    def test_reads_properties(self, source: DarkSource) -> None:
        """Properties are a dict with the CCD temperature, or the source says that it keeps none."""
        properties = _properties(source)
        if properties is None:
            return
        assert isinstance(properties, dict)
        t_ccd = properties.get("ccd_temp")
        assert isinstance(t_ccd, int | float), "properties lack a number ccd_temp (degC)"
        assert not isinstance(t_ccd, bool), "properties lack a number ccd_temp (degC)"

    def test_hands_out_properties_of_their_own(self, source: DarkSource) -> None:
        """What a caller does to properties, or to a list in them, does not show in the next ones."""
        properties = _properties(source)
        if properties is None:
            return
        before = copy.deepcopy(properties)
        _spoil(properties)
        assert _properties(source) == before

    def test_stamps_what_does_not_change(self, source: DarkSource) -> None:
        """As long as properties stay the same, so does their stamp, and a copy of the source has it too."""
        dark_id = source.ids()[0]
        stamp = source.stamp(dark_id)
        if stamp is None:
            return
        hash(stamp)  # or else nothing could be kept under it
        assert source.stamp(dark_id) == stamp
        assert pickle.loads(pickle.dumps(source)).stamp(dark_id) == stamp
        others = [source.stamp(each) for each in source.ids()[1:]]
        assert stamp not in others, "put the path of the file into the stamp: two calibrations have the same one"

    def test_says_what_is_missing(self, source: DarkSource) -> None:
        """An id that does not exist, or is none, is a `MissingDataError` that names it; its stamp is None."""
        absent = next(str(day) for day in range(2099001, 2099366) if str(day) not in source.ids())
        for dark_id in (absent, "../etc"):
            for question in (source.directory, source.image, source.properties):
                with pytest.raises(MissingDataError):
                    question(dark_id)
            assert source.stamp(dark_id) is None

    def test_answers_the_same_where_it_has_travelled(self, source: DarkSource) -> None:
        """A source that was pickled lists, reads and names the same as the one that was sent."""
        import numpy as np

        arrived = pickle.loads(pickle.dumps(source))
        dark_id = source.ids()[-1]
        assert arrived.ids() == source.ids()
        assert arrived.directory(dark_id) == source.directory(dark_id)
        assert arrived.places == source.places
        np.testing.assert_array_equal(arrived.image(dark_id), source.image(dark_id))

    # ---- what the core makes of it ----

    def test_is_selected_by_date(self, source: DarkSource) -> None:
        """Each calibration holds on its own day, and on the next one if there is none of that day."""
        from aca_core.dark_cal.calibrations import DarkCalibrations
        from aca_core.dates import dark_id_to_date, date_to_dark_id, day_end

        calibrations = DarkCalibrations(source)
        ids = list(source.ids())
        days = dark_id_to_date(ids)
        assert calibrations.id(days).tolist() == ids
        assert list(calibrations.ids().values()) == ids
        assert list(calibrations.dirs()) == ids
        nights = day_end(days)
        next_days = date_to_dark_id(nights).tolist()
        expected = [after if after in ids else each for each, after in zip(ids, next_days, strict=True)]
        assert calibrations.id(nights).tolist() == expected

    def test_is_scaled_and_clipped(self, source: DarkSource) -> None:
        """The core scales a map to another temperature, or says which temperature is missing; negative values go."""
        import numpy as np

        from aca_core.dark_cal.calibrations import DarkCalibrations

        calibrations, dark_id = DarkCalibrations(source), source.ids()[0]
        raw, properties = source.image(dark_id), _properties(source)
        np.testing.assert_array_equal(calibrations.image(dark_id), np.maximum(raw, 0))
        if properties is None or "ccd_temp" not in properties:
            with pytest.raises(MissingDataError):
                calibrations.image(dark_id, t_ccd_ref=-10.0)
            return
        warmer = calibrations.image(dark_id, t_ccd_ref=properties["ccd_temp"] + 4.0, allow_negative=True)
        np.testing.assert_allclose(warmer, raw / 0.70, rtol=1e-5)

    def test_makes_a_table(self, source: DarkSource) -> None:
        """The core makes a table of all properties, twice the same, or says that there are none."""
        from aca_core.dark_cal.calibrations import DarkCalibrations

        calibrations = DarkCalibrations(source)
        if _properties(source) is None:
            with pytest.raises(MissingDataError):
                calibrations.props_table()
            return
        table = calibrations.props_table(stop="2100:365")
        assert len(table) == len(source.ids())
        assert table["ccd_temp"][0] == source.properties(source.ids()[0])["ccd_temp"]
        assert table.meta["source"] == source.name
        assert table.pformat() == calibrations.props_table(stop="2100:365").pformat()


def _properties(source: DarkSource) -> dict[str, Any] | None:
    """Return the properties of the first calibration, None where the source keeps none."""
    try:
        return source.properties(source.ids()[0])
    except MissingDataError:
        return None


def _spoil(value: Any) -> None:
    """Change everything in properties that can be changed."""
    for each in list(value.values() if isinstance(value, dict) else value):
        if isinstance(each, dict | list):
            _spoil(each)
    value.clear()
