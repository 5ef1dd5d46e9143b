"""Frozen mappings: copies that nobody can change, that hash, compare and travel."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aca_core._frozen import FrozenMapping, freeze

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
TABLES = st.dictionaries(st.text(max_size=5), NESTED, max_size=4)


def thawed(value):
    """Return frozen mappings as dicts again, and tuples as lists."""
    if isinstance(value, FrozenMapping):
        return {key: thawed(item) for key, item in value.items()}
    return [thawed(item) for item in value] if isinstance(value, tuple) else value


def test_a_frozen_mapping_reads_like_the_dict_it_was_made_of():
    words = FrozenMapping({"probe": "obspar", "fetch": "asp1"})
    assert words["probe"] == "obspar"
    assert list(words) == ["probe", "fetch"]
    assert len(words) == 2
    assert words == {"fetch": "asp1", "probe": "obspar"}
    assert words != {"probe": "obspar"}
    assert repr(words) == "{'probe': 'obspar', 'fetch': 'asp1'}"
    assert words == FrozenMapping([("probe", "obspar"), ("fetch", "asp1")])
    assert FrozenMapping() == {}
    with pytest.raises(KeyError, match="'also'"):
        words["also"]


def test_a_frozen_mapping_cannot_be_changed():
    original = {"probe": "obspar"}
    words = FrozenMapping(original)
    with pytest.raises(TypeError, match="does not support item assignment"):
        words["probe"] = "asp1"
    with pytest.raises(TypeError, match="does not support item deletion"):
        del words["probe"]
    with pytest.raises(AttributeError, match="a FrozenMapping cannot be changed; make a new one to set 'probe'"):
        words.probe = "asp1"
    with pytest.raises(AttributeError, match="cannot be changed"):
        words._items = {}
    assert not {"update", "pop", "clear", "setdefault", "__dict__"} & set(dir(words))
    original["probe"] = "asp1"
    assert words == {"probe": "obspar"}


@given(TABLES)
def test_what_is_frozen_keeps_its_values_all_the_way_down(table):
    frozen = freeze(table)
    assert thawed(frozen) == table
    assert list(frozen) == list(table)
    assert freeze(frozen) == frozen


@given(TABLES)
def test_what_is_frozen_hashes_and_travels(table):
    frozen = freeze(table)
    turned = freeze(dict(reversed(table.items())))
    assert turned == frozen
    assert hash(turned) == hash(frozen)
    for twin in (pickle.loads(pickle.dumps(frozen)), copy.deepcopy(frozen), copy.copy(frozen)):
        assert isinstance(twin, FrozenMapping)
        assert twin == frozen
        assert hash(twin) == hash(frozen)


def test_freezing_copies_what_could_change_and_nothing_else():
    also, marker = ["pipelog"], object()
    table = {"arc5gl": {"also": also}, "marker": marker, "pair": (1, [2])}
    frozen = freeze(table)
    also.append("more")
    table["arc5gl"]["probe"] = "asp1"
    assert frozen["arc5gl"] == {"also": ("pipelog",)}
    assert isinstance(frozen["arc5gl"], FrozenMapping)
    assert frozen["pair"] == (1, (2,))
    assert frozen["marker"] is marker


def test_a_mapping_of_what_cannot_be_hashed_does_not_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(FrozenMapping({"also": ["pipelog"]}))
