"""The errors that aca_core raises on purpose: one root, and as few children as callers tell apart.

Every class keeps the values behind its message as attributes, so that a program can act on them, and
writes a message that names the argument or the file, the value, what was expected and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "AcaError",
    "AcaWarning",
    "ConfigError",
    "ConfigProblem",
    "DateError",
    "DeclarationError",
    "IntegrityError",
    "LockedError",
    "MissingDataError",
    "PluginError",
    "ProductVersionError",
    "RetrievalError",
    "UnknownNameError",
    "did_you_mean",
    "message_of",
]


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name nearest to `name`, or an empty string.

    Parameters
    ----------
    name : object
        What was given.
    known : iterable of str
        The names that exist.

    Returns
    -------
    str
        A sentence with a leading blank, ready to follow another sentence, or ``""``.

    Examples
    --------
    >>> did_you_mean("aspl", ["asp1", "obspar"])
    " Did you mean 'asp1'?"
    >>> did_you_mean("zzz", ["asp1", "obspar"])
    ''
    """
    matches = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" Did you mean {matches[0]!r}?" if matches else ""


class AcaError(Exception):
    """The root of everything that aca_core raises on purpose.

    Examples
    --------
    >>> from aca_core import AcaError
    >>> from aca_core.dates import to_secs
    >>> try:
    ...     to_secs("2013:366")
    ... except AcaError:
    ...     print("not a date")
    not a date
    """

    # Errors cross process boundaries: rebuild them from message and attributes, not by calling __init__.
    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(cls: type[AcaError], args: tuple[Any, ...], attributes: dict[str, Any]) -> AcaError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class AcaWarning(UserWarning):
    """Something about a result that its reader has to know, such as inputs that were clipped or ignored.

    It is issued by `warnings.warn`, so that Python's filters decide what becomes of it.
    """


class ConfigProblem(NamedTuple):
    """One thing that is wrong with a configuration.

    Parameters
    ----------
    source : str
        Where the value came from: a file's path, ``environment variable ACA_DATA``, ``argument`` …
    key : str
        The dotted key, for example ``sets.nightly.jobs``; empty when the file as a whole is meant.
    text : str
        What is wrong, what was expected and what to do.
    """

    source: str
    key: str
    text: str

    def __str__(self) -> str:
        place = f"{self.source}: {self.key}" if self.key else self.source
        return f"{place}: {self.text}"


class ConfigError(AcaError):
    """The configuration cannot be used.

    Parameters
    ----------
    problems : sequence of ConfigProblem
        Everything that was found to be wrong, at least one.

    Attributes
    ----------
    problems : tuple of ConfigProblem
        The same, for programs; the message shows the first and counts the rest.
    """

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        text = str(self.problems[0])
        more = len(self.problems) - 1
        if more:
            text += f" (and {more} more; 'aca config check' lists them all)"
        super().__init__(text)


class DateError(AcaError, ValueError):
    """A value is not a date that aca_core understands.

    Parameters
    ----------
    value : object
        What was given.
    problem : str
        What is wrong with it and what was expected.
    """

    def __init__(self, value: object, problem: str) -> None:
        self.value = value
        self.problem = problem
        super().__init__(f"{_shown(value)} is not a usable date: {problem}")


class DeclarationError(AcaError, ValueError):
    """A plugin's declaration has a field that cannot be right.

    Parameters
    ----------
    what : str
        The declaration, for example ``ArchiveProduct 'sim1'``.
    field : str
        The name of the field.
    value : object
        Its value.
    expected : str
        What would be right.
    """

    def __init__(self, what: str, field: str, value: object, expected: str) -> None:
        self.what = what
        self.field = field
        self.value = value
        self.expected = expected
        super().__init__(f"{what}: {field} is {_shown(value)}; expected {expected}")


class IntegrityError(AcaError, ValueError):
    """A file is damaged, or is not what its name or its place says.

    Parameters
    ----------
    path : path-like
        The file.
    problem : str
        What is wrong with it, what was expected and what to do.
    """

    def __init__(self, path: str | Path, problem: str) -> None:
        self.path = str(path)
        self.problem = problem
        super().__init__(f"{self.path}: {problem}")


class MissingDataError(AcaError, LookupError):
    """What was asked for does not exist in the data, although the question was a proper one."""


class LockedError(AcaError):
    """Somebody else writes to a product of an archive, and did not end while we waited.

    Parameters
    ----------
    path : path-like
        The product's folder.
    holder : str
        Who holds the lock as far as is known, such as ``pid 123 on host since 2021:001``; for people only.
    waited : float
        How long we waited, s.
    """

    def __init__(self, path: str | Path, holder: str, waited: float) -> None:
        self.path = str(path)
        self.holder = holder
        self.waited = waited
        text = f"is being written to by {holder or 'another process'}, after {waited:.0f} s of waiting"
        super().__init__(f"{self.path}: {text}; wait for it to end, or wait longer with --wait")


class ProductVersionError(MissingDataError):
    """There is no such version of an observation's products where they come from.

    Parameters
    ----------
    product : str
        Name of the product.
    obsid : int
        Which observation.
    version : str or int
        ``default``, ``last`` or the number that was asked for.
    """

    def __init__(self, product: str, obsid: int, version: str | int) -> None:
        self.product = product
        self.obsid = obsid
        self.version = version
        what = {"default": "released version", "last": "version"}.get(str(version), f"version {version}")
        super().__init__(f"obsid {obsid} has no {what} of {product} where it is retrieved from")


class PluginError(AcaError):
    """A plugin broke its contract, or a plugin that is needed could not be loaded.

    Parameters
    ----------
    plugin : str
        The plugin's id and version as shown by ``aca plugins``, for example ``aca-sim:sim1 1.2``.
    reason : str
        What went wrong and how to mend it, in one line.
    """

    def __init__(self, plugin: str, reason: str) -> None:
        self.plugin = plugin
        self.reason = reason
        super().__init__(f"plugin {plugin}: {reason}")


class RetrievalError(AcaError):
    """A retriever or a catalogue could not answer.

    Parameters
    ----------
    source : str
        The retriever or catalogue, by name.
    request : object
        What was asked of it.
    problem : str
        What happened.
    permanent : bool, default False
        Whether asking again is of no use: the question is not one that is answered here.
    unavailable : bool, default False
        Whether nothing at all can be had from there now, as from a mount that is absent: an update then ends, and
        nothing is held against the single observations.
    """

    def __init__(
        self, source: str, request: object, problem: str, *, permanent: bool = False, unavailable: bool = False
    ) -> None:
        self.source = source
        self.request = request
        self.problem = problem
        self.permanent = permanent
        self.unavailable = unavailable
        super().__init__(f"{source} could not answer {request}: {problem}")


class UnknownNameError(AcaError, LookupError):
    """Nothing of that name exists.

    Parameters
    ----------
    noun : str
        The kind of thing, in the words of the user: ``archive product``.
    name : object
        The name that was given.
    known : collection of str
        The names that exist.
    hint : str, optional
        A further sentence: what to run, or which plugin failed to load.
    """

    def __init__(self, noun: str, name: object, known: Collection[str], hint: str = "") -> None:
        self.noun = noun
        self.name = name
        self.known = tuple(sorted(known))
        self.hint = hint
        names = ", ".join(self.known) if self.known else "none"
        text = f"no {noun} is named {_shown(name)}.{did_you_mean(name, self.known)} Known: {names}."
        super().__init__(f"{text} {hint}".rstrip())


def message_of(error: BaseException) -> str:
    """Return the message of anybody's error in one line, empty where it has none that can be had.

    Parameters
    ----------
    error : BaseException
        Anything. Validators of attrs put the field itself behind their message; only the message is returned.

    Returns
    -------
    str

    Examples
    --------
    >>> message_of(KeyError("root"))
    "'root'"
    """
    try:
        fields = len(error.args) > 1 and type(error.args[1]).__module__.split(".")[0] == "attr"
        return " ".join(str(error.args[0] if fields else error).split())
    except Exception:  # somebody's own exception, whose text raises in turn
        return ""


def _shown(value: object, limit: int = 80) -> str:
    """Return a one-line repr that fits in a message, whatever the value is."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a repr of somebody else's, or an integer with more digits than Python writes
        text = f"something of type {type(value).__name__}"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
