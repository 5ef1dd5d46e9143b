"""Time by stage: functions of the library are timed where they are called, for as long as a block runs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest.mock import patch

import attrs

Places = Sequence[tuple[object, str]]


@attrs.define
class Stopwatch:
    """Time spent in each stage, s.

    Attributes
    ----------
    stages : mapping of str to sequence of tuple
        For each stage the functions that do it: where each is looked up when it is called, and its name there.
    within : mapping of str to str
        Stages that are part of another one, whose time is less by theirs.
    """

    stages: Mapping[str, Places]
    within: Mapping[str, str] = attrs.field(factory=dict)
    spent: dict[str, float] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.spent = dict.fromkeys(self.stages, 0.0)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Time the stages in a block."""
        with contextlib.ExitStack() as stack:
            for stage, places in self.stages.items():
                for owner, name in places:
                    stack.enter_context(patch.object(owner, name, self._timed(stage, getattr(owner, name))))
            yield

    def _timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - start
                self.spent[stage] += took
                if stage in self.within:
                    self.spent[self.within[stage]] -= took

        return timed
