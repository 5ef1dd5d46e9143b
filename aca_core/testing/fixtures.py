"""The fixtures that pytest finds wherever aca-core is installed. Imports nothing of ours before it is used."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

__all__ = ["PluginInstaller", "install_plugin"]


class PluginInstaller:
    """Installs plugins into a folder on ``sys.path``, as pip would, without pip.

    What it writes is what discovery reads: a module, and a ``*.dist-info`` folder with METADATA and entry_points.txt.

    Parameters
    ----------
    site : Path
        The folder.
    """

    def __init__(self, site: Path) -> None:
        self.site = site

    def __call__(
        self,
        name: str,
        source: str | None,
        *,
        distribution: str = "aca-test",
        version: str = "1.0",
        requires: Sequence[str] = (),
        group: str = "aca_core",
        value: str | None = None,
    ) -> str:
        """Install one plugin.

        Parameters
        ----------
        name : str
            Name of the entry point.
        source : str or None
            The plugin's module; None installs no module, so that importing it fails.
        distribution, version : str
            As pip would show them. Several plugins may share a distribution.
        requires : sequence of str
            The distribution's requirements, for example ``aca-core>=2``.
        group : str
            The entry-point group; ``aca_core.commands`` for a command.
        value : str, optional
            What the entry point names; the module by default. Its module part is where `source` goes.

        Returns
        -------
        str
            The plugin's id.
        """
        value = value or f"{distribution}_{name}".replace("-", "_")
        if source is not None:
            (self.site / f"{value.partition(':')[0]}.py").write_text(source, encoding="utf-8")
        info = self.site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        lines = [f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}"]
        lines += [f"Requires-Dist: {each}" for each in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        with (info / "entry_points.txt").open("a", encoding="utf-8") as file:
            file.write(f"[{group}]\n{name} = {value}\n")
        _forget_what_the_path_held()
        return f"{distribution}:{name}"


def _forget_what_the_path_held() -> None:
    import importlib

    importlib.invalidate_caches()
    opened = sys.modules.get("aca_core.archive.current")  # without importing it: what is not there has opened nothing
    if opened is not None:
        opened.forget_opened()


@pytest.fixture
def install_plugin(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PluginInstaller]:
    """Install throw-away plugins for one test; they are gone when it ends.

    Yields
    ------
    PluginInstaller
        Call it with an entry point's name and a module's source.
    """
    site = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(site)
    yield PluginInstaller(site)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(site)):
            del sys.modules[name]
    _forget_what_the_path_held()
