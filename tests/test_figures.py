"""Figures: one style that leaves matplotlib's own settings alone, files that are whole, and no matplotlib in words."""

import sys

import matplotlib as mpl
import pytest

from aca_core import AcaError, DeclarationError
from aca_core.figures import new_figure, save_figure, styled


@pytest.fixture
def figure():
    with styled():
        figure = new_figure()
        figure.subplots().plot([1, 2], [3, 4])
    return figure


def test_the_style_ends_with_its_block(monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)  # where another test had windows
    before = {key: mpl.rcParams[key] for key in ("axes.grid", "axes.prop_cycle", "font.size")}
    with styled():
        assert mpl.rcParams["axes.grid"]
        assert mpl.rcParams["font.size"] != before["font.size"]
    assert {key: mpl.rcParams[key] for key in before} == before
    assert "matplotlib.pyplot" not in sys.modules, "figures need no windows"


@pytest.mark.parametrize(("name", "start"), [("f.png", b"\x89PNG"), ("f.svg", b"<?xml"), ("f.pdf", b"%PDF")])
def test_a_figure_is_written_in_the_format_of_its_name(tmp_path, figure, name, start):
    path = save_figure(figure, tmp_path / name)
    assert path.read_bytes().startswith(start)
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == [name]


def test_another_format_is_refused_before_anything_is_written(tmp_path, figure):
    with pytest.raises(DeclarationError, match=r"path is '.*f\.gif'; expected a name that ends in \.png, \.svg, \.pdf"):
        save_figure(figure, tmp_path / "f.gif")


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(AcaError, match=r"pip install 'aca-core\[plot\]'"), styled():
        pass
