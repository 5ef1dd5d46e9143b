"""The documentation: nothing in it is stale, nothing is missing, and what it shows works."""

from __future__ import annotations

import ast
import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs
import pytest
from blocks import PAGES, TOP, Reader, blocks_of, text_of

import aca_core
from aca_core import Config, Offer, Registry, hookspecs
from aca_core._date_forms import FORMATS
from aca_core._loading import HOOKS
from aca_core.config import OFFER_SECTIONS, DarkSettings, PluginSettings, ProbabilitySettings, ProductSet
from aca_core.offers import site_options

DOCS = TOP / "docs"
BROKEN = sorted((TOP / "tests" / "broken_plugins").glob("*.py"))


@pytest.fixture(scope="module")
def generate():
    """The module that writes the generated parts."""
    sys.path.insert(0, str(DOCS))
    try:
        import _generate

        yield _generate
    finally:
        sys.path.remove(str(DOCS))


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def documented_names() -> set[str]:
    """Return every name that a page of the reference describes: in a heading, a directive or a code span."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
    directives = re.findall(r"^\.\. (?:auto\w+|data):: (?:aca_core\.)?(\w+)", text, re.MULTILINE)
    headings = re.findall(r"^#+ `?(\w+)`?$", text, re.MULTILINE)
    return {*directives, *headings, *re.findall(r"`(\w+)`", text)}


# ---- nothing is stale -----------------------------------------------------------------------------------------------


def test_generated_parts_are_fresh(generate, capsys):
    pytest.importorskip("cogapp", reason="needs cog, which the extras 'docs' and 'dev' bring")
    code = generate.run_cog("--check", "--diff")
    assert code == 0, (
        f"run 'python docs/_generate.py' ('just cog') and commit what it writes:\n{capsys.readouterr().out}"
    )


def test_every_page_is_in_the_contents():
    blocks = [block.text for block in blocks_of(DOCS / "index.md") if block.info == "{toctree}"]
    listed = [line for text in blocks for line in text.splitlines() if line and not line.startswith(":")]
    for path in PAGES:
        if DOCS in path.parents and path.name != "index.md":
            name = str(path.relative_to(DOCS).with_suffix(""))
            assert any(fnmatch.fnmatchcase(name, entry) for entry in listed), (
                f"add {name} to a toctree in docs/index.md"
            )


# ---- nothing is missing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_heading_and_its_signature(hook, generate):
    section = re.search(rf"^## {hook}$(.*?)(?=^## |\Z)", page("reference/hooks.md"), re.MULTILINE | re.DOTALL)
    assert section, f"add a heading '## {hook}' to docs/reference/hooks.md, with _generate.hook({hook!r}) below it"
    wanted = f"def {generate.signature(hook)}: ..."
    assert wanted in section[1], f"docs/reference/hooks.md, {hook}: expected the line {wanted!r}; run 'just cog'"
    first = (getattr(hookspecs, hook).__doc__ or "").strip().splitlines()[0]
    assert first in section[1], f"docs/reference/hooks.md, {hook}: expected its docstring; run 'just cog'"


def configuration_keys() -> list[str]:
    classes = (Config, PluginSettings, ProbabilitySettings, DarkSettings, ProductSet)
    keys = [f.name for cls in classes for f in attrs.fields(cls) if not f.metadata.get("internal")]
    options = [name for offer in Registry(Config()).offers(Offer) for name in site_options(type(offer))]
    return sorted({*keys, *options})


@pytest.mark.parametrize("key", configuration_keys())
def test_every_key_is_documented(key):
    assert f"| `{key}` |" in page("reference/configuration.md"), (
        f"add a table with the key {key!r} to docs/reference/configuration.md (see _generate.keys)"
    )


@pytest.mark.parametrize("section", OFFER_SECTIONS)
def test_every_table_of_options_is_documented(section):
    assert f"`[{section}.NAME]`" in page("reference/configuration.md")


def test_every_command_and_option_is_documented(generate):
    text = page("reference/commands.md")
    for context in generate.every_command():
        command, path = context.command, context.command_path
        section = re.search(rf"^## {path}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert section, f"'{path}' is not in docs/reference/commands.md; run 'just cog'"
        assert (command.help or "").strip(), f"'{path}' has no help; write its docstring"
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{path} {parameter.opts[0]} has no help="
                assert all(f"`{name}`" in section[1] for name in parameter.opts), f"{path}: run 'just cog'"


def test_every_error_is_documented(generate):
    for cls in generate.error_classes():
        assert f"## {cls.__name__}\n" in page("reference/errors.md"), f"{cls.__name__} is missing; run 'just cog'"
    assert {cls.__name__ for cls in generate.error_classes()} == {
        name for name in aca_core.__all__ if name.endswith("Error")
    }, "an error that is public is exported by aca_core, and the other way round"


def test_every_exit_code_is_documented():
    tree = ast.parse((TOP / "aca_core" / "cli" / "__init__.py").read_text(encoding="utf-8"))
    codes = re.findall(r"(\d+) ", re.search(r"Exit codes: (.*?)\n\n|Exit codes: (.*)", ast.get_docstring(tree))[0])
    for name in ("reference/errors.md", "reference/commands.md"):
        for code in codes:
            assert f"| `{code}` |" in page(name), f"exit code {code} is missing in docs/{name}"


@pytest.mark.parametrize("name", aca_core.__all__)
def test_every_public_name_is_documented(name):
    assert name in documented_names(), (
        f"aca_core.{name} is public and not in docs/reference; add an autodoc directive to declarations.md"
    )


def test_every_variable_of_the_environment_is_documented():
    read = set()
    for path in (TOP / "aca_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("environ.get", "os.environ.get", "os.getenv"):
                read.add(ast.literal_eval(node.args[0]))
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("environ", "os.environ"):
                read.add(ast.literal_eval(node.slice))
    assert {"ACA_CONFIG", "ACA_DATA"} <= read, "the way in which the environment is read has changed; mend this test"
    for variable in read:
        assert f"| `{variable}` |" in page("reference/environment.md"), (
            f"the variable {variable} is read and has no row in docs/reference/environment.md"
        )


def test_every_function_of_dates_and_every_format_is_documented():
    from aca_core import dates

    text = page("reference/dates.md")
    for name in dates.__all__:
        if callable(getattr(dates, name)) and name != "DateLike":
            assert f".. autofunction:: {name}\n" in text, f"add '.. autofunction:: {name}' to docs/reference/dates.md"
    for name in FORMATS:
        assert f"`{name}`" in text, f"the date format {name!r} is missing in docs/reference/dates.md"


def test_every_dependency_says_why():
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    text = page("explanation/dependencies.md")
    for requirement in [*project["dependencies"], *(each for extra in extras for each in extra)]:
        name = re.match(r"[\w-]+", requirement)[0]
        if name != "aca-core":
            assert re.search(rf"\b{name}\b", text), f"docs/explanation/dependencies.md does not say what {name} is for"
    for name in (re.match(r"[\w-]+", each)[0] for each in project["dependencies"]):
        assert f"\n| {name} |" in text, f"add a row for {name} to docs/explanation/dependencies.md"


def test_every_contract_is_in_the_page_on_testing():
    from aca_core import testing

    text = page("how-to/test-a-plugin.md")
    for name in testing.__all__:
        assert name in text or name in ("OfferContract", "PluginInstaller"), (
            f"docs/how-to/test-a-plugin.md lacks {name}"
        )


# ---- why a plugin is set aside --------------------------------------------------------------------------------------


def explained(status: str) -> list[str]:
    """Return the reasons that the page explains for a status, as regular expressions."""
    text = page("how-to/when-a-plugin-is-set-aside.md")
    found = re.findall(rf"^### {status}\b.*?$(.*?)(?=^##+ |\Z)", text, re.MULTILINE | re.DOTALL)
    reasons = re.findall(r"^\| `([^`]*)`", "".join(found), re.MULTILINE)
    patterns = [".*".join(map(re.escape, reason.split("…"))) for reason in reasons]
    return [pattern.replace("NameOfTheError", r"\w+") for pattern in patterns]


def check_explained(info) -> None:
    assert f"| `{info.status}` |" in page("how-to/when-a-plugin-is-set-aside.md")
    assert any(re.fullmatch(pattern, info.reason) for pattern in explained(info.status)), (
        "add a row to a table below '### "
        f"{info.status}' in docs/how-to/when-a-plugin-is-set-aside.md that matches the reason\n{info.reason}"
    )


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_way_to_be_broken_is_explained(path, install_plugin):
    source = path.read_text(encoding="utf-8")
    said = dict(re.findall(r"^# (value|requires): (.*)$", source, re.MULTILINE))
    requires = [said["requires"]] if "requires" in said else []
    name = install_plugin(path.stem, None if "value" in said else source, requires=requires, value=said.get("value"))
    check_explained(Registry().plugin(name))


def test_every_other_reason_is_explained(install_plugin):
    source = (TOP / "plugins" / "aca_plugins" / "asp1" / "__init__.py").read_text(encoding="utf-8")
    one = install_plugin("sim1", source.replace('"asp1"', '"sim1"'), distribution="aca-one", value="one_sim1")
    two = install_plugin("sim1", source.replace('"asp1"', '"sim1"'), distribution="aca-two", value="two_sim1")
    copy = install_plugin("asp1", source, distribution="aca-copy", value="copy_asp1")
    settings = PluginSettings(disable=("obspar",), prefer={"asp1": "aca-copy"})
    for registry, plugins in (
        (Registry(), (one, two, copy)),
        (Registry(Config(plugins=settings)), ("obspar", "aca-core:asp1")),
    ):
        for plugin in plugins:
            info = registry.plugin(plugin)
            assert info.status in ("conflict", "disabled")
            check_explained(info)


def test_every_fault_of_metadata_is_explained(install_plugin, caplog):
    install_plugin("twin", "", value="twin_a")
    install_plugin("twin", "", value="twin_b")
    install_plugin("garbled", "", distribution="aca-garbled")
    garbled = next(install_plugin.site.glob("aca_garbled*.dist-info"))
    (garbled / "entry_points.txt").write_text("[aca_core]\nthis line has no equals sign\n")
    registry = Registry(Config(plugins=PluginSettings(disable=("aca-core:asp1",))))
    (unreadable,) = [info for info in registry.plugins if info.distribution == "aca-garbled"]
    check_explained(unreadable)
    twice = [record.getMessage() for record in caplog.records if "twice" in record.getMessage()]
    check_explained(attrs.evolve(unreadable, reason=twice[0].partition("was set aside: ")[2]))


# ---- what is shown works --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_what_a_page_shows_works(path, install_plugin, tmp_path):
    Reader(path, tmp_path, install_plugin).read()


def test_blocks_are_of_known_languages():
    known = {"python", "python fragment", "pycon", "toml", "console", "sh", "text", "edit"}
    for path in PAGES:
        for block in blocks_of(path):
            assert block.info in known or block.info.startswith("{"), (
                f"{block.place}: a block marked {block.info!r}; mark it with one of {', '.join(sorted(known))}"
            )


def test_python_is_formatted(tmp_path):
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("needs ruff, which is not installed")
    files = {}
    for path in PAGES:
        for block in blocks_of(path):
            if block.info in ("python", "python fragment"):
                file = tmp_path / f"{path.stem}_{block.line}.py"
                file.write_text(block.text, encoding="utf-8")
                files[file.name] = block.place
    result = subprocess.run(
        [ruff, "format", "--isolated", "--diff", "--line-length", "120", str(tmp_path)], capture_output=True, text=True
    )
    wrong = sorted({place for name, place in files.items() if name in result.stdout})
    assert result.returncode == 0, f"format the blocks at {', '.join(wrong)}:\n{result.stdout}{result.stderr}"


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_links_lead_somewhere(path):
    text = re.sub(r"`[^`\n]*`", lambda code: "x" * len(code[0]), text_of(path))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), f"{path.relative_to(TOP)} links to {target}, and there is no {place.relative_to(TOP)}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text_of(place), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, (
                f"{path.relative_to(TOP)} links to {target}, and that page has no such heading"
            )


def test_no_page_names_a_machine():
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for word in (str(TOP), str(Path.home()) + "/", "/tmp/"):
            assert word not in text, f"{path.relative_to(TOP)} has {word!r}"
