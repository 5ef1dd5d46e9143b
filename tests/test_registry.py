"""The registry: what is found, loaded, kept apart, settled, bound and told."""

from __future__ import annotations

import logging
import pickle
import re
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aca_core
from aca_core import Change, Config, ConfigError, ObsidRevision, PluginError, Registry, UnknownNameError
from aca_core._conflicts import settle
from aca_core.config import PluginSettings

BROKEN = sorted((Path(__file__).parent / "broken_plugins").glob("*.py"))

DARK_SOURCE = """
from pathlib import Path
from aca_core import DatedTree, hookimpl

@hookimpl
def aca_dark_sources():
    return [DatedTree(name={name!r}, root=Path("darks"), image_file="map.fits")]
"""

SUBSCRIBER = """
from aca_core import hookimpl

seen = []

@hookimpl
def aca_committed(change):
    seen.append(change)
    {then}
"""

SHIPPED = (
    "aca0",
    "asp1",
    "column-store",
    "directory",
    "file",
    "grid",
    "mica-dark",
    "obspar",
    "ska-dark",
    "sota-2013",
    "sota-2017",
    "spline-2018",
)
BUILT_IN = tuple(f"aca-core:{name}" for name in SHIPPED)


def registry_with(**plugins) -> Registry:
    return Registry(Config(plugins=PluginSettings(**plugins)))


def statuses(registry: Registry) -> dict[str, str]:
    return {info.id: info.status for info in registry.plugins}


def directive(path: Path, name: str) -> str | None:
    found = re.search(rf"^# {name}: (.*)$", path.read_text(), re.MULTILINE)
    return found[1] if found else None


# ---- what is shipped ------------------------------------------------------------------------------------------------


def test_built_ins_come_through_the_same_door_as_anyones():
    registry = Registry()
    assert statuses(registry) == dict.fromkeys(BUILT_IN, "loaded")
    info = registry.plugin("asp1")
    assert (info.distribution, info.value, info.offers) == ("aca-core", "aca_plugins.asp1", ("archive product asp1",))
    assert info.load_ms > 0
    assert [product.name for product in registry.offers(aca_core.ArchiveProduct)] == ["aca0", "asp1", "obspar"]
    assert [product.name for product in registry.providing("obsid-times")] == ["obspar"]


def test_every_built_in_can_be_disabled_by_name_or_by_id():
    registry = registry_with(disable=("aca-core:obspar", *(name for name in SHIPPED if name != "obspar")))
    assert statuses(registry) == dict.fromkeys(BUILT_IN, "disabled")
    assert registry.offers(aca_core.Offer) == ()
    with pytest.raises(UnknownNameError, match=r"Known: none.*Not in use: .*aca-core:asp1 \(disabled\)"):
        registry.product("asp1")


def test_an_unknown_name_tells_the_nearest_and_what_did_not_load(install_plugin, warnings_of_core):
    install_plugin("sim1", "1 / 0", distribution="aca-sim")
    with pytest.raises(UnknownNameError) as caught:
        Registry().product("asp")
    assert str(caught.value) == (
        "no archive product is named 'asp'. Did you mean 'asp1'? Known: aca0, asp1, obspar. "
        "Run 'aca plugins' to see what is installed. Not in use: aca-sim:sim1 (failed)."
    )
    assert caught.value.known == ("aca0", "asp1", "obspar")


@pytest.mark.parametrize(
    ("noun", "name", "plugin"),
    [("dark_source", "mica", "mica-dark"), ("catalogue", "file", "file"), ("acquisition model", "grid-floor", "grid")],
)
def test_an_unknown_name_tells_who_would_provide_it(noun, name, plugin):
    registry = registry_with(disable=(plugin,))
    ask = {"dark_source": registry.dark_source, "catalogue": registry.catalogue}.get(
        noun, lambda name: registry.model(name, "acquisition")
    )
    expected = rf"It should come from aca-core:{plugin}\. .*Not in use: aca-core:{plugin} \(disabled\)\."
    with pytest.raises(UnknownNameError, match=expected):
        ask(name)


def test_a_name_of_another_kind_is_told():
    with pytest.raises(UnknownNameError, match=r"'sota-2017' is the name of an acquisition model\."):
        Registry().model("sota-2017", "guide")


def test_an_offer_tells_which_plugin_it_is_of(install_plugin, tmp_path):
    install_plugin("night", DARK_SOURCE.format(name="night"), distribution="aca-night", version="2.1")
    registry = Registry(Config(root=[tmp_path]))
    assert str(registry.plugin_of(registry.dark_source("night"))) == "aca-night:night 2.1"
    assert registry.plugin_of(registry.dark_source("mica")).id == "aca-core:mica-dark"
    model = registry.model("sota-2013", "guide")
    assert registry.plugin_of(attrs.evolve(model, name="mine")).id == "aca-core:sota-2013"
    for stranger in (
        aca_core.DatedTree(name="elsewhere", root=tmp_path, image_file="map.fits"),  # a class of nobody's own
        type("Mine", (type(model),), {})(name="sota-2013", kind="guide"),
    ):
        with pytest.raises(UnknownNameError, match="no offer of a plugin is named"):
            registry.plugin_of(stranger)


# ---- third parties --------------------------------------------------------------------------------------------------


def test_an_installed_plugin_is_found_loaded_and_bound(install_plugin, tmp_path):
    (tmp_path / "second" / "elsewhere" / "2019272").mkdir(parents=True)
    install_plugin("night", DARK_SOURCE.format(name="night"), distribution="aca-night", version="2.1")
    config = Config(root=[tmp_path / "first", tmp_path / "second"], dark_sources={"night": {"root": "elsewhere"}})
    registry = Registry(config)
    info = registry.plugin("aca-night:night")
    assert (info.status, info.version, info.offers) == ("loaded", "2.1", ("dark source night",))
    # Calibrations are looked for below every root; what is written goes to the first.
    source = registry.dark_source("night")
    assert (source.root, source.other_roots) == (tmp_path / "first" / "elsewhere", (tmp_path / "second" / "elsewhere",))
    assert source.ids() == ("2019272",)
    # What was declared stays as it was.
    assert {source.name: source.root for source in registry.offers(aca_core.DarkSource)}["night"] == Path("darks")


def test_a_distributions_name_counts_in_its_canonical_form(install_plugin):
    install_plugin("night", DARK_SOURCE.format(name="night"), distribution="ACA_Night")
    assert Registry().plugin("night").id == "aca-night:night"


def test_an_object_can_be_added_for_one_program(tmp_path):
    class Plugin:
        @staticmethod
        @aca_core.hookimpl
        def aca_dark_sources():
            return [aca_core.DatedTree(name="own", root=tmp_path, image_file="map.fits")]

    registry = Registry()
    registry.add(Plugin, "own")
    assert registry.plugin("own").id == "program:own"
    assert registry.dark_source("own").root == tmp_path
    assert "program:own" not in statuses(Registry()), "another registry knows nothing of it"
    with pytest.raises(PluginError, match="before the registry is first used"):
        registry.add(Plugin, "late")
    with pytest.raises(TypeError, match="program:own"):
        pickle.dumps(registry)


def test_a_registry_travels_as_its_configuration(tmp_path):
    registry = Registry(Config(root=[tmp_path], plugins=PluginSettings(disable=("asp1",))))
    registry.load()
    again = pickle.loads(pickle.dumps(registry))
    assert again.config == registry.config
    assert statuses(again) == statuses(registry)


def test_threads_load_it_once(install_plugin):
    install_plugin("count", "import aca_core\nimport threading\nloads = []\n" + DARK_SOURCE.format(name="count"))
    registry = Registry()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(registry.plugins)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(answers) == 8
    assert all(each is answers[0] for each in answers)


# ---- what can be broken ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_plugin_is_set_aside_whole_and_says_why(path, install_plugin, warnings_of_core):
    healthy = install_plugin("healthy", DARK_SOURCE.format(name="healthy"), distribution="aca-healthy")
    value = directive(path, "value")
    requires = [text] if (text := directive(path, "requires")) else []
    source = None if value else path.read_text()
    broken = install_plugin(path.stem, source, distribution="aca-broken", version="1.2", requires=requires, value=value)
    expected_status = directive(path, "status") or "failed"

    registry = Registry()

    # The rest works, and nothing of the broken one remains.
    assert statuses(registry) == {**dict.fromkeys((*BUILT_IN, healthy), "loaded"), broken: expected_status}
    offered = [f"{offer.noun} {offer.name}" for offer in registry.offers(aca_core.Offer)]
    assert offered == sorted(
        [*(label for name in SHIPPED for label in registry.plugin(name).offers), "dark source healthy"]
    )
    assert registry.subscribers() == ("aca-core:asp1", "aca-core:column-store")
    info = registry.plugin(broken)
    assert info.offers == ()
    # The reason is one line that names value and fix; the warning names plugin, distribution and version.
    assert "\n" not in info.reason
    for fragment in (directive(path, "says") or "").split("|"):
        assert fragment in info.reason
    assert warnings_of_core() == [f"plugin aca-broken:{path.stem} 1.2 was set aside: {info.reason}"]
    assert bool(info.traceback) == (expected_status == "failed")
    # Once is enough.
    registry.plugins  # noqa: B018
    registry.offers(aca_core.Offer)
    assert len(warnings_of_core()) == 1


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_strictness_turns_any_of_them_into_an_error(path, install_plugin):
    value = directive(path, "value")
    requires = [text] if (text := directive(path, "requires")) else []
    install_plugin(
        path.stem, None if value else path.read_text(), distribution="aca-broken", requires=requires, value=value
    )
    with pytest.raises(PluginError, match=rf"plugin aca-broken:{path.stem} 1.0: "):
        registry_with(strict=True).load()


def test_a_metadata_file_that_cannot_be_read_costs_nobody_else(install_plugin, warnings_of_core):
    install_plugin("broken", "", distribution="aca-garbled")
    info = next(install_plugin.site.glob("aca_garbled*.dist-info"))
    (info / "entry_points.txt").write_text("[aca_core]\nthis line has no equals sign\n")
    found = {info.distribution: info for info in Registry().plugins}
    assert found["aca-garbled"].status == "failed"
    assert "entry_points.txt cannot be read" in found["aca-garbled"].reason
    assert found["aca-core"].status == "loaded"


def test_one_entry_point_name_twice_in_a_distribution(install_plugin, warnings_of_core):
    install_plugin("twin", DARK_SOURCE.format(name="first"), value="twin_a")
    install_plugin("twin", DARK_SOURCE.format(name="second"), value="twin_b")
    registry = Registry()
    assert [source.name for source in registry.offers(aca_core.DarkSource)] == ["first", "mica", "ska"]
    assert "declares this entry point twice" in warnings_of_core()[0]


def test_metadata_that_is_no_text_costs_nobody_else(install_plugin, warnings_of_core):
    install_plugin("broken", "", distribution="aca-binary")
    info = next(install_plugin.site.glob("aca_binary*.dist-info"))
    (info / "entry_points.txt").write_bytes(b"[aca_core]\nx = \xff\xfe\n")
    install_plugin(
        "odd", DARK_SOURCE.format(name="odd"), distribution="aca-odd", requires=["aca-core; python_version ~= 'abc'"]
    )
    found = statuses(Registry())
    assert found["aca-binary:"] == "failed"
    assert found["aca-core:asp1"] == "loaded"


def test_a_hook_may_be_implemented_twice_in_one_plugin(install_plugin):
    second = DARK_SOURCE.format(name="two").replace("@hookimpl", "@hookimpl(specname='aca_dark_sources')")
    more = DARK_SOURCE.format(name="one") + second.replace("def aca_dark_sources", "def more_sources")
    install_plugin("both", more)
    assert sorted(source.name for source in Registry().offers(aca_core.DarkSource)) == ["mica", "one", "ska", "two"]


def test_what_a_failed_plugin_did_to_the_process_is_undone(install_plugin, capsys, tmp_path):
    source = """
import logging, os, sys, warnings
print("hello from import")
os.chdir("/")
warnings.simplefilter("ignore")
logging.disable(50)
sys.stdout = sys.stderr = None
raise ValueError("after all that")
"""
    install_plugin("vandal", source)
    filters, stdout = warnings.filters[:], sys.stdout
    assert Registry().plugin("vandal").status == "failed"
    assert Path.cwd() == tmp_path
    assert warnings.filters[:] == filters
    assert logging.root.manager.disable == 0
    assert sys.stdout is stdout
    assert capsys.readouterr().out == "", "what a plugin prints is not the output of a command"


def test_registries_that_load_in_several_threads_leave_the_streams_alone(install_plugin):
    for seconds in (0.3, 0.6):
        name = f"slow{seconds * 10:.0f}"
        install_plugin(name, f"import time\ntime.sleep({seconds})\n" + DARK_SOURCE.format(name=name))
    stdout = sys.stdout
    threads = [threading.Thread(target=Registry().load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sys.stdout is stdout


def test_ctrl_c_while_a_plugin_loads_is_not_swallowed(install_plugin):
    install_plugin("slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Registry().load()


def test_a_requirement_that_is_met_or_does_not_apply_keeps_nobody_out(install_plugin):
    install_plugin(
        "night",
        DARK_SOURCE.format(name="night"),
        requires=["aca-core>=0.1", "aca_core>=99; python_version < '3'", "aca-core>=99; extra == 'future'", "numpy"],
    )
    assert Registry().plugin("night").status == "loaded"


# ---- whose a name is ------------------------------------------------------------------------------------------------


@pytest.fixture
def copy_of_asp1(install_plugin) -> str:
    source = (Path(aca_core.__file__).parents[1] / "plugins" / "aca_plugins" / "asp1" / "__init__.py").read_text()
    return install_plugin("asp1", source, distribution="aca-copy")


def test_a_name_that_the_core_ships_stays_with_it(copy_of_asp1, warnings_of_core):
    registry = Registry()
    assert statuses(registry)["aca-core:asp1"] == "loaded"
    assert registry.plugin("aca-copy:asp1").reason == (
        "'asp1' belongs to aca-core:asp1. To use aca-copy's, set [plugins.prefer] asp1 = \"aca-copy\""
    )
    with pytest.raises(UnknownNameError, match=r"no single plugin is named 'asp1'.*distribution:name"):
        registry.plugin("asp1")


@pytest.mark.parametrize("owner", ["aca-copy", "aca-copy:asp1", "ACA_Copy", "Aca.Copy:asp1"])
def test_the_configuration_may_prefer_another(copy_of_asp1, owner, warnings_of_core):
    registry = registry_with(prefer={"asp1": owner})
    assert statuses(registry) == {
        **dict.fromkeys(BUILT_IN, "loaded"),
        "aca-core:asp1": "conflict",
        "aca-copy:asp1": "loaded",
    }
    assert registry.product("asp1").name == "asp1"
    assert "which the configuration prefers" in registry.plugin("aca-core:asp1").reason
    assert warnings_of_core() == []
    assert registry_with(prefer={"asp1": owner}, strict=True).product("asp1").name == "asp1", "a choice is no failure"


def test_of_two_strangers_nobody_has_the_name(install_plugin, warnings_of_core):
    install_plugin("one", DARK_SOURCE.format(name="night"), distribution="aca-one")
    install_plugin("two", DARK_SOURCE.format(name="night"), distribution="aca-two")
    registry = Registry()
    assert [status for id_, status in statuses(registry).items() if id_ not in BUILT_IN] == ["conflict", "conflict"]
    assert len(warnings_of_core()) == 2
    with pytest.raises(UnknownNameError, match=r"It should come from aca-one:one or aca-two:two\."):
        registry.dark_source("night")
    chosen = registry_with(prefer={"night": "aca-two"})
    assert chosen.plugin("two").status == "loaded"


def test_one_name_may_be_used_for_different_kinds(install_plugin, tmp_path):
    install_plugin("night", DARK_SOURCE.format(name="asp1"))
    registry = Registry(Config(root=[tmp_path]))
    assert registry.dark_source("asp1").noun == "dark source"
    assert registry.product("asp1").noun == "archive product"


NAMES = st.sampled_from(["a", "b", "c", "d"])
PLUGINS = st.sampled_from(["aca-core:x", "p:1", "q:1", "r:1", "s:1"])


@given(claims=st.dictionaries(PLUGINS, st.sets(NAMES, min_size=1, max_size=3)), prefer=st.dictionaries(NAMES, PLUGINS))
def test_settling_leaves_one_owner_a_name_whatever_the_order(claims, prefer):
    keyed = {plugin: [("dark source", name) for name in names] for plugin, names in claims.items()}
    aside = settle(keyed, prefer)
    backwards = settle({plugin: keyed[plugin][::-1] for plugin in reversed(list(keyed))}, prefer)
    assert aside == backwards
    kept = {plugin: names for plugin, names in claims.items() if plugin not in aside}
    owned = [name for names in kept.values() for name in names]
    assert len(owned) == len(set(owned)), "two plugins kept one name"
    for plugin, names in claims.items():
        rivals = {other for other, theirs in claims.items() if other != plugin and theirs & names}
        assert plugin not in aside or rivals, "a plugin stands aside for nobody"
        if all(prefer.get(name) == plugin for name in names):
            assert plugin not in aside, "a plugin that is preferred for all its names stands aside"
    for each in aside.values():
        winner = each.reason.partition(" belongs to ")[2].partition(". To use ")[0].partition(",")[0]
        circle = not winner or winner in kept or winner in aside
        assert circle, "somebody stands aside for a plugin that is not there"


def test_who_lost_only_to_one_that_is_out_itself_stays():
    def source(name):
        return ("dark source", name)

    claims = {"aca-core:x": [source("a")], "p:1": [source("a"), source("b")], "q:1": [source("b")]}
    aside = settle(claims, {"b": "p"})
    assert set(aside) == {"p:1"}
    assert aside["p:1"].reason.startswith("'a' belongs to aca-core:x.")


def test_who_lost_to_one_of_two_that_tie_stays():
    def source(name):
        return ("dark source", name)

    claims = {"a:p": [source("x"), source("z")], "b:p": [source("x")], "d:p": [source("z")]}
    assert set(settle(claims, {"z": "a"})) == {"a:p", "b:p"}


def test_a_preference_may_be_for_one_kind_of_offer():
    claims = {"a:p": [("dark source", "x")], "b:p": [("dark source", "x")], "c:p": [("retriever", "x")]}
    claims["d:p"] = [("retriever", "x")]
    aside = settle(claims, {"dark source x": "a", "retriever x": "d"})
    assert set(aside) == {"b:p", "c:p"}
    assert all(each.by_choice for each in aside.values())


# ---- options of a site ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"discrad": ["*a*"]}, r"products.asp1.discrad: unknown key. Did you mean 'discard'\? Keys here: "),
        ({"discard": "*a*"}, r"products.asp1.discard: '\*a\*' is not an array of strings"),
        ({"discard": ["*a*", 3]}, r"products.asp1.discard\[1\]: 3 is not a string"),
        (
            {"bad_obsids": [1.5]},
            r"products.asp1.bad_obsids: \(1.5,\) is not an array of whole numbers, or a path in quotes",
        ),
        ({"name": "other"}, r"products.asp1.name: unknown key."),
    ],
)
def test_options_that_cannot_be_right_are_told_with_their_key(options, says):
    registry = Registry(Config(products={"asp1": options}))
    with pytest.raises(ConfigError, match=says):
        registry.product("asp1")
    assert registry.product("obspar").name == "obspar", "nobody else pays for it"


def test_paths_need_the_root_that_they_are_relative_to(install_plugin, tmp_path):
    install_plugin("night", DARK_SOURCE.format(name="night"))
    install_plugin("ska", DARK_SOURCE.format(name="old").replace('"darks"', '"{ska}/data/darks"'))
    with pytest.raises(ConfigError, match="darks is relative to the archive root, and none is configured"):
        Registry().dark_source("night")
    with pytest.raises(ConfigError, match="lies in the Ska tree, and none is configured"):
        Registry().dark_source("old")
    assert Registry(Config(ska=tmp_path)).dark_source("old").root == tmp_path / "data" / "darks"


VALIDATED = """
import attrs
from aca_core import ProbabilityModel, hookimpl, site_option

def _positive(instance, attribute, value):
    if value <= 0:
        raise ValueError(f"{attribute.name} is {value}; expected more than 0")

@attrs.frozen(kw_only=True)
class Straight(ProbabilityModel):
    slope: float = site_option(1.0, help="per mag", validator=_positive)
    def success(self, stars):
        return self.slope * stars.mag

@hookimpl
def aca_probability_models():
    return [Straight(name="straight", kind=kind, label="a line") for kind in ("acquisition", "guide")]
"""


def test_a_plugins_own_validator_speaks_through_the_configuration(install_plugin):
    install_plugin("straight", VALIDATED)
    bound = Registry(Config(models={"straight": {"slope": 2}})).model("straight", "guide")
    assert bound.slope == 2.0
    assert isinstance(bound.slope, float)
    wrong = Registry(Config(models={"straight": {"slope": -1.0}}))
    with pytest.raises(
        ConfigError,
        match=r"models.straight.slope: refused by guide model 'straight': slope is -1.0; expected more than 0",
    ):
        wrong.model("straight", "guide")


def test_there_are_two_kinds_of_models():
    with pytest.raises(UnknownNameError, match=r"no kind of model is named 'acq'.*Known: acquisition, guide"):
        Registry().model("sota-2013", "acq")


def test_models_that_share_a_name_share_a_table(install_plugin):
    two = VALIDATED.replace('kind=kind, label="a line") for kind in ("acquisition", "guide")]', "kind='guide')]")
    two += """
@attrs.frozen(kw_only=True)
class Bent(ProbabilityModel):
    knee: float = site_option(10.0, help="mag")
    def success(self, stars):
        return stars.mag / self.knee

@hookimpl
def aca_probability_models():
    return [Straight(name="straight", kind="guide"), Bent(name="straight", kind="acquisition")]
"""
    install_plugin("straight", two)
    table = {"label_width": 3, "guide": {"slope": 2.0}, "acquisition": {"knee": 9.5}}
    registry = Registry(Config(models={"straight": table}))
    with pytest.raises(ConfigError, match=r"models.straight.label_width: unknown key"):
        registry.model("straight", "guide")
    del table["label_width"]
    registry = Registry(Config(models={"straight": table}))
    assert registry.model("straight", "guide").slope == 2.0
    assert registry.model("straight", "acquisition").knee == 9.5
    both = Registry(Config(models={"straight": {"slope": 3.0, "guide": {"slope": 2.0}}}))
    assert both.model("straight", "guide").slope == 2.0
    table["acquisition"] = {"kneee": 1.0}
    with pytest.raises(ConfigError, match=r"models.straight.acquisition.kneee: unknown key. Did you mean 'knee'"):
        Registry(Config(models={"straight": table})).model("straight", "acquisition")


def test_an_annotation_that_exists_for_type_checkers_only_is_told_to_its_author(install_plugin):
    source = """
from __future__ import annotations
from typing import TYPE_CHECKING
import attrs
from aca_core import DatedTree, hookimpl, site_option
if TYPE_CHECKING:
    from decimal import Decimal

@attrs.frozen(kw_only=True)
class Odd(DatedTree):
    weight: Decimal = site_option(1, help="a number")

@hookimpl
def aca_dark_sources():
    return [Odd(name="odd", root="/tmp", image_file="map.fits")]
"""
    install_plugin("odd", source)
    assert (
        "annotation of weight is 'Decimal'; expected a type that exists at run time" in Registry().plugin("odd").reason
    )


# ---- events ---------------------------------------------------------------------------------------------------------


def test_every_subscriber_hears_of_a_change_although_one_raises(install_plugin):
    good = install_plugin("good", SUBSCRIBER.format(then="return None"), value="hears_well")
    bad = install_plugin("bad", SUBSCRIBER.format(then="raise BaseException('disk is full')"), value="hears_badly")
    install_plugin("deaf", DARK_SOURCE.format(name="deaf"))
    registry = Registry()
    change = Change(product="asp1", unit=ObsidRevision(6000, 3), added=["a.fits"], default_before=2, default_after=3)

    failed = registry.publish(change)

    assert registry.subscribers() == ("aca-core:asp1", "aca-core:column-store", bad, good)
    assert sys.modules["hears_well"].seen == sys.modules["hears_badly"].seen == [change]
    assert list(failed) == [bad]
    assert str(failed[bad]) == (
        "plugin aca-test:bad 1.0: could not handle the change of asp1 06000_v03: "
        "BaseException: disk is full (hears_badly.py, line 9)"
    )
    assert type(failed[bad].__cause__) is BaseException


def test_a_subscriber_that_is_gone_is_named(install_plugin):
    for absent in ("aca-gone:x", "aca-core:obspar"):
        with pytest.raises(UnknownNameError, match=f"no subscriber is named '{absent}'"):
            Registry().deliver(Change(product="asp1", unit=ObsidRevision(1, 1)), absent)
    with pytest.raises(UnknownNameError, match="no subscriber is named 'aca-gone:x'"):
        Registry().deliver(Change(product="asp1", unit=ObsidRevision(1, 1)), "aca-gone:x")


def test_two_registries_do_not_share_what_they_disable(install_plugin):
    install_plugin("night", DARK_SOURCE.format(name="night"))
    without = registry_with(disable=("night",))
    assert statuses(without)["aca-test:night"] == "disabled"
    assert statuses(Registry())["aca-test:night"] == "loaded"


def test_a_library_user_without_logging_sees_one_line_for_each_failed_plugin(install_plugin):
    install_plugin("bad", "1 / 0", distribution="aca-bad")
    code = (
        f"import sys; sys.path.insert(0, {str(install_plugin.site)!r})\n"
        "import aca_core; r = aca_core.Registry(); r.load(); r.load(); r.plugins"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    reason = "ZeroDivisionError: division by zero (aca_bad_bad.py, line 1)"
    assert result.stderr.splitlines() == [f"plugin aca-bad:bad 1.0 was set aside: {reason}"]
    assert logging.getLogger("aca_core").handlers == []
