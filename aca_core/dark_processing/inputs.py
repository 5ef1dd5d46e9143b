"""What calibrations are processed with: who knows the events and the temperatures, and what a temperature may be."""

from __future__ import annotations

from pathlib import Path

import attrs

from aca_core._checks import as_floats, check, is_a, is_range
from aca_core.aca_l0.archives import ROLE
from aca_core.archive.current import current_registry
from aca_core.config import Config, DarkSettings
from aca_core.dark_processing.providers import (
    EventProvider,
    EventTable,
    Header3Telemetry,
    TemperatureProvider,
    TemperatureTable,
)
from aca_core.errors import ConfigError, ConfigProblem, DeclarationError
from aca_core.registry import Registry

__all__ = ["DarkInputs", "checked_inputs", "dark_inputs"]


@attrs.frozen(kw_only=True)
class DarkInputs:
    """What calibrations are processed with. It pickles.

    Attributes
    ----------
    events : EventProvider or None
        Who knows the times of full readouts; without it there are no calibrations to find.
    hdr3 : TemperatureProvider or None
        Temperatures of the camera's header 3, which are asked first.
    aacccdpt : TemperatureProvider or None
        Temperatures of telemetry AACCCDPT.
    temperature_range : tuple of float
        Samples outside of it are faults, degC; both limits are inside.

    Examples
    --------
    >>> from aca_core.dark_processing import TemperatureTable
    >>> DarkInputs(hdr3=TemperatureTable(path="hdr3.csv")).temperature_range
    (-40.0, 15.0)
    """

    events: EventProvider | None = attrs.field(
        default=None, validator=attrs.validators.optional(is_a(EventProvider, "an EventProvider"))
    )
    hdr3: TemperatureProvider | None = attrs.field(
        default=None, validator=attrs.validators.optional(is_a(TemperatureProvider, "a TemperatureProvider"))
    )
    aacccdpt: TemperatureProvider | None = attrs.field(
        default=None, validator=attrs.validators.optional(is_a(TemperatureProvider, "a TemperatureProvider"))
    )
    # The window of 2013, -25 to -5 degC, became too narrow: the CCD has warmed since.
    temperature_range: tuple[float, ...] = attrs.field(
        default=DarkSettings().temperature_range,
        converter=as_floats,
        validator=check(is_range, "two increasing temperatures, degC"),
    )


def dark_inputs(config: Config | None = None) -> DarkInputs:
    """Return the inputs that the table ``[dark]`` of a configuration names.

    Where it names no table of header-3 temperatures, they come from the level-0 telemetry of the archive.

    Parameters
    ----------
    config : Config, optional
        By default the one in force.

    Returns
    -------
    DarkInputs
        Tables that are not named are None; so is ``hdr3``, too, where there is no archive root or no product provides
        ``aca-level0``. Files are looked at when they are needed.

    Raises
    ------
    ConfigError
        A path is relative and there is no archive root, or no Ska tree.

    Examples
    --------
    >>> from aca_core import Config, DarkSettings
    >>> inputs = dark_inputs(Config(root=["/data/aca"], dark=DarkSettings(events=Path("dark_events.csv"))))
    >>> inputs.events.path.as_posix(), inputs.aacccdpt, type(inputs.hdr3).__name__
    ('/data/aca/dark_events.csv', None, 'Header3Telemetry')
    """
    config = config if config is not None else current_registry().config
    events, hdr3, aacccdpt = _placed(config, "events"), _placed(config, "hdr3"), _placed(config, "aacccdpt")
    return DarkInputs(
        events=None if events is None else EventTable(path=events, setting="dark.events"),
        hdr3=_telemetry(config) if hdr3 is None else TemperatureTable(path=hdr3, setting="dark.hdr3"),
        aacccdpt=None if aacccdpt is None else TemperatureTable(path=aacccdpt, setting="dark.aacccdpt"),
        temperature_range=config.dark.temperature_range,
    )


def checked_inputs(what: str, inputs: DarkInputs | None) -> DarkInputs:
    """Return the inputs that a function was given, or those of the configuration in force.

    Parameters
    ----------
    what : str
        The function, for the message.
    inputs : DarkInputs or None
        Its argument.

    Returns
    -------
    DarkInputs

    Raises
    ------
    DeclarationError
        It is something else. It is a ValueError.
    """
    if inputs is None:
        return dark_inputs()
    if not isinstance(inputs, DarkInputs):
        raise DeclarationError(what, "inputs", inputs, "DarkInputs, or nothing for those of the configuration")
    return inputs


def _telemetry(config: Config) -> Header3Telemetry | None:
    """Return the provider that asks the archive of a configuration; None where it can have no telemetry."""
    if not config.root:
        return None
    current = current_registry()
    registry = current if current.config == config else Registry(config)
    return Header3Telemetry(config=config) if registry.providing(ROLE) else None


def _placed(config: Config, key: str) -> Path | None:
    path = getattr(config.dark, key)
    if path is None:
        return None
    try:
        return config.placed(path)[0]
    except ValueError as error:
        raise ConfigError([ConfigProblem(config.blamed("dark", key), f"dark.{key}", str(error))]) from None
