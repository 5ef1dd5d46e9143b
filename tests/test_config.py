"""The configuration: which file, which layer wins, what is refused and how it is told."""

from __future__ import annotations

import os
import pickle
import re
import tomllib
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aca_core
from aca_core import Config, ConfigError, IntegrityError, ProductSet, Registry, UnknownNameError, load_config
from aca_core.config import PluginSettings
from aca_core.config_check import check_config
from aca_core.config_layers import find_config_file, user_config_file
from aca_core.config_text import settings as settings_of
from aca_core.config_text import shown, starter
from aca_core.obsids import obsids_in


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def problems(text: str, tmp_path: Path, **environ: str) -> list[str]:
    """Return what is wrong with a file, without its path."""
    file = write(tmp_path / "aca.toml", text)
    with pytest.raises(ConfigError) as caught:
        load_config(file, environ=environ)
    return [str(problem).removeprefix(f"{file}: ") for problem in caught.value.problems]


# ---- which file, which layer ----------------------------------------------------------------------------------------


def test_without_anything_there_are_the_defaults():
    config = load_config(environ={})
    assert config == Config()
    assert (config.file, config.root, config.probability.acquisition) == (None, (), "sota-2013")
    assert config.origin("root") == "default"


def test_one_file_is_read_and_the_nearest_wins(tmp_path, monkeypatch):
    user = write(user_config_file(), 'root = "/from/user"')
    assert find_config_file(environ={}) == user
    here = write(tmp_path / "aca.toml", 'root = "/from/here"')
    assert find_config_file(environ={}) == here
    variable = write(tmp_path / "variable.toml", 'root = "/from/variable"')
    assert find_config_file(environ={"ACA_CONFIG": str(variable)}) == variable
    argument = write(tmp_path / "argument.toml", 'root = "/from/argument"')
    config = load_config(argument, environ={"ACA_CONFIG": str(variable)})
    assert config.root == (Path("/from/argument"),)
    assert config.file == argument


@pytest.mark.parametrize(
    ("path", "environ", "says"),
    [
        ("absent.toml", {}, "--config or argument: there is no file 'absent.toml'"),
        (None, {"ACA_CONFIG": "/absent.toml"}, "environment variable ACA_CONFIG: there is no file '/absent.toml'"),
    ],
)
def test_a_file_that_was_named_must_exist(path, environ, says):
    with pytest.raises(ConfigError, match=says):
        load_config(path, environ=environ)


def test_layers_go_over_each_other_and_every_value_knows_its_origin(tmp_path):
    file = write(
        tmp_path / "aca.toml",
        'root = "data"\n[plugins]\ndisable = ["one"]\n[sets.nightly]\nproducts = ["asp1"]\njobs = 2\n',
    )
    environ = {"SKA": "/ska", "MICA_ARCHIVE": "/mica", "ACA_DISABLE_PLUGINS": "two, three", "ACA_STRICT_PLUGINS": "1"}
    config = load_config(file, environ=environ, lock="soft")
    # The variables of older tools fill in what the file leaves open, and do not overrule it.
    assert config.root == (tmp_path / "data",)
    assert config.ska == Path("/ska")
    assert config.plugins == PluginSettings(disable=("one", "two", "three"), strict=True)
    origins = {".".join((*each.table, each.key)): each.origin for each in settings_of(config)}
    assert origins["root"] == str(file)
    assert origins["ska"] == "environment variable SKA"
    assert origins["lock"] == "argument"
    assert origins["plugins.disable"] == f"{file}, environment variable ACA_DISABLE_PLUGINS"
    assert origins["plugins.strict"] == "environment variable ACA_STRICT_PLUGINS"
    assert origins["sets.nightly.jobs"] == str(file)
    assert origins["probability.guide"] == "default"


def test_roots_come_from_whoever_speaks_last(tmp_path):
    older = {"SKA": "/ska", "MICA_ARCHIVE": os.pathsep.join(["/a", "/b"])}
    assert load_config(environ={"SKA": "/ska"}).root == (Path("/ska/data/mica/archive"),)
    assert load_config(environ=older).root == (Path("/a"), Path("/b"))
    ours = {**older, "ACA_DATA": f"/ours{os.pathsep}relative"}
    file = write(tmp_path / "aca.toml", 'root = ["/file", "~/mine"]')
    assert load_config(file, environ=older).root == (Path("/file"), Path.home() / "mine")
    assert load_config(file, environ=ours).root == (Path("/ours"), tmp_path / "relative")
    assert load_config(file, environ=ours, root="/argument").root == (Path("/argument"),)


def test_settings_made_in_python_go_over_a_file_key_by_key(tmp_path):
    file = write(
        tmp_path / "aca.toml", '[plugins]\ndisable = ["asp1"]\n[sets.n]\nproducts = ["a"]\nexecutor = "dask"\n'
    )
    config = load_config(
        file, environ={}, plugins=PluginSettings(strict=True), sets={"n": {"scheduler": "tcp://host:8786"}}, ska=None
    )
    assert config.plugins == PluginSettings(disable=("asp1",), strict=True)
    assert config.product_set("n").scheduler == "tcp://host:8786"
    with pytest.raises(ConfigError, match=r"sets.n.scheduler: None is not the address of a Dask scheduler"):
        load_config(file, environ={})


def test_paths_of_a_file_are_relative_to_the_file(tmp_path, monkeypatch):
    file = write(tmp_path / "site" / "aca.toml", 'root = ["a", "b"]\nska = "../ska"')
    config = load_config(file, environ={})
    assert config.root == (tmp_path / "site" / "a", tmp_path / "site" / "b")
    assert config.ska == tmp_path / "site" / ".." / "ska"


def test_a_configuration_travels(tmp_path):
    config = load_config(write(tmp_path / "aca.toml", 'root = "x"\n[products.asp1]\ndiscard = ["a"]'), environ={})
    again = pickle.loads(pickle.dumps(config))
    assert again == config
    assert (again.file, again.origins) == (config.file, config.origins)
    assert again.options("products", "asp1") == [(("products", "asp1"), {"discard": ("a",)})]
    assert again.options("products", "obspar") == []


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('rooot = "/data"', "rooot: unknown key. Did you mean 'root'? Keys here: root, ska, lock, file_mode,"),
        ("root = 3", "root: 3 is not an array of paths in quotes"),
        ('root = ["/a", 3]', "root[1]: 3 is not a path in quotes"),
        ('root = ""', "root[0]: '' is not a path in quotes that says something"),
        ('lock = "hard"', "lock: 'hard' is not one of 'kernel', 'soft'"),
        ("plugins = 3", "plugins: 3 is not a table"),
        ('[plugins]\ndisabled = ["a"]', "plugins.disabled: unknown key. Did you mean 'disable'?"),
        ('[plugins]\ndisable = "asp1"', "plugins.disable: 'asp1' is not an array of strings"),
        ("[plugins]\nstrict = 1", "plugins.strict: 1 is not true or false"),
        ("[plugins.prefer]\nasp1 = 1", "plugins.prefer.asp1: 1 is not a string"),
        ("[sets]\nnightly = []", "sets.nightly: [] is not a table"),
        ("[sets.nightly]\njobs = 2", "sets.nightly.products: is required and missing"),
        ('[sets.n]\nproducts = ["a"]\njobs = true', "sets.n.jobs: True is not a whole number"),
        ('[sets.n]\nproducts = ["a"]\njobs = 0', "sets.n.jobs: 0 is not a whole number from 1 to 10000"),
        (
            '[sets.n]\nproducts = ["a"]\nbad_obsids = [36, 7.5]',
            "sets.n.bad_obsids: [36, 7.5] is not an array of whole numbers, or a path in quotes",
        ),
        (
            '[sets.n]\nproducts = ["a"]\nbad_obsids = [123456]',
            "sets.n.bad_obsids: (123456,) is not whole numbers from 0 to 99999, or a file of them",
        ),
        ("[sets.n]\nproducts = []", "sets.n.products: () is not a list of at least one name"),
        (
            '[sets.n]\nproducts = ["a"]\nexecutor = "dask"',
            "sets.n.scheduler: None is not the address of a Dask scheduler",
        ),
        ('[sets.n]\nproducts = ["a"]\nchecksum = "no"', "sets.n.checksum: 'no' is not one of 'error', 'warn'"),
        ('[sets.n]\nproducts = ["a"]\nretreiver = "x"', "sets.n.retreiver: unknown key. Did you mean 'retriever'?"),
        ("[products]\nasp1 = 3", "products.asp1: 3 is not a table"),
        ("[probability]\nguide = 2013", "probability.guide: 2013 is not a string"),
        (
            "[dark]\ntemperature_range = [10, -30]",
            "dark.temperature_range: (10.0, -30.0) is not two increasing temperatures, degC",
        ),
        ("[dark]\nevents = 3", "dark.events: 3 is not a path in quotes"),
        ("file = 'x'", "file: unknown key."),
        ("origins = {}", "origins: unknown key."),
        ("root = ", "is not valid TOML: "),
        ("a = 1\na = 2", "is not valid TOML: "),
        (f"a = {'[' * 5000}", "is n"),
    ],
)
def test_what_is_wrong_is_told_with_file_key_and_remedy(text, says, tmp_path):
    told = problems(text, tmp_path)
    assert len(told) == 1
    assert told[0].startswith(says)


def test_everything_that_is_wrong_is_told_at_once(tmp_path):
    told = problems('rooot = 1\nlock = 2\n[plugins]\nstrict = "yes"', tmp_path)
    assert [line.partition(":")[0] for line in told] == ["lock", "plugins.strict", "rooot"]
    with pytest.raises(ConfigError, match=r"\(and 2 more; 'aca config check' lists them all\)"):
        load_config(tmp_path / "aca.toml", environ={})


def test_the_variable_is_named_that_holds_a_wrong_value(tmp_path):
    told = problems("", tmp_path, ACA_STRICT_PLUGINS="perhaps")
    assert told == ["environment variable ACA_STRICT_PLUGINS: plugins.strict: 'perhaps' is not true or false"]
    # A layer on top does not hide that the one below is wrong.
    assert problems("plugins = 3", tmp_path, ACA_DISABLE_PLUGINS="a") == ["plugins: 3 is not a table"]


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    file = tmp_path / "aca.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"aca.toml: is not UTF-8 text: invalid start byte at byte 0"):
        load_config(file, environ={})

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    # Root may read everything, so a mode cannot make a file unreadable in every place that runs this.
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ConfigError, match=r"aca.toml: cannot be read: Permission denied"):
        load_config(file, environ={})


# Whatever TOML can say, in the shapes that our keys have and in others.
KEYS = st.one_of(
    st.sampled_from([*(field.name for field in aca_core.config.attrs.fields(Config)), "asp1", "nightly", "jobs"]),
    st.text(max_size=8),
)
LEAVES = st.one_of(
    st.text(max_size=12), st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), st.dates(), st.just([])
)
TABLES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(table=st.dictionaries(KEYS, TABLES, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_toml_says_is_a_configuration_or_a_named_problem(table, tmp_path):
    import tomlkit

    file = tmp_path / "any.toml"
    try:
        text = tomlkit.dumps(table)
        parsed = tomllib.loads(text)
    except (ValueError, TypeError):
        return  # not something that TOML can say
    file.write_text(text, encoding="utf-8", newline="")
    told, config = (), None
    try:
        config = load_config(file, environ={})
    except ConfigError as error:
        told = error.problems
    assert bool(told) != (config is not None)
    for problem in told:
        assert problem.source == str(file)
        assert re.split(r"[.\[]", problem.key)[0] in {re.split(r"[.\[]", key)[0] for key in parsed}
        assert problem.text
    assert config is None or tomllib.loads(shown(config, origin=False))["lock"] == config.lock


@given(text=st.text(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_at_all_is_a_configuration_or_a_problem(text, tmp_path):
    file = tmp_path / "text.toml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    told = str(file)
    try:
        load_config(file, environ={})
    except ConfigError as error:
        told = str(error)
    assert told.startswith(str(file))


# ---- sets -----------------------------------------------------------------------------------------------------------


def test_a_set_is_a_name_for_a_choice(tmp_path):
    file = write(
        tmp_path / "aca.toml",
        """
        [sets.nightly]
        products = ["asp1", "obspar"]
        retriever = "directory"
        content_types = ["ASPSOL"]
        discard = ["*acal*"]
        bad_obsids = "bad.dat"
        executor = "processes"
        jobs = 2
        checksum = "warn"
        """,
    )
    config = load_config(file, environ={})
    assert config.product_set("nightly") == ProductSet(
        products=("asp1", "obspar"),
        retriever="directory",
        content_types=("ASPSOL",),
        discard=("*acal*",),
        bad_obsids=Path("bad.dat"),
        executor="processes",
        jobs=2,
        checksum="warn",
    )
    # Its path is relative to the archive root, like every path of a site but the root itself.
    place = attrs.evolve(config, root=tmp_path).placed(config.product_set("nightly").bad_obsids)[0]
    place.write_text("obsid\n36\n 37  # never released\n\n")
    assert obsids_in(place) == {36, 37}
    place.write_text("36\nthirty-seven\n")
    with pytest.raises(IntegrityError, match=r"bad.dat: line 2 is 'thirty-seven'; expected an obsid"):
        obsids_in(place)
    with pytest.raises(UnknownNameError, match=r"no product set is named 'nightley'. Did you mean 'nightly'\?"):
        config.product_set("nightley")


def test_what_needs_a_root_says_that_there_is_none():
    with pytest.raises(ConfigError, match="no archive root; set root = "):
        Config().require_root()
    assert Config(root="/data").require_root() == (Path("/data"),)


# ---- against what is installed --------------------------------------------------------------------------------------


def test_a_check_holds_the_configuration_against_what_is_installed(tmp_path):
    file = write(
        tmp_path / "aca.toml",
        """
        root = "."
        [plugins]
        disable = ["asp2"]
        prefer = { asp1 = "aca-simm" }
        [probability]
        guide = "sota-2014"
        [dark]
        processed_from = "sku"
        [sets.nightly]
        products = ["asp1", "obspa"]
        retriever = "teleport"
        [products.asp1]
        discard = 3
        [products.sim1]
        discard = ["a"]
        [dark_sources.moon]
        [retrievers.directory]
        folder = "{sak}/delivered"
        """,
    )
    config = load_config(file, environ={})
    findings = check_config(config, Registry(config))
    told = [str(problem).removeprefix(f"{file}: ") for problem in findings.errors]
    assert told == [
        "products.asp1.discard: 3 is not an array of strings",
        "retrievers.directory.folder: {sak}/delivered starts with '{sak}'; expected {ska}/… for a path in the Ska tree",
        "sets.nightly.products: no archive product is named 'obspa'. Did you mean 'obspar'? "
        "Installed: aca0, asp1, obspar.",
        "sets.nightly.retriever: no retriever is named 'teleport'. Installed: directory.",
    ]
    keys = [problem.key for problem in findings.warnings]
    assert keys == [
        "products.sim1",
        "dark_sources.moon",
        "plugins.disable",
        "plugins.prefer.asp1",
        "probability.guide",
        "dark.processed_from",
    ]
    assert "no dark source is named 'sku'. Did you mean 'ska'? Installed: mica, ska" in findings.warnings[-1].text
    assert "has no effect: no product is named 'sim1'" in findings.warnings[0].text


def test_a_plain_configuration_has_no_problem(tmp_path):
    config = load_config(environ={}, root=str(tmp_path))
    findings = check_config(config, Registry(config))
    assert (findings.errors, findings.warnings) == ((), ())


# ---- as text --------------------------------------------------------------------------------------------------------


def test_what_is_shown_can_be_read_again(tmp_path):
    file = write(
        tmp_path / "aca.toml",
        'root = ["/a \\"b\\" ü", "/c"]\nska = "/ska"\n[plugins]\nprefer = {"odd name" = "x"}\n'
        '[sets."my set"]\nproducts = ["asp1"]\n[products.asp1]\nbad_obsids = [1, 2]\n',
    )
    config = load_config(file, environ={})
    for origin in (False, True):
        copy = write(tmp_path / "copy.toml", shown(config, origin=origin))
        assert load_config(copy, environ={}) == config
    lines = shown(config, origin=True).splitlines()
    assert all(f"# {file}" in line or "# default" in line for line in lines if line and not line.startswith("["))


def test_the_starter_changes_nothing_until_somebody_takes_a_hash_away(tmp_path):
    registry = Registry()
    text = starter(registry)
    assert load_config(write(tmp_path / "aca.toml", text), environ={}) == Config()
    # Every commented assignment is right: with the single hashes away it is what would be there without the file.
    text = "\n".join(line.removeprefix("# ") for line in text.splitlines())
    config = load_config(write(tmp_path / "open.toml", text), environ={})
    nightly = config.product_set("nightly")
    assert (nightly.products, nightly.retriever, nightly.catalogue) == (("aca0", "asp1", "obspar"), "directory", "file")
    assert check_config(config, registry).errors == ()
    ((_, asp1_options),) = config.options("products", "asp1")
    assert registry.product("asp1").discard == asp1_options["discard"]
    keys = set(tomllib.loads(text))
    public = {f.name for f in aca_core.config.attrs.fields(Config) if not f.metadata.get("internal")}
    assert public == keys
