"""How well does the aspect solution of an observation fit its guide stars and fid lights? All of it in one object."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aca_core.catalogues import PlannedStar
from aca_core.errors import IntegrityError, MissingDataError, UnknownNameError
from aca_core.parameter_file import ParameterValue, read_parameter_file
from aca_core.vv.consistency import check_same_products, differences, missing_samples, unusual_count
from aca_core.vv.drift import SimOffsets, sim_report
from aca_core.vv.interval import AspectInterval, read_interval
from aca_core.vv.interval_files import solution_files
from aca_core.vv.judgement import Judgement, judge
from aca_core.vv.plots import plot_slot
from aca_core.vv.properties import StarPosition
from aca_core.vv.report import OF_OBSPAR, make_report
from aca_core.vv.slot_data import SlotData
from aca_core.vv.slots import all_slot_data
from aca_core.vv.statistics import slot_statistics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Obi"]

_log = logging.getLogger("aca_core")

_FIRST_ENGINEERING: Final = 38_000
"""Obsids from here on are engineering observations, which need no fid lights."""


class Obi:
    """The aspect verification of one observation interval: residuals of every guide star and fid light.

    Files are read, each of them once, and residuals computed when it is made; statistics and figures when they are
    asked for. What is odd but does not prevent a verification is listed in `errors` and `warnings`.

    Parameters
    ----------
    obspar_file : path-like
        The observation's parameters (obspar), those that the products were made with.
    aspect_dir : path-like
        The folder of its aspect products (asp1) in one revision, or the output of a pipeline, with ``ASP_L1_*/out*/``.
    planned : iterable of PlannedStar, optional
        The planned star catalogue, for slots that have centroids and no properties.
    star_position : callable, optional
        Returns the `StarPosition` of a star by its number in the star catalogue, or None, for the same slots.

    Attributes
    ----------
    obspar : dict
        The parameters.
    obsid, revision : int
        The observation, and the revision of the aspect products.
    aspect_intervals : tuple of AspectInterval
        Those within the observation, by name.
    all_slot_data : dict of int to SlotData
        The residuals by slot, ascending.
    sim_offsets : tuple of SimOffsets
        The offsets of the instrument module, of each interval.
    sim_report : dict of str to float or None
        Their extremes, arcsec.
    errors : list of str
        Where aspect intervals contradict each other.
    warnings : list of str
        What is missing or unusual.
    is_synthetic : bool
        Whether the parameters say that the observation was simulated.

    Raises
    ------
    MissingDataError
        A file or a folder is not there, or no aspect interval lies within the observation. It is a LookupError.
    IntegrityError
        A file is damaged, or they do not belong together. It is a ValueError.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.simulation import simulate_delivery
    >>> folder = simulate_delivery(tempfile.mkdtemp(), seed=1, obsids=[8010], duration=600.0).folder
    >>> obi = Obi(folder / "obspar/08/08010/axaff08010_000N001_obs0a.par.gz", folder / "asp1/08/08010")
    >>> obi.obsid, obi.revision, list(obi.all_slot_data), obi.warnings
    (8010, 1, [0, 1, 2, 3, 4, 5, 6, 7], [])
    >>> obi.slot_report["4"]["type"], obi.slot_report["4"]["dz_rms"] < 0.4
    ('GUIDE', True)
    """

    def __init__(
        self,
        obspar_file: str | Path,
        aspect_dir: str | Path,
        *,
        planned: Iterable[PlannedStar] = (),
        star_position: Callable[[int], StarPosition | None] | None = None,
    ) -> None:
        self.obspar_file, self.aspect_dir = Path(obspar_file), Path(aspect_dir)
        self.obspar, self.obsid = _obspar(self.obspar_file)
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.aspect_intervals = self._intervals(tuple(planned), star_position)
        self.revision = self.aspect_intervals[0].revision
        self.all_slot_data: dict[int, SlotData] = all_slot_data(self.aspect_intervals)
        self.sim_offsets: tuple[SimOffsets, ...] = tuple(each.sim_offsets() for each in self.aspect_intervals)
        self.sim_report = sim_report(self.sim_offsets)
        self._check()

    def __repr__(self) -> str:
        return f"Obi(obsid={self.obsid}, revision={self.revision}, aspect_intervals={len(self.aspect_intervals)})"

    def info(self) -> dict[str, Any]:
        """Return what was verified.

        Returns
        -------
        dict
            obsid, revision; tstart, tstop (CXC s), sim_z, sim_z_offset (mm), ra_pnt, dec_pnt, roll_pnt (deg) and
            instrument, from the observation's parameters; intervals, the headers of the aspect solutions.
        """
        return {
            "obsid": self.obsid,
            "revision": self.revision,
            **{name: self.obspar.get(name) for name in OF_OBSPAR},
            "instrument": self._instrument,
            "intervals": [dict(each.header) for each in self.aspect_intervals],
        }

    @property
    def is_synthetic(self) -> bool:
        """Whether the parameters say that the observation was simulated."""
        return "synthetic" in self.obspar

    @functools.cached_property
    def slot_report(self) -> dict[str, dict[str, Any]]:
        """The statistics of each slot, by slot as a string: see `aca_core.vv.slot_statistics`."""
        return {str(slot): slot_statistics(data) for slot, data in self.all_slot_data.items()}

    @functools.cached_property
    def judgement(self) -> Judgement:
        """The checks of each slot against the limits, and what they suggest to do."""
        return judge(
            self.slot_report,
            errors=self.errors,
            is_science=self.obsid < _FIRST_ENGINEERING,
            seconds=sum(float(each.time[-1] - each.time[0]) for each in self.aspect_intervals),
            intervals=len(self.aspect_intervals),
        )

    def report(self) -> dict[str, Any]:
        """Return all that is kept of a verification, as JSON has it.

        Returns
        -------
        dict
            See `aca_core.vv.make_report`; ``warnings`` is there too.
        """
        parameters = {name: self.obspar.get(name) for name in OF_OBSPAR}
        more: dict[str, Any] = {"warnings": self.warnings}
        return make_report(
            obsid=self.obsid,
            revision=self.revision,
            obspar={**parameters, "detnam": self._instrument},
            headers=[each.header for each in self.aspect_intervals],
            slots=self.slot_report,
            sim=self.sim_report,
            fidprops=[[light.row for light in each.fids] for each in self.aspect_intervals],
            gsprops=[[light.row for light in each.stars] for each in self.aspect_intervals],
            errors=self.errors,
            judgement=self.judgement,
            more=more | ({"synthetic": str(self.obspar["synthetic"])} if self.is_synthetic else {}),
        )

    def plot_slot(self, slot: int) -> Figure:
        """Draw the residuals of a slot.

        Parameters
        ----------
        slot : int
            Which slot.

        Returns
        -------
        matplotlib.figure.Figure
            All plots of the slot in one.

        Raises
        ------
        UnknownNameError
            There is nothing in this slot. It is a LookupError.
        """
        if slot not in self.all_slot_data:
            known = [str(each) for each in self.all_slot_data]
            raise UnknownNameError(f"slot of obsid {self.obsid}", slot, known)
        return plot_slot(self.all_slot_data[slot], obsid=self.obsid, synthetic=self.is_synthetic)

    # ---- how it is made -----------------------------------------------------------------------------------------

    @property
    def _instrument(self) -> str | None:
        """Detector with chips; the blanks around it are those of the file."""
        name = self.obspar.get("detnam")
        return None if name is None else str(name).strip()

    def _intervals(
        self, planned: tuple[PlannedStar, ...], star_position: Callable[[int], StarPosition | None] | None
    ) -> tuple[AspectInterval, ...]:
        start, stop = (_time(self.obspar_file, self.obspar, name) for name in ("tstart", "tstop"))
        read = (
            read_interval(path, start=start, stop=stop, planned=planned, star_position=star_position)
            for path in solution_files(self.aspect_dir)
        )
        found = tuple(each for each in read if each is not None)
        if not found:
            span = f"from {start} to {stop} s, which {self.obspar_file.name} has for obsid {self.obsid}"
            raise MissingDataError(f"{self.aspect_dir} has no aspect interval within the observation, {span}")
        check_same_products(str(self.aspect_dir), self.obsid, found)
        return found

    def _check(self) -> None:
        """List what is wrong and what is unusual."""
        intervals = self.aspect_intervals
        self.errors += differences(intervals)
        self.warnings += unusual_count(self.obsid, intervals)
        self.warnings += (f"aspect interval {each.id}: {note}" for each in intervals for note in each.notes)
        self.warnings += missing_samples(self.all_slot_data, intervals)
        for text in (*self.errors, *self.warnings):
            _log.warning("verification of obsid %d revision %d: %s", self.obsid, self.revision, text)


def _obspar(path: Path) -> tuple[dict[str, ParameterValue], int]:
    """Return the parameters of an observation, and its obsid."""
    try:
        parameters = read_parameter_file(path)
    except FileNotFoundError:
        raise MissingDataError(f"{path} is not there; expected the parameters of the observation (obspar)") from None
    except OSError as error:
        raise IntegrityError(path, f"cannot be read ({error.strerror}); expected an obspar") from None
    obsid = parameters.get("obs_id")
    try:
        return parameters, int(obsid)  # type: ignore[arg-type]  # None is refused like any other that is no number
    except (TypeError, ValueError):
        raise IntegrityError(path, f"its obs_id is {obsid!r}; expected the number of an observation") from None


def _time(path: Path, parameters: dict[str, ParameterValue], name: str) -> float:
    value = parameters.get(name)
    if not isinstance(value, int | float):
        raise IntegrityError(path, f"its {name} is {value!r}; expected CXC seconds")
    return float(value)
