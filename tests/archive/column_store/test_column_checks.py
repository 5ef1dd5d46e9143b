"""What `aca verify` says of a column store, and that repairing it brings it back."""

import h5py
import numpy as np
import pytest
from column_days import plain, story

from aca_core.archive.column_store import checking
from aca_core.archive.events import Undelivered, changes_of
from aca_core.archive.repair import repair

TEN = np.arange(0, 40, 4)


@pytest.fixture
def followed(site):
    site.span = story(site)
    site.follow(site.update())
    site.expected = plain(site.read(*site.span))
    return site


def test_a_sound_store_is_no_finding(followed):
    assert followed.problems() == followed.problems(full=True) == []


def test_an_archive_that_nobody_keeps_as_columns_is_no_finding(site):
    site.put("2021:030:10:00:00", TEN)
    site.update()
    assert site.problems(full=True) == []


def values_of(path, column="IMG"):
    """Return where in a piece the values of a column lie, and how many bytes."""
    with h5py.File(path) as file:
        found = []
        file.visit(lambda name: found.append(name) if name.endswith(f"/columns/{column}") else None)
        data = next(file[name].id for name in found if file[name].size)
        return data.get_offset(), data.get_storage_size()


def flip(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 0xFF
    path.write_bytes(content)


def lose_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def say_something_else(path):
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = np.bytes_(b"aca_core columns 7")


def say_it_oddly(path):
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = np.arange(3)


def hold_something_else(path):
    path.write_bytes(b"SIMPLE  =                    T" * 100)


def lose_a_row(path):
    with h5py.File(path, "r+") as file:
        flags = file["slot_0/size_2/0/columns/FLAG"]
        values = flags[:-1]
        del file["slot_0/size_2/0/columns/FLAG"]
        file["slot_0/size_2/0/columns/FLAG"] = values
        file["slot_0/size_2/0/columns/FLAG"].attrs["crc32"] = 0


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lose_half, "cannot be opened"),
        (say_something_else, "says of its format 'aca_core columns 7'; expected 'aca_core columns 1'"),
        (say_it_oddly, "says of its format array"),
        (hold_something_else, "cannot be opened"),
    ],
)
def test_a_damaged_piece_is_found_by_a_quick_look_and_made_again(followed, damage, words):
    damage(followed.piece("2021/month-01.h5"))
    problems = followed.problems()
    assert problems[0].startswith("columns/2021/month-01.h5: ")
    assert words in problems[0]
    assert [each.partition(" has not")[0] for each in problems[1:]] == [
        "columns/2021/030.h5:",
        "columns/2021/031.h5:",
    ], "which files have no rows in the store now"
    found = repair(followed.archive.stores[0])
    assert {each.kind for each in found} == {"columns"}
    assert found.problems == []
    assert followed.problems(full=True) == []
    assert followed.pieces == ["2021/032.h5", "2021/033.h5", "2021/month-01.h5"]
    groups = followed.read(*followed.span)
    assert plain(groups) == followed.expected
    assert all(group.from_store == len(group.files) for group in groups)


@pytest.mark.parametrize("damage", [lambda path: flip(path, values_of(path)[0] + 3), lose_a_row])
def test_values_that_have_changed_are_found_by_a_full_look_only(followed, damage):
    damage(followed.piece("2021/032.h5"))
    assert followed.problems() == []
    (problem,) = followed.problems(full=True)
    assert problem.startswith("columns/2021/032.h5: slot_0/size_2/0/columns/")
    assert "has other values than were written" in problem or "has 9 rows; expected 10" in problem
    assert repair(followed.archive.stores[0], full=True).problems == []
    assert followed.problems(full=True) == []
    assert plain(followed.read(*followed.span)) == followed.expected


def test_every_byte_that_is_flipped_is_found_or_harmless(followed):
    """Not one leads to another error, or to another answer that a full look does not find."""
    path = followed.piece("2021/033.h5")
    whole = path.read_bytes()
    rng = np.random.default_rng(7)
    offset, size = values_of(path)
    places = {*range(0, len(whole), 211), *rng.integers(0, len(whole), 40).tolist(), offset, offset + size - 1}
    found = 0
    for place in sorted(places):
        flip(path, place)
        problems = followed.problems(full=True)
        right = plain(followed.read(*followed.span)) == followed.expected
        assert right or problems, f"byte {place} changes the answer, and nobody says so"
        found += bool(problems)
        path.write_bytes(whole)
    assert found > len(places) / 3
    assert followed.problems(full=True) == []


def test_a_piece_that_lacks_files_is_found_and_completed(followed):
    followed.put("2021:032:12:00:00", TEN)
    followed.put("2021:032:13:00:00", TEN)
    followed.put("2021:040:13:00:00", TEN)
    followed.update()
    assert [each.split("N001")[0] for each in followed.problems()] == [
        "columns/2021/032.h5: has not the rows of tlmf728568069",
        "columns/2021/040.h5: has not the rows of tlmf729262869",
    ]
    assert "and 1 more" in followed.problems()[0]
    assert repair(followed.archive.stores[0]).problems == []
    assert followed.problems(full=True) == []


def test_what_somebody_is_yet_to_be_told_is_no_finding_but_what_he_has_refused_is(followed, monkeypatch):
    followed.put("2021:032:12:00:00", TEN)
    followed.update()
    followed.put("2021:040:13:00:00", TEN)
    followed.update()
    assert len(followed.problems()) == 2

    def waiting(changes, reason=""):
        found = Undelivered(subscriber="x", changes=changes, reason=reason)
        monkeypatch.setattr(checking, "undelivered", lambda store: [found])
        return [each.partition(":")[0] for each in followed.problems()]

    assert len(changes_of(followed.archive.stores[0])) == 6
    assert waiting(2) == []
    assert waiting(1) == ["columns/2021/032.h5"], "only the last change is still to be told"
    assert waiting(2, "the disk was full") == ["columns/2021/032.h5", "columns/2021/040.h5"]


def test_what_is_written_while_one_looks_is_no_finding(followed, monkeypatch):
    followed.put("2021:032:12:00:00", TEN)
    changes = followed.update()
    real, waiting = checking.files_of_month, list(changes)

    def files_of_month(*arguments):
        files = real(*arguments)
        followed.follow([waiting.pop()] if waiting else [])
        return files

    monkeypatch.setattr(checking, "files_of_month", files_of_month)
    assert followed.problems() == []


def test_a_piece_that_is_gone_is_made_again_by_repair(followed):
    followed.piece("2021/032.h5").unlink()
    (problem,) = followed.problems()
    assert problem.startswith("columns/2021/032.h5: has not the rows of ")
    repair(followed.archive.stores[0])
    assert followed.problems(full=True) == []
    assert "2021/032.h5" in followed.pieces


def test_files_of_others_in_the_folder_are_left_alone(followed):
    for name in ("2021/notes.txt", "2021/400.h5", "2021/month-13.h5", "readme"):
        followed.piece(name).write_text("by hand")
    followed.keeper.rebuild(anew=True)
    followed.keeper.compact()
    assert followed.problems(full=True) == []
    assert plain(followed.read(*followed.span)) == followed.expected
    assert followed.piece("2021/400.h5").read_text() == "by hand"
