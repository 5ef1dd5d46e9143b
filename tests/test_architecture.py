"""The shape of the house: which way imports point, what the plugins may use, what loads when, what is documented."""

from __future__ import annotations

import ast
import doctest
import graphlib
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import aca_plugins
import attrs
import pytest

import aca_core
from aca_core._loading import HOOKS

CORE = Path(aca_core.__file__).parent
PLUGINS = Path(aca_plugins.__file__).parent

# From the ground up: a module imports only from lines above its own (or its own package, for cli and testing).
FLOORS = [
    {"errors", "arrays", "_frozen", "_lazy", "_whole_files", "fits_header"},
    {"_checks", "fits_files", "attitudes"},
    {"fits_tables", "fits_images"},
    {"offers", "columns", "text_files", "_leap_seconds"},
    {"obsids"},
    {"_date_forms"},
    {"_date_arrays"},
    {"dates", "parameter_file"},
    {"quantities", "figures"},
    {"tables"},
    {"layouts", "readers", "catalogues", "models", "dark_sources", "_option_types"},
    {"_structure"},
    {"changes", "products", "config"},
    {"retrievers", "binding", "config_layers"},
    {"hookspecs", "_discovery"},
    {"_conflicts", "_explain"},
    {"_loading"},
    {"registry"},
    {"config_check", "config_text"},
    {"archive"},
    {"dark_current", "aca_image"},
    {"aca_l0"},
    {"aca_hdr3"},
    {"dark_cal"},
    {"probability"},
    {"dark_model", "dark_processing"},
    {"vv"},
    {"testing", "simulation"},
    {"cli"},
    {"compat"},
    {"__main__"},
]
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names}

KNOWS_PLUGINS = "compat"
"""The one room that imports built-in plugins: it gives them the names that older packages had, and nobody uses it."""

HEAVY = {"astropy", "cattrs", "dask", "h5py", "matplotlib", "numpy", "pandas", "scipy", "sqlite_utils", "tomlkit"}


def core_modules() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(CORE).with_suffix("").parts
    return parts[0]


def imports_of(path: Path, *, types_too: bool = False) -> list[tuple[str, bool]]:
    """Return the modules that a file imports, and whether it does so at its top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if id(node) in for_types and not types_too:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [(f"{node.module}.{alias.name}", id(node) in top) for alias in node.names]
    return found


def test_every_module_has_its_floor():
    assert {room_of(path) for path in core_modules()} == {*FLOOR_OF, "__init__"}


@pytest.mark.parametrize("path", core_modules(), ids=lambda path: str(path.relative_to(CORE)))
def test_imports_point_downwards(path):
    room = room_of(path)
    if room == "__init__":
        return  # it hands names on, and imports them when they are asked for
    for name, _ in imports_of(path):
        parts = name.split(".")
        if parts[0] == "aca_core" and len(parts) > 1:
            # `from aca_core import hookspecs` names a module; `from aca_core import Registry` a public name.
            target = parts[1] if parts[1] in FLOOR_OF else None
            assert target is not None or path.parts[-2] == "cli" or name == "aca_core", f"{path.name}: import {name}"
            assert target is None or target == room or FLOOR_OF[target] < FLOOR_OF[room], f"{room} imports {target}"
        assert parts[0] != "aca_plugins" or room == KNOWS_PLUGINS, f"{path.name} knows a plugin"


def test_no_imports_go_in_circles():
    """Not even those inside functions, or of types alone."""
    names = {".".join(("aca_core", *path.relative_to(CORE).with_suffix("").parts)): path for path in core_modules()}
    graph = {name: set() for name in names}
    for name, path in names.items():
        if path.name == "__init__.py":
            continue  # it hands names on
        for imported, _ in imports_of(path, types_too=True):
            module = imported if imported in names else imported.rpartition(".")[0]
            graph[name] |= {module} & (names.keys() - {name})
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert len(order) == len(names)


def test_the_core_knows_no_product_by_name():
    shipped = {product.name for product in aca_core.Registry().offers(aca_core.ArchiveProduct)}
    assert shipped >= {"asp1", "obspar"}
    for path in core_modules():
        if room_of(path) in ("testing", "simulation", KNOWS_PLUGINS):
            continue  # they are about certain products, and decide nothing for others
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documentation = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
            if isinstance(node.body[0], ast.Expr)
        }
        strings = {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        }
        assert not strings & shipped, path


def test_the_core_knows_dark_sources_and_models_by_name_only_where_it_says_so():
    """As defaults of the configuration, and as the model that the functions of 2013 are documented to be."""
    kinds = (aca_core.DarkSource, aca_core.ProbabilityModel)
    shipped = {offer.name for kind in kinds for offer in aca_core.Registry().offers(kind)}
    assert shipped >= {"mica", "ska", "sota-2013", "grid-floor"}
    named = set()
    for path in core_modules():
        if room_of(path) not in ("testing", "simulation", KNOWS_PLUGINS):
            constants = [
                node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
            ]
            if any(isinstance(node.value, str) and node.value in shipped for node in constants):
                named.add(str(path.relative_to(CORE)))
    # The Ska tree and the layouts of the simulator have the names of the sources that read them.
    of_trees = {"config_layers.py", "config_text.py", "cli/dark_make.py"}
    assert named == {"config.py", "probability/seed.py", *of_trees}


@pytest.mark.parametrize("path", sorted(PLUGINS.rglob("*.py")), ids=lambda path: str(path.relative_to(PLUGINS)))
def test_built_in_plugins_use_the_public_names_only(path):
    inside = path.relative_to(PLUGINS).parts
    own = ["aca_plugins", inside[0]] if len(inside) > 1 else None  # a plugin of several modules is a package
    # Of these the discovery loads the first alone; what its functions load when they are called may be heavy.
    is_discovered = own is None or inside[1] == "__init__.py"
    for name, at_top in imports_of(path, types_too=True):
        parts = name.split(".")
        if parts[0] == "aca_core":
            assert parts[1] in {*aca_core.__all__, "dates", "attitudes"}, f"{path} imports {name}, which is not public"
        assert parts[0] != "aca_plugins" or parts[:2] == own, f"{path} imports another plugin"
        assert not (at_top and is_discovered and parts[0] in HEAVY), f"{path} imports {name} at its top"
        assert not (at_top and is_discovered and parts[0] == "aca_plugins"), f"{path} imports {name} at its top"


# ---- what loads when ------------------------------------------------------------------------------------------------


def modules_after(code: str) -> set[str]:
    program = f"{code}\nimport sys; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "denied"),
    [
        ("import aca_core", HEAVY | {"attrs", "click", "pluggy", "rich", "importlib.metadata", "platformdirs"}),
        ("from aca_core import *", HEAVY | {"click", "rich", "importlib.metadata", "platformdirs"}),
        ("import aca_core; aca_core.Registry().load()", HEAVY | {"click", "rich", "tomllib", "packaging"}),
        ("import aca_core.dates; aca_core.dates.to_secs('2012:001')", HEAVY | {"attrs", "click"}),
        ("import aca_core.cli", HEAVY | {"attrs", "pluggy", "rich", "importlib.metadata"}),
        ("from aca_core.cli import run; run(['--help'])", HEAVY | {"pluggy", "rich", "packaging", "tomllib"}),
        ("import aca_core.testing.fixtures", HEAVY | {"attrs", "click"}),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(code, denied):
    loaded = modules_after(code)
    assert not loaded & denied


# ---- what is public and documented ----------------------------------------------------------------------------------


def public_modules() -> list[str]:
    names = [module.name for module in pkgutil.walk_packages(aca_core.__path__, "aca_core.")]
    return [name for name in names if not any(part.startswith("_") for part in name.split("."))]


def test_every_public_name_is_there_and_says_what_it_is():
    homes = {name: module for module, names in aca_core._HOMES.items() for name in names}
    assert sorted(homes) == sorted(aca_core.__all__)
    for name, module in homes.items():
        assert name in importlib.import_module(f"aca_core.{module}").__all__
        value = getattr(aca_core, name)
        if callable(value) and not isinstance(value, aca_core.hookimpl.__class__):
            assert value.__doc__, name
    assert set(aca_core.__all__) <= set(dir(aca_core))
    with pytest.raises(AttributeError, match="no attribute 'asp1'"):
        aca_core.asp1  # noqa: B018


def test_what_type_checkers_see_is_what_is_there():
    tree = ast.parse((CORE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == {name: f"aca_core.{module}" for module, names in aca_core._HOMES.items() for name in names}


@pytest.mark.parametrize("name", public_modules())
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_every_hook_has_an_example_and_says_when_it_is_called():
    from aca_core import hookspecs

    assert set(HOOKS) == {name for name in vars(hookspecs) if name.startswith("aca_")}
    for hook in HOOKS:
        text = getattr(hookspecs, hook).__doc__
        assert "Called " in text
        assert re.search(rf"@hookimpl\n\s*\.\.\. def {hook}\(", text)


def test_public_classes_document_every_field():
    for name in aca_core.__all__:
        value = getattr(aca_core, name)
        if isinstance(value, type) and attrs.has(value):
            documented = "\n".join(base.__doc__ or "" for base in value.__mro__)
            for field in attrs.fields(value):
                assert re.search(rf"\b{field.name}\b.*: |, {field.name}\b|\b{field.name},", documented), (
                    f"{name}.{field.name}"
                )
