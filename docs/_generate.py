"""Write the parts of the pages that the code itself knows: hooks, keys, commands, errors, built-in plugins.

Each public function returns Markdown, and a page calls it between cog's marks. ``python docs/_generate.py`` puts them
all in again; ``tests/docs`` fails when a page is stale.
"""

from __future__ import annotations

import ast
import inspect
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import click

from aca_core import (
    ArchiveProduct,
    Config,
    DatedTree,
    Offer,
    ParameterColumns,
    ProductSet,
    Registry,
    errors,
)
from aca_core import hookspecs as specs
from aca_core._loading import HOOKS
from aca_core._option_types import annotation, expected_of, expected_text
from aca_core.aca_hdr3 import CCD_TEMP_FINE, HDR3_ITEMS
from aca_core.aca_l0 import ACA_COLUMNS, STATUS_FIELDS
from aca_core.cli import ATTENTION, COMMANDS, ERROR, FAULT, INTERRUPTED, READER_GONE, USAGE, aca
from aca_core.columns import Column, FromArchive, Keyword
from aca_core.config import OFFER_SECTIONS, DarkSettings, PluginSettings, ProbabilitySettings
from aca_core.models import STAR_INPUTS
from aca_core.offers import site_options
from aca_core.readers import FITS_COLUMNS

DOCS = Path(__file__).parent
TOP = DOCS.parent


# ---- hooks ----------------------------------------------------------------------------------------------------------


def hook(name: str) -> str:
    """Return the signature and the words of one hook.

    Parameters
    ----------
    name : str
        For example ``aca_archive_products``.

    Returns
    -------
    str
        Markdown.
    """
    if name not in HOOKS:
        raise ValueError(f"there is no hook {name!r}; hooks: {', '.join(HOOKS)}")
    text, sections = _docstring(getattr(specs, name))
    example = inspect.cleandoc(sections["Examples"])
    # The formatter would change the example, and the page must say what the docstring says.
    kept = f"<!-- fmt: off -->\n{_fence('pycon', example)}\n<!-- fmt: on -->"
    return _page(_fence("python fragment", f"def {signature(name)}: ..."), text, kept)


def signature(name: str) -> str:
    """Return the signature of a hook as a plugin's author would write it.

    Parameters
    ----------
    name : str
        The hook.

    Returns
    -------
    str
        For example ``aca_committed(change: Change) -> None``.
    """
    return f"{name}{inspect.signature(getattr(specs, name))}".replace("'", "")


# ---- configuration --------------------------------------------------------------------------------------------------

_TABLES: Mapping[str, type] = {
    "top": Config,
    "plugins": PluginSettings,
    "probability": ProbabilitySettings,
    "dark": DarkSettings,
    "sets": ProductSet,
}


def keys(table: str) -> str:
    """Return the keys of one table of the configuration.

    Parameters
    ----------
    table : {'top', 'plugins', 'probability', 'dark', 'sets'}
        Which one; ``top`` for the keys above the first table.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for field in attrs.fields(_TABLES[table]):
        if not field.metadata.get("internal"):
            wanted = expected_of(field, _TABLES[table])
            rows.append((f"`{field.name}`", _as_code(wanted), _default(field), _as_code(field.metadata["help"])))
    return _page(_table(("key", "value", "default", "meaning"), rows))


def offer_options() -> str:
    """Return the options that the ready-made declarations open to sites.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    shared = {ArchiveProduct: "products.NAME", DatedTree: "dark_sources.NAME"}
    own: dict[type[Offer], list[str]] = {}
    for offer in Registry().offers(Offer):
        own.setdefault(type(offer), []).append(f"{offer.section}.{offer.name}")
    for cls, tables in {**own, **{cls: [name] for cls, name in shared.items()}}.items():
        fields = attrs.fields_dict(cls)
        for name, text in site_options(cls).items():
            places = "; ".join(f"`[{table}]`" for table in tables)
            wanted = expected_text(annotation(cls, name))
            rows.append((places, f"`{name}`", wanted, _default(fields[name], "that of the declaration"), text))
    return _page(_table(("table", "key", "value", "default", "meaning"), rows))


def sections() -> str:
    """Return the tables that hold one table for each offer.

    Returns
    -------
    str
        Markdown.
    """
    return _page(*(f"- `[{section}.NAME]`" for section in OFFER_SECTIONS), tight=True)


def _as_code(text: str) -> str:
    """Return a text with what it quotes written as TOML."""
    return re.sub(r"'([^']*)'", r'`"\1"`', text)


def _default(field: attrs.Attribute[Any], without: str = "required") -> str:
    if field.default is attrs.NOTHING:
        return without
    if field.default is None:
        return "not set"
    if isinstance(field.default, bool | int | float | str):
        return f"`{json.dumps(field.default)}`"  # TOML writes these as JSON does
    if isinstance(field.default, tuple) and field.default:
        return f"`{json.dumps(list(field.default))}`"
    return "empty"


# ---- commands -------------------------------------------------------------------------------------------------------


def commands() -> str:
    """Return the help of every command of ours.

    Returns
    -------
    str
        Markdown.
    """
    parts: list[str] = []
    for context in every_command():
        command, path = context.command, context.command_path
        # Not collect_usage_pieces or get_params: they add --help as this context has it, and the command remembers.
        usage = [path, command.options_metavar or ""]
        usage += [piece for each in command.params for piece in each.get_usage_pieces(context)]
        usage += [command.subcommand_metavar] if isinstance(command, click.Group) else []
        options = [_option(each, context) for each in command.params if isinstance(each, click.Option)]
        parts += [f"## {path}", _fence("text", " ".join(usage)), *_help(command.help or "")]
        parts += [_table(("option", "meaning"), options)]
    return _page(*parts)


def every_command() -> Iterator[click.Context]:
    """Go through our commands, groups before what is in them.

    Yields
    ------
    click.Context
        Its ``command_path`` is what is typed: ``aca config show``.
    """
    top = click.Context(aca, info_name="aca")
    yield top
    for name in COMMANDS:
        command = aca.get_command(top, name)
        if command is None:
            raise ValueError(f"'aca' lists the command {name!r} and does not have it")
        context = click.Context(command, parent=top, info_name=name)
        yield context
        if isinstance(command, click.Group):
            for inner in sorted(command.commands):
                yield click.Context(command.commands[inner], parent=context, info_name=inner)


def exit_codes() -> str:
    """Return the exit codes of ``aca``.

    Returns
    -------
    str
        Markdown.
    """
    meanings = {
        0: "done",
        ERROR: "an error that the message explains: any `AcaError`, or an error of the operating system",
        USAGE: "wrong usage: an unknown command or option, a missing argument",
        ATTENTION: "done, and something needs attention, which is said: `aca update`, `verify`, `adopt`, "
        "`status --check`, `dark list`, `dark update`",
        FAULT: "a fault in the program, or in a plugin's command; please report it",
        INTERRUPTED: "interrupted, by Ctrl-C",
        READER_GONE: "whoever read the output, such as `head`, went away",
    }
    return _page(_table(("exit code", "meaning"), [(f"`{code}`", text) for code, text in meanings.items()]))


def _help(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; click keeps the lines of one that begins with a backspace."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = paragraph.splitlines()
        if lines[0].strip() in ("\b", r"\b"):
            yield lines[1].strip()
            yield _fence("console", "\n".join(f"$ {line.strip()}" for line in lines[2:]))
        else:
            yield " ".join(line.strip() for line in lines)


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    names += "".join(f" / `{name}`" for name in option.secondary_opts)
    metavar = "" if option.is_flag or option.count else f" `{option.make_metavar(context)}`"
    return names + metavar, option.help or ""


# ---- errors ---------------------------------------------------------------------------------------------------------


def error_classes() -> list[type[errors.AcaError]]:
    """Return our public errors, the root first.

    Returns
    -------
    list of type
        By name.
    """
    found = [getattr(errors, name) for name in sorted(errors.__all__)]
    classes = [each for each in found if isinstance(each, type) and issubclass(each, errors.AcaError)]
    return sorted(classes, key=lambda cls: len(cls.__mro__) > len(errors.AcaError.__mro__))


def error_reference() -> str:
    """Return what each error means and carries.

    Returns
    -------
    str
        Markdown.
    """
    parts: list[str] = []
    for cls in [*error_classes(), errors.ConfigProblem]:
        text, found = _docstring(cls)
        kinds = " and ".join(f"`{base.__name__}`" for base in cls.__bases__ if base is not tuple)
        told = {**_fields(found.get("Parameters", "")), **_fields(found.get("Attributes", ""))}
        rows = [(f"`{name}`", kind, meaning) for name, (kind, meaning) in told.items()]
        parts += [f"## {cls.__name__}", f"A kind of {kinds}." if kinds else "", text]
        parts += [_table(("attribute", "type", "meaning"), rows)]
    return _page(*parts)


# ---- plugins that are shipped ---------------------------------------------------------------------------------------


def builtin_plugins() -> str:
    """Return every plugin that aca-core ships, with what it declares.

    Returns
    -------
    str
        Markdown.
    """
    parts: list[str] = []
    registry = Registry(Config())
    for info in registry.plugins:
        if info.distribution == "aca-core":
            offers = (
                f"It offers: {', '.join(info.offers)}." if info.offers else "It offers nothing: it follows commits."
            )
            parts += [f"## {info.name}", f"Plugin `{info.id}`, in `{info.value}`. {offers}"]
            for offer in registry.offers(Offer):
                if f"{offer.noun} {offer.name}" in info.offers:
                    parts += _product(offer) if isinstance(offer, ArchiveProduct) else [_declared(offer)]
    return _page(*parts)


def _product(product: ArchiveProduct) -> list[str]:
    example = f"{product.name}/{product.layout.directory(product.layout.example)}"
    rows = [
        ("what it is", product.label),
        ("one unit of it lies in", f"`{example}`, below the archive's root"),
        (
            "files",
            f"names like `{product.file_names}`; beside them {_listed(product.companions)}, without an index row",
        ),
        ("discarded", f"{_listed(product.discard)}; option `discard`"),
        ("bad obsids", f"{_obsids(product.bad_obsids)}; option `bad_obsids`"),
        ("content types", _listed(product.content_types)),
        ("key of the index", _listed(product.key)),
        ("further indexes", ", ".join(_listed(index) for index in product.indexes)),
        ("an archived revision that is asked for again", "is compared" if product.recheck else "is left alone"),
        ("provides", _listed(product.provides)),
    ]
    if product.version:
        found = f"`{product.version.pattern}` in names like `{product.version.glob}`"
        rows.insert(2, ("version", found))
    if product.work:
        also = "; a pending run counts as released when its science products were reviewed"
        rows.append(
            ("work", f"`{product.work.table}`, by `{product.work.id}`{also * product.work.reviewed_as_science}")
        )
    for retriever, words in product.dialects.items():
        rows.append((f"words for `{retriever}`", ", ".join(f"{key}: `{word}`" for key, word in words.items())))
    columns = [
        (
            f"`{column.name}`",
            column.type,
            "yes" if column.required else "",
            _origin(column, product),
            column.description,
        )
        for column in product.schema
    ]
    return [
        _table(("", ""), rows),
        f"The index has {len(columns)} columns:",
        _table(("column", "type", "required", "from", "meaning"), columns),
    ]


def _obsids(obsids: tuple[int, ...] | Path) -> str:
    if isinstance(obsids, Path):
        return f"those of the file `{obsids}`"
    return ", ".join(str(obsid) for obsid in obsids) or "none"


def _origin(column: Column, product: ArchiveProduct) -> str:
    """Return where the value of an index column comes from, in words."""
    parameters = isinstance(product.columns, ParameterColumns)
    if isinstance(column.source, FromArchive):
        return "the archive"
    if column.name == "filename":
        return "the file's name"
    if column.name == "filetime" and not parameters:
        return "the file's name, else keyword `TSTART`"
    if column.name in ("year", "doy") and not parameters:
        return "`filetime`"
    if not isinstance(column.source, Keyword):
        return str(column.source)
    name = column.source.name
    text = f"parameter `{name}`" if parameters else f"keyword `{name.upper()}`"
    return text if column.default is None else f"{text}, else `{column.default}`"


def _declared(offer: Offer) -> str:
    values = {field.name: getattr(offer, field.name) for field in attrs.fields(type(offer))}
    fields = [
        (f"`{name}`", f"`{str(each) if isinstance(each, Path) else repr(each)}`") for name, each in values.items()
    ]
    return _table(("field", "value"), fields)


def fits_columns() -> str:
    """Return the columns that `FitsColumns` takes by name.

    Returns
    -------
    str
        Markdown.
    """
    rows = [(f"`{c.name}`", c.type, "yes" if c.required else "", c.description) for c in FITS_COLUMNS.values()]
    return _page(_table(("name", "type", "required", "meaning"), rows))


def star_inputs() -> str:
    """Return everything that a probability model may ask about a star.

    Returns
    -------
    str
        Markdown.
    """
    return _page(_table(("input", "meaning"), [(f"`{name}`", text) for name, text in STAR_INPUTS.items()]))


def level_0_columns() -> str:
    """Return the columns of level-0 telemetry.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for column in ACA_COLUMNS.values():
        sizes = " ".join(map(str, column.sizes)) or "derived"
        unit = f"`{column.unit}`" if column.unit else ""
        absent = f"; `{column.default}` where files lack it" if column.default else ""
        rows.append((f"`{column.name}`", f"`{column.dtype}`", sizes, unit, f"{column.description}{absent}"))
    return _page(_table(("column", "type", "image sizes", "unit", "meaning"), rows))


def level_0_status() -> str:
    """Return the bits of the status bytes.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for column, fields in STATUS_FIELDS.items():
        for name, (low, width) in fields.items():
            bits = f"{low}" if width == 1 else f"{low + width - 1} to {low}"
            rows.append((f"`{column}`", bits, f"`{name}`"))
    return _page(_table(("column", "bits", "name"), rows))


def header_3_items() -> str:
    """Return the quantities of header 3.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for item in (*HDR3_ITEMS, CCD_TEMP_FINE):
        slots: dict[int, list[str]] = {}
        for slot, column in item.bytes:
            slots.setdefault(slot, []).append(column.removeprefix("HD3TLM"))
        where = "; ".join(f"{slot}: {' '.join(columns)}" for slot, columns in slots.items())
        step = "table" if item.kind == "thermistor" else _factor(item.factor)
        unit = f"`{item.unit}`" if item.unit else ""
        rows.append((f"`{item.id}`", f"`{item.name}`", where, item.kind, step, unit, item.longdesc))
    return _page(_table(("number", "name", "slot: bytes", "word", "times", "unit", "meaning"), rows))


def _factor(factor: float | None) -> str:
    """Return a factor as a decimal number, or as one over a power of two."""
    if factor is None:
        return ""
    return f"1/{1 / factor:.0f}" if factor < 1 and math.log2(factor).is_integer() else f"{factor:.10g}"


def header_3_bits() -> str:
    """Return the parts of words of header 3 that have names.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for item in HDR3_ITEMS:
        for field in item.bit_fields:
            high = field.low + field.width - 1
            bits = f"{field.low}" if field.width == 1 else f"{high} to {field.low}"
            stands = ", ".join(str(value) for value in field.values)
            text = f"{field.meaning}: {stands} {field.unit}" if stands else field.meaning
            rows.append((f"`{item.name}`", bits, f"`{field.name}`", text))
    return _page(_table(("quantity", "bits", "name", "meaning"), rows))


# ---- the house ------------------------------------------------------------------------------------------------------


def floors() -> str:
    """Return the floors of the core from the ground up, with what each module answers.

    Returns
    -------
    str
        Markdown.
    """
    tree = ast.parse((TOP / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    value = next(node.value for node in assigned if ast.unparse(node.targets[0]) == "FLOORS")
    rows = []
    for number, modules in enumerate(ast.literal_eval(value)):
        for name in sorted(modules):
            path = TOP / "aca_core" / f"{name}.py"
            path = path if path.exists() else path.with_suffix("") / "__init__.py"
            first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]
            rows.append((str(number), f"`{name}`", first))
    return _page(_table(("floor", "module", "what it answers"), rows))


def contract(name: str) -> str:
    """Return the fixtures and the tests of one contract of the kit.

    Parameters
    ----------
    name : str
        For example ``DarkSourceContract``.

    Returns
    -------
    str
        Markdown.
    """
    from aca_core import testing

    module = inspect.getsource(inspect.getmodule(getattr(testing, name)))  # type: ignore[arg-type]  # it has one
    tree = ast.parse(module)
    cls = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    attributes = _fields(_split(ast.get_docstring(cls) or "")[1].get("Attributes", ""))
    given = [(f"attribute `{each}`", meaning) for each, (_, meaning) in attributes.items()]
    checks = []
    for node in cls.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        text = " ".join((ast.get_docstring(node) or "").split())
        if any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list):
            if node.name != "offer":
                given.append((f"fixture `{node.name}`", text))
        elif node.name.startswith("test_"):
            checks.append((f"`{node.name}`", text))
    return _page(_table(("you give", "meaning"), given), _table(("test", "what it holds you to"), checks))


def example(path: str) -> str:
    """Return a file of the repository as a block of code.

    Parameters
    ----------
    path : str
        Below the top of the repository.

    Returns
    -------
    str
        Markdown.
    """
    language = {".py": "python", ".toml": "toml"}[Path(path).suffix]
    return _page(_fence(language, (TOP / path).read_text(encoding="utf-8").rstrip()))


# ---- words ----------------------------------------------------------------------------------------------------------


def _docstring(thing: object) -> tuple[str, dict[str, str]]:
    return _split(inspect.getdoc(thing) or "")


def _split(docstring: str) -> tuple[str, dict[str, str]]:
    """Return the text of a docstring, and its sections by title."""
    text, *rest = re.split(r"^(\w+)\n-+$", docstring, flags=re.MULTILINE)
    return text.strip(), dict(zip(rest[::2], rest[1::2], strict=True))


def _fields(section: str) -> dict[str, tuple[str, str]]:
    """Return the type and the meaning of each name in a section of a docstring."""
    found: dict[str, tuple[str, str]] = {}
    for match in re.finditer(r"^(\S.*?) : (.*)\n((?: +.*\n?)+)", section.strip("\n"), re.MULTILINE):
        for name in match[1].split(", "):
            found[name] = match[2], " ".join(match[3].split())
    return found


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words) or "none"


def _fence(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table, or nothing where it would have no rows."""
    lines = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    if not lines:
        return ""
    headings = list(headings)
    lines = [headings, ["---"] * len(headings), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _page(*parts: str, tight: bool = False) -> str:
    """Join parts with blank lines around them, so that the marks of cog do not touch the text."""
    joined = ("\n" if tight else "\n\n").join(part for part in parts if part)
    return f"\n{joined}\n\n"


# ---- into the pages -------------------------------------------------------------------------------------------------


def pages() -> list[Path]:
    """Return the pages that have generated parts.

    Returns
    -------
    list of Path
        Sorted.
    """
    found = (path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
    return sorted(path for path in found if "[[[cog" in path.read_text(encoding="utf-8"))


def run_cog(*options: str) -> int:
    """Run cog over the pages.

    Parameters
    ----------
    *options : str
        ``-r`` to write them, or ``--check`` and ``--diff`` to compare.

    Returns
    -------
    int
        What cog's command would exit with: 0, or 5 where a check fails.
    """
    from cogapp import Cog

    code: int = Cog().main(["cog", "-I", str(DOCS), *options, *(str(page) for page in pages())])
    return code


if __name__ == "__main__":
    sys.exit(run_cog("-r"))
