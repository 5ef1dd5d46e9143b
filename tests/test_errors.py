"""Errors: few, with messages that help, values for programs, and fit to leave a worker process."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest
from aca_plugins.asp1 import ASP1
from hypothesis import given
from hypothesis import strategies as st

from aca_core import Column, DatedTree, ObsidRequest, errors
from aca_core.dates import to_secs
from aca_core.errors import (
    AcaError,
    ConfigError,
    ConfigProblem,
    DateError,
    DeclarationError,
    IntegrityError,
    LockedError,
    MissingDataError,
    PluginError,
    ProductVersionError,
    RetrievalError,
    UnknownNameError,
    did_you_mean,
)

PROBLEMS = [
    ConfigProblem("/etc/aca.toml", "sets.nightly.jobs", "is 'many'; expected a whole number"),
    ConfigProblem("environment variable ACA_DATA", "", "is empty"),
    ConfigProblem("argument", "root", "is 3; expected a path"),
]

# One of each, with the message that a user reads.
EVERY = [
    (AcaError("it went wrong"), "it went wrong"),
    (
        ConfigError(PROBLEMS),
        "/etc/aca.toml: sets.nightly.jobs: is 'many'; expected a whole number"
        " (and 2 more; 'aca config check' lists them all)",
    ),
    (DateError("2013:366", "2013 has 365 days"), "'2013:366' is not a usable date: 2013 has 365 days"),
    (
        DeclarationError("ArchiveProduct 'sim1'", "key", ["slot"], "columns of the schema"),
        "ArchiveProduct 'sim1': key is ['slot']; expected columns of the schema",
    ),
    (IntegrityError("a/b.fits", "is empty; fetch it again"), "a/b.fits: is empty; fetch it again"),
    (
        LockedError("asp1", "process 12 on ops since 2021:001:00:00:00.000", 60.0),
        "asp1: is being written to by process 12 on ops since 2021:001:00:00:00.000, after 60 s of waiting;"
        " wait for it to end, or wait longer with --wait",
    ),
    (MissingDataError("no dark calibration before 1999:223"), "no dark calibration before 1999:223"),
    (PluginError("aca-sim:sim1 1.2", "it has no hook"), "plugin aca-sim:sim1 1.2: it has no hook"),
    (
        ProductVersionError("asp1", 8011, "default"),
        "obsid 8011 has no released version of asp1 where it is retrieved from",
    ),
    (
        RetrievalError("arc5gl", ObsidRequest(product=ASP1, obsid=6000), "the prompt did not come"),
        "arc5gl could not answer asp1 of obsid 6000, version default: the prompt did not come",
    ),
    (
        UnknownNameError("archive product", "aspl", ["obspar", "asp1"], "Run 'aca plugins'."),
        "no archive product is named 'aspl'. Did you mean 'asp1'? Known: asp1, obspar. Run 'aca plugins'.",
    ),
]
IDS = [type(error).__name__ for error, _ in EVERY]


def test_every_error_is_here_and_has_one_root():
    assert {*IDS, "AcaWarning", "ConfigProblem", "did_you_mean", "message_of"} == set(errors.__all__)
    assert all(isinstance(error, AcaError) for error, _ in EVERY)
    # Callers who expect the builtin kind catch ours too.
    assert issubclass(DateError, ValueError)
    assert issubclass(DeclarationError, ValueError)
    assert issubclass(IntegrityError, ValueError)
    assert issubclass(MissingDataError, LookupError)
    assert issubclass(ProductVersionError, MissingDataError)
    assert issubclass(UnknownNameError, LookupError)
    assert issubclass(errors.AcaWarning, UserWarning)


@pytest.mark.parametrize(("error", "message"), EVERY, ids=IDS)
def test_the_message_says_what_where_and_what_to_do(error, message):
    assert str(error) == message


@pytest.mark.parametrize("error", [error for error, _ in EVERY], ids=IDS)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_arrives_as_it_was_sent(error, protocol):
    error = copy.copy(error)
    error.add_note("seen in worker 3")
    arrived = pickle.loads(pickle.dumps(error, protocol))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)
    assert arrived.__notes__ == ["seen in worker 3"]


class ShelfError(AcaError):
    """What a plugin might write: other arguments than its message has, one of them by name only."""

    def __init__(self, shelf, *, board):
        self.shelf = shelf
        self.board = board
        super().__init__(f"shelf {shelf} has no board {board}")


def test_the_error_of_a_plugin_travels_without_help():
    arrived = pickle.loads(pickle.dumps(ShelfError("north", board=7)))
    assert str(arrived) == "shelf north has no board 7"
    assert (arrived.shelf, arrived.board) == ("north", 7)


def test_errors_come_out_of_worker_processes(tmp_path):
    tree = DatedTree(name="night", root=tmp_path / "none", image_file="map.fits")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        date, column, ids = pool.submit(to_secs, "soon"), pool.submit(Column, "Slot"), pool.submit(tree.ids)
    with pytest.raises(DateError, match=r"^'soon' is not a usable date: ") as caught:
        date.result()
    assert caught.value.value == "soon"
    with pytest.raises(DeclarationError, match=r"^Column: name is 'Slot'; expected a lower-case identifier") as caught:
        column.result()
    assert (caught.value.what, caught.value.field, caught.value.value) == ("Column", "name", "Slot")
    with pytest.raises(
        MissingDataError, match=r"^dark source 'night': there is no folder: .*none; set root of \[dark_sources\.night\]"
    ):
        ids.result()


def test_the_values_behind_the_message_are_kept(tmp_path):
    assert ConfigError(iter(PROBLEMS)).problems == tuple(PROBLEMS)
    error = IntegrityError(tmp_path / "a.fits", "is empty")
    assert (error.path, error.problem) == (str(tmp_path / "a.fits"), "is empty")
    error = UnknownNameError("dark source", "moon", {"ska", "mica"})
    assert (error.noun, error.name, error.known, error.hint) == ("dark source", "moon", ("mica", "ska"), "")
    error = RetrievalError("folder", "asp1", "it is full")
    assert (error.source, error.request, error.problem) == ("folder", "asp1", "it is full")


def test_a_configuration_error_counts_what_it_does_not_show():
    assert str(ConfigError(PROBLEMS[:1])) == str(PROBLEMS[0])
    assert str(ConfigError(PROBLEMS[1:])) == (
        "environment variable ACA_DATA: is empty (and 1 more; 'aca config check' lists them all)"
    )


def test_where_nothing_is_known_the_message_says_so():
    assert str(UnknownNameError("guide model", "sota", [])) == "no guide model is named 'sota'. Known: none."


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("aspl", " Did you mean 'asp1'?"),
        ("obspars", " Did you mean 'obspar'?"),
        ("asp1", " Did you mean 'asp1'?"),
        ("zzz", ""),
        ("", ""),
        (7, ""),
        (None, ""),
    ],
)
def test_the_nearest_name_is_suggested_or_none(name, suggestion):
    assert did_you_mean(name, (each for each in ["asp1", "obspar"])) == suggestion


def test_nothing_is_suggested_where_nothing_is_known():
    assert did_you_mean("asp1", []) == ""


@given(st.text() | st.lists(st.integers(), min_size=50) | st.binary(min_size=100))
def test_no_value_floods_or_breaks_the_line_of_a_message(value):
    for error in (DateError(value, "no"), DeclarationError("Column", "name", value, "x")):
        assert len(str(error)) < 130
        assert "\n" not in str(error)
