"""What was delivered and what is true of it, written beside the delivery as JSON and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from aca_core.catalogues import ProcessingRun
from aca_core.errors import IntegrityError, MissingDataError
from aca_core.simulation.observation import SYNTHETIC, Fid, Observation

__all__ = [
    "TRUTH_FILE",
    "Delivered",
    "Released",
    "SlotStatistics",
    "Truth",
    "read_truth",
    "slot_statistics",
    "write_truth",
]

TRUTH_FILE: Final = "truth.json"
_FORMAT: Final = "aca_core.simulation truth 1"


@attrs.frozen(kw_only=True)
class SlotStatistics:
    """What a verification should find in one slot: statistics of the injected residuals of algorithm 8.

    They are those of the samples between the first and the last attitude of each aspect interval, all intervals
    together; mean, median and rms are of the samples whose status is good.

    Attributes
    ----------
    slot : int
        0 to 7.
    type : {'FID', 'GUIDE', 'MONITOR'}
        What is in the slot.
    n_samples, bad_samples : int
        Number of samples, and of those with a status that is not good.
    dy_mean, dy_med, dy_rms, dz_mean, dz_med, dz_rms : float or None
        In arcsec; rms about the median; None without a good sample.
    """

    slot: int
    type: Literal["FID", "GUIDE", "MONITOR"]
    n_samples: int
    bad_samples: int
    dy_mean: float | None
    dy_med: float | None
    dy_rms: float | None
    dz_mean: float | None
    dz_med: float | None
    dz_rms: float | None


@attrs.frozen(kw_only=True)
class Delivered:
    """One observation interval in one revision.

    Attributes
    ----------
    observation : Observation
        The truth.
    run : ProcessingRun
        Its row in the catalogue table ``aspect_1``.
    in_tree : bool
        Whether its files were delivered; of an obsid with several intervals that is the first one only.
    slots : tuple of SlotStatistics
        By slot.
    """

    observation: Observation
    run: ProcessingRun
    in_tree: bool
    slots: tuple[SlotStatistics, ...]


@attrs.frozen(kw_only=True)
class Released:
    """Which revisions of an obsid are released; None while none is.

    Attributes
    ----------
    obsid : int
        Which observation.
    asp1, obspar : int or None
        Revision of the aspect products and of the observation parameters.
    """

    obsid: int
    asp1: int | None
    obspar: int | None


@attrs.frozen(kw_only=True)
class Truth:
    """All that a delivery was made from.

    Attributes
    ----------
    synthetic : str
        That it is.
    every_obi : bool
        Whether the files of all observation intervals of an obsid are delivered, and not those of the first alone.
    delivered : tuple of Delivered
        In the order of their processing.
    obspar_runs : tuple of ProcessingRun
        The rows of the catalogue table ``obidet_0_5``.
    released : tuple of Released
        One for each obsid.
    files : tuple of str
        Everything in the folder but this file itself, relative to it.
    """

    synthetic: str = SYNTHETIC
    every_obi: bool = False
    delivered: tuple[Delivered, ...] = ()
    obspar_runs: tuple[ProcessingRun, ...] = ()
    released: tuple[Released, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def obsids(self) -> tuple[int, ...]:
        """The obsids, ascending."""
        return tuple(sorted({each.run.obsid for each in self.delivered}))

    def of(self, obsid: int, revision: int | None = None, obi: int | None = None) -> Delivered:
        """Return what was delivered of an obsid.

        Parameters
        ----------
        obsid : int
            Which observation.
        revision : int, optional
            Of the aspect products; by default the released one, else the newest.
        obi : int, optional
            Which observation interval; by default the first.

        Returns
        -------
        Delivered
            With the truth.

        Raises
        ------
        MissingDataError
            There is no such thing.
        """
        runs = [each for each in self.delivered if each.run.obsid == obsid]
        if revision is None and runs:
            released = self.release(obsid).asp1
            revision = max(each.run.revision for each in runs) if released is None else released
        found = [each for each in runs if each.run.revision == revision and obi in (None, each.run.obi)]
        if not found:
            have = ", ".join(f"obi {each.run.obi} revision {each.run.revision}" for each in runs) or "nothing"
            raise MissingDataError(f"obsid {obsid} revision {revision} obi {obi} was not simulated; there is {have}")
        return min(found, key=lambda each: each.run.obi)

    def release(self, obsid: int) -> Released:
        """Return what is released of an obsid.

        Parameters
        ----------
        obsid : int
            Which observation.

        Returns
        -------
        Released
            With None where nothing is.
        """
        nothing = Released(obsid=obsid, asp1=None, obspar=None)
        return next((each for each in self.released if each.obsid == obsid), nothing)


def slot_statistics(observation: Observation) -> tuple[SlotStatistics, ...]:
    """Return what a verification of an observation should find in each slot.

    Parameters
    ----------
    observation : Observation
        The truth.

    Returns
    -------
    tuple of SlotStatistics
        By slot.
    """
    import numpy as np

    from aca_core.simulation.asp1_files import attitude_times
    from aca_core.simulation.centroids import injected_residuals

    spans = [attitude_times(observation, number)[[0, -1]] for number in range(len(observation.intervals))]
    statistics = []
    for light in observation.lights:
        parts = []
        for number, (first, last) in enumerate(spans):
            injected = injected_residuals(observation, light.slot, number)
            inside = (injected.times >= first) & (injected.times <= last)
            parts.append(np.stack([injected.dy, injected.dz, injected.status])[:, inside])
        dy, dz, status = np.concatenate(parts, axis=1)
        good = status == 0
        values: dict[str, Any] = {}
        for name, residuals in (("dy", dy[good]), ("dz", dz[good])):
            some = len(residuals) > 0
            median = float(np.median(residuals)) if some else None
            values[f"{name}_mean"] = float(residuals.mean()) if some else None
            values[f"{name}_med"] = median
            values[f"{name}_rms"] = float(np.sqrt(np.mean((residuals - median) ** 2))) if some else None
        statistics.append(
            SlotStatistics(
                slot=light.slot,
                type="FID" if isinstance(light, Fid) else light.type,
                n_samples=len(status),
                bad_samples=int(np.count_nonzero(~good)),
                **values,
            )
        )
    return tuple(statistics)


def write_truth(folder: Path, truth: Truth) -> Path:
    """Write the truth of a delivery.

    Parameters
    ----------
    folder : Path
        Top of the delivery.
    truth : Truth
        What is true.

    Returns
    -------
    Path
        The file. It appears whole.
    """
    content = {"format": _FORMAT, **attrs.asdict(truth)}
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    part = folder / f".{TRUTH_FILE}"
    part.write_text(text, encoding="utf-8")
    return part.rename(folder / TRUTH_FILE)


def read_truth(folder: str | Path) -> Truth:
    """Read the truth of a delivery.

    Parameters
    ----------
    folder : path-like
        Top of the delivery.

    Returns
    -------
    Truth
        What was written, equal to it.

    Raises
    ------
    IntegrityError
        There is no simulated delivery, or its truth cannot be understood.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.simulation import read_truth, simulate_delivery
    >>> folder = tempfile.mkdtemp()
    >>> delivery = simulate_delivery(folder, seed=1, obsids=[8008], duration=200.0)
    >>> read_truth(folder) == delivery.truth
    True
    """
    import cattrs

    path = Path(folder) / TRUTH_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problem = "is not there, so this is no simulated delivery; make one with 'aca simulate'"
        raise IntegrityError(path, problem) from None
    except ValueError as error:
        raise IntegrityError(path, f"is no JSON: {error}") from None
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise IntegrityError(path, f"is not of the format {_FORMAT!r}; simulate the delivery again")
    try:
        return cattrs.Converter(forbid_extra_keys=True).structure(content, Truth)
    except Exception as error:
        reasons = "; ".join(cattrs.transform_error(error))
        raise IntegrityError(path, f"cannot be understood: {reasons}; simulate the delivery again") from error
