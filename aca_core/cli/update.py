"""``aca update``: bring the archive up to date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import as_iso, counted, write_json, write_lines, write_table
from aca_core.cli.parameters import OBSID, Seconds, Whole
from aca_core.cli.progress import progress
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.archive import Archive, Item, ProductUpdate, UpdateOptions
    from aca_core.archive.reports import UpdateReport
    from aca_core.archive.sets import PlannedUpdate

__all__ = ["exit_code", "run_updates", "update", "write_updates"]


def _as_version(ctx: click.Context, param: click.Parameter, value: str) -> str | int:
    if value in ("default", "last"):
        return value
    if value.isascii() and value.isdigit() and len(value) <= 3:
        return int(value)
    raise click.BadParameter(f"{value!r} is no version; expected default, last or a number", ctx, param)


def _as_secs(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    from aca_core.dates import to_secs
    from aca_core.errors import DateError

    try:
        return float(to_secs(value))
    except DateError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command()
@click.argument("products", nargs=-1, metavar="[PRODUCT]...")
@click.option("--set", "set_name", metavar="NAME", help="The products of this set, in its order.")
@click.option("--obsid", type=OBSID, metavar="N", help="Only this observation, whether it is new or not.")
@click.option(
    "--version",
    default="default",
    metavar="default|last|N",
    callback=_as_version,
    help="With --obsid: the released version (the default), the newest, or a number.",
)
@click.option("--jobs", type=Whole(1, 10_000), metavar="N", help="How many workers, in place of what the set says.")
@click.option("--dry-run", is_flag=True, help="Show what would be worked on; fetch and write nothing.")
@click.option("--rebuild", is_flag=True, help="Begin again with the first run of the catalogue.")
@click.option("--first-run", is_flag=True, help="Of what is not archived yet, take the released version only.")
@click.option("--retry-failed", is_flag=True, help="Try all that failed, whatever its time.")
@click.option("--recheck", is_flag=True, help="Ask again about what is archived: a release may have been withdrawn.")
@click.option(
    "--since",
    metavar="DATE",
    callback=_as_secs,
    help="With --recheck: what begins later. For products by day: where to begin.",
)
@click.option("--until", metavar="DATE", callback=_as_secs, help="For products by day: where to end; now by default.")
@click.option(
    "--replace",
    is_flag=True,
    help="Fetch what is archived too, and swap the files that come with other bytes.",
)
@click.option(
    "--wait",
    type=Seconds(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another writer.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def update(
    session: Session,
    products: tuple[str, ...],
    set_name: str | None,
    obsid: int | None,
    version: Any,
    jobs: int | None,
    dry_run: bool,
    rebuild: bool,
    first_run: bool,
    retry_failed: bool,
    recheck: bool,
    since: float | None,
    until: float | None,
    replace: bool,
    wait: float,
    as_json: bool,
) -> int:
    """Fetch what is new, verify it and archive it; let links and index follow what is released.

    Without PRODUCT and --set, the products of all sets, each once. A PRODUCT is updated through the first set that has
    it. What fails is remembered with its reason, tried again later and blocks nothing else; 'aca status' shows it.
    Ctrl-C leaves the archive sound, and the next update goes on from there.

    With --obsid a version that is archived already is fetched again and compared only where the product says so
    ("recheck" in its declaration). That of another product is fetched again with --replace alone. An observation that
    is asked for by --obsid and cannot be had is an error, and is not remembered.

    Exit code 3 means that the update ended and something in it needs attention: a failed item, a file that came with
    other bytes, a change that a plugin could not take. With 1, a product failed as a whole; the others were updated.

    \b
    Examples:
      aca update
      aca update --set nightly --jobs 4
      aca update asp1 --obsid 8010 --version last
      aca update --dry-run
    """
    from aca_core.archive import UpdateOptions, chosen_products

    options = UpdateOptions(
        obsid=obsid,
        version=version,
        rebuild=rebuild,
        first_run=first_run,
        retry_failed=retry_failed,
        recheck=recheck,
        since=since,
        until=until,
        replace=replace,
    )
    _check_usage(options, products, set_name)
    archive = session.archive
    chosen = chosen_products(archive, products, set_name, by_obsid=obsid is not None and not products)
    _check_range(archive, chosen, options)
    if dry_run:
        return _plan(archive, chosen, options, as_json=as_json)
    results = run_updates(session, archive, chosen, options, jobs=jobs, wait=wait)
    not_begun = [product for product, _ in chosen[len(results) :]]
    if as_json:
        write_json({"products": [_as_data(each) for each in results], "not_begun": not_begun})
    else:
        write_updates(results)
    if not_begun:
        click.echo(f"aca: the update ended there; not begun: {', '.join(not_begun)}", err=True)
    return exit_code(results)


def _check_usage(options: UpdateOptions, products: tuple[str, ...], set_name: str | None) -> None:
    """Refuse what does not go together."""
    if products and set_name is not None:
        raise click.UsageError("give products or --set, not both: a product is updated through the first set with it")
    if options.obsid is None and options.version != "default":
        raise click.UsageError("--version is that of one observation; give --obsid too")
    if options.obsid is not None:
        for name in ("rebuild", "first_run", "retry_failed", "recheck", "since", "until"):
            if getattr(options, name) not in (False, None):
                raise click.UsageError(f"--{name.replace('_', '-')} does not go with --obsid, which names what to do")
    if options.since is not None and options.until is not None and options.since > options.until:
        raise click.UsageError("--since is later than --until")


def _check_range(archive: Archive, chosen: list[tuple[str, str]], options: UpdateOptions) -> None:
    """Refuse a range of time that nothing would look at."""
    from aca_core.archive.sets import is_by_obsid

    if not all(is_by_obsid(archive, product) for product, _ in chosen):
        return
    if options.until is not None:
        raise click.UsageError("--until is for products by day, and these are by obsid")
    if options.since is not None and not options.recheck:
        raise click.UsageError("--since is for --recheck, or for products by day; these are by obsid")


# ---- what would be done ---------------------------------------------------------------------------------------------


def _plan(archive: Archive, chosen: list[tuple[str, str]], options: UpdateOptions, *, as_json: bool) -> int:
    from aca_core.archive import plan_products
    from aca_core.cli import ERROR

    plans = list(plan_products(archive, chosen, options))
    if as_json:
        rows = [
            {
                "product": plan.product,
                "set": plan.set_name,
                "items": [_item(item) for item in plan.items],
                "error": None if plan.error is None else str(plan.error),
            }
            for plan in plans
        ]
        write_json({"dry_run": True, "products": rows})
    else:
        _write_plans(plans)
    return ERROR if any(plan.error for plan in plans) else 0


def _write_plans(plans: list[PlannedUpdate]) -> None:
    from aca_core.archive.words import words_for

    rows = [
        (plan.product, plan.set_name, words_for(item), "" if item.run_id is None else str(item.run_id), _why(item))
        for plan in plans
        for item in plan.items
    ]
    if rows:
        write_table(("product", "set", "item", "run", "why"), rows, right=("run",))
        click.echo()
    _tell_errors(plans)
    untold = [plan.product for plan in plans if plan.error is not None]
    number = counted(len(rows), "item") if rows else "nothing"
    if untold:
        known = f"; of the others: {number}" if len(untold) < len(plans) else ""
        number = f"not known of {', '.join(untold)}, which could not be asked{known}"
    click.echo(f"To do: {number}. Nothing was fetched or written; what is provisional is asked for by the update only.")


def _why(item: Item) -> str:
    if item.state == "failed":
        return f"has failed: {item.reason}"
    return item.reason or ("interrupted" if item.state == "staged" else "new")


# ---- what was done --------------------------------------------------------------------------------------------------


def run_updates(
    session: Session,
    archive: Archive,
    chosen: list[tuple[str, str]],
    options: UpdateOptions,
    *,
    jobs: int | None = None,
    wait: float = 60.0,
) -> list[ProductUpdate]:
    """Update products, tell how far it is on standard error, and return what became of each."""
    import contextlib
    import sys

    from aca_core.archive import update_products

    archive.registry.load()  # what was set aside is told before anything else
    # On a terminal the result tells what failed; a log wants it when it happens.
    terminal = sys.stderr is not None and sys.stderr.isatty()
    try:
        with session.quietly() if terminal else contextlib.nullcontext(), progress(session) as tell:
            if not terminal:
                session.say(f"the update of {', '.join(product for product, _ in chosen)} begins")
            return list(update_products(archive, chosen, options, jobs=jobs, wait=wait, told=tell))
    except KeyboardInterrupt:
        click.echo("\naca: what was committed stays; the next update goes on with the rest", err=True)
        raise


def write_updates(results: list[ProductUpdate]) -> None:
    """Write what became of each product: a table, and below it what needs attention."""
    counts = ("updated", "new files", "failed", "conflicts", "waiting")
    write_table(("product", "set", *counts), [_row(each) for each in results], right=counts, spare=counts[2:])
    lines = [line for each in results if each.report for line in _lines(each, each.report)]
    late = sum(each.not_due for each in results)
    said = f"{late} that failed {'is' if late == 1 else 'are'} not due yet"
    hint = f"(--retry-failed tries {'it' if late == 1 else 'them'} now)"
    if not lines and all(each.report and not each.report.changes for each in results):
        lines.append(f"Nothing is new; {said} {hint}." if late else "Nothing is new.")
    elif late:
        lines.append(f"Of what was asked for before, {said} {hint}.")
    if lines:
        write_lines(["", *lines])
    _tell_errors(results)


def _tell_errors(results: Iterable[ProductUpdate | PlannedUpdate]) -> None:
    for each in results:
        if each.error is not None:
            from aca_core.cli import line_of

            click.echo(f"aca: {each.product}: {line_of(each.error)}", err=True)


def _row(each: ProductUpdate) -> tuple[str, ...]:
    report = each.report
    if report is None:
        return (each.product, each.set_name, "error", "", "", "", "")
    numbers = (len(_units(report)), each.new_files, len(report.failed), len(report.conflicts), each.waiting)
    return (each.product, each.set_name, *(str(number) for number in numbers))


def _units(report: UpdateReport) -> list[str]:
    return sorted({str(change.unit) for change in report.changes})


def _lines(each: ProductUpdate, report: UpdateReport) -> Iterator[str]:
    """Yield what is to be said beside the numbers."""
    from aca_core.archive.words import failures_in

    name = each.product
    yield from failures_in(name, report.failed)
    for conflict in report.conflicts:
        yield f"{name} {conflict} came with other bytes than those that are archived; --replace would swap it"
    for subscriber, reason in report.undelivered.items():
        yield f"{name}: {subscriber} could not take a change, and is told again by the next update: {reason}"
    for note in report.notes:
        if not any(note.startswith(str(conflict)) for conflict in report.conflicts):
            yield f"{name}: {note}"


def exit_code(results: list[ProductUpdate]) -> int:
    """Return the exit code of an update."""
    from aca_core.cli import ATTENTION, ERROR

    if any(each.error is not None for each in results):
        return ERROR
    return ATTENTION if any(each.needs_attention for each in results) else 0


def _as_data(each: ProductUpdate) -> dict[str, Any]:
    report = each.report
    data = {"product": each.product, "set": each.set_name, "error": None if each.error is None else str(each.error)}
    if report is None:
        return data
    return {
        **data,
        "updated": _units(report),
        "new_files": each.new_files,
        "failed": [_item(item) for item in report.failed],
        "conflicts": [str(conflict) for conflict in report.conflicts],
        "undelivered": report.undelivered,
        "waiting": each.waiting,
        "not_due": each.not_due,
        "notes": report.notes,
    }


def _item(item: Item) -> dict[str, Any]:
    import attrs

    return {**attrs.asdict(item), "tried": as_iso(item.tried), "next_try": as_iso(item.next_try)}
