"""How long work is told while it goes on: a bar on a terminal, plain lines elsewhere; on standard error, both."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from aca_core.cli.session import Session

__all__ = ["Tell", "progress"]

Tell = Callable[[str], Callable[[str, int, int], None]]
"""Called with the name of a piece of work; returns what is called with what is done, how many, and of how many."""


@contextlib.contextmanager
def progress(session: Session, every: float = 0.0) -> Iterator[Tell]:
    """Tell how far work is for a block.

    Parameters
    ----------
    session : Session
        Whose lines begin with the time from now on, where there is no terminal.
    every : float, default 0
        Where there is no terminal: how long to be silent between two lines, s; the last line of a piece always comes.

    Yields
    ------
    callable
        Called with the name of a piece of work, such as a product's; returns what the engine calls as it goes on.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        session.stamped = True
        yield _Lines(session, every)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    # It is gone when the work is done: what is left on the screen is the result.
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bars(bars)


class _Bars:
    """One bar on a terminal, for one piece of work after the other."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars

    def __call__(self, name: str) -> Callable[[str, int, int], None]:
        for before in self.bars.task_ids:
            self.bars.remove_task(before)
        task: TaskID = self.bars.add_task(name, total=None, text="", count="")

        def told(text: str, done: int, total: int) -> None:
            count = f"{done}/{total}" if total else ""
            self.bars.update(task, completed=done, total=total or None, text=text[-50:], count=count)

        return told


class _Lines:
    """One line for each thing that is done, for logs."""

    def __init__(self, session: Session, every: float) -> None:
        self.session = session
        self.every = every
        self.last = time.monotonic() if every else float("-inf")

    def __call__(self, name: str) -> Callable[[str, int, int], None]:
        def told(text: str, done: int, total: int) -> None:
            if done != total and time.monotonic() - self.last < self.every:
                return
            self.last = time.monotonic()
            self.session.say(f"{name}: {text}{f' ({done} of {total})' if total else ''}")

        return told
