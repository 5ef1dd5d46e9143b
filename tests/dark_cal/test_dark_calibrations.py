"""Which source answers, what is kept of what was read, and that threads and other processes may share it."""

import json
import os
import pickle
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import attrs
import numpy as np
import pytest

from aca_core import (
    Config,
    ConfigError,
    DarkSettings,
    DarkSource,
    DeclarationError,
    IntegrityError,
    MissingDataError,
    Registry,
    UnknownNameError,
    open_archive,
    using,
)
from aca_core.dark_cal import (
    DarkCalibrations,
    get_dark_cal_dirs,
    get_dark_cal_id,
    get_dark_cal_ids,
    get_dark_cal_image,
    get_dark_cal_props,
    get_dark_cal_props_table,
    properties,
)
from aca_core.testing import write_dark_calibration

# ---- which source ---------------------------------------------------------------------------------------------------


def test_the_configuration_names_the_source(root):
    for name, expected in (("mica", True), ("ska", False)):
        config = Config(root=[root.parent], ska=root.parent / "ska", dark=DarkSettings(source=name))
        with using(open_archive(config=config)):
            if expected:
                assert get_dark_cal_id("2007:008") == "2007006"
            else:
                with pytest.raises(MissingDataError, match="dark source 'ska': there is no folder"):
                    get_dark_cal_id("2007:008")
                assert get_dark_cal_id("2007:008", source="mica") == "2007006"


def test_a_site_needs_no_archive_for_a_source_of_its_own(root, tmp_path, monkeypatch):
    (tmp_path / "aca.toml").write_text(f'[dark_sources.mica]\nroot = "{root}"\n')
    assert get_dark_cal_id("2007:008") == "2007006"
    (tmp_path / "aca.toml").unlink()
    with pytest.raises(ConfigError, match="aca_dark is relative to the archive root, and none is configured"):
        get_dark_cal_id("2007:008")


def test_calibrations_lie_in_several_roots(root, tmp_path):
    other = tmp_path / "second" / "aca_dark"
    write_dark_calibration(other, "2010001", t_ccd=-5.0)
    write_dark_calibration(other, "2007006", t_ccd=99.0)
    with using(open_archive(config=Config(root=[root.parent, other.parent]))):
        assert get_dark_cal_props("2011:001")["ccd_temp"] == -5.0
        assert get_dark_cal_props("2007:008")["ccd_temp"] == -19.852
        (root / "2007006" / "properties.json").unlink()
        with pytest.raises(MissingDataError, match="calibration 2007006 has no file"):
            get_dark_cal_props("2007:008")  # the root that has the folder answers for it
        assert get_dark_cal_props_table("2010:001", "2010:002").meta["root"] == f"{root} {other}"


def test_an_unknown_source_is_refused_with_those_that_there_are(archive):
    for function in (get_dark_cal_dirs, lambda name: get_dark_cal_image("2007:008", source=name)):
        with pytest.raises(
            UnknownNameError, match=r"no dark source is named 'mcia'\. Did you mean 'mica'\? Known: .*ska"
        ):
            function("mcia")


@pytest.mark.parametrize("form", [Path, str, lambda path: f"{path}/"], ids=["Path", "str", "slash"])
def test_a_folder_is_read_in_the_layout_that_it_has(root, tmp_path, form):
    assert get_dark_cal_props("2007:008", source=form(root))["ccd_temp"] == -19.852
    assert list(get_dark_cal_dirs(form(root))) == ["2006329", "2007006", "2007069", "2019272"]
    older = tmp_path / "older"
    write_dark_calibration(older, "2007006", image_file="imd.fits", properties_file=None)
    assert get_dark_cal_image("2007:008", source=form(older)).shape == (1024, 1024)
    assert DarkCalibrations.of(form(older)).source.name == "ska"
    with pytest.raises(MissingDataError, match="'ska' keeps no properties"):
        get_dark_cal_props("2007:008", source=form(older))


def test_a_folder_may_be_relative_or_at_home(root, tmp_path, monkeypatch):
    monkeypatch.chdir(root.parent)
    assert next(iter(get_dark_cal_ids(source="./aca_dark").values())) == "2006329"
    assert get_dark_cal_dirs(Path("aca_dark"))["2007006"] == str(root / "2007006")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert get_dark_cal_dirs("~/archive/aca_dark")["2007006"] == str(root / "2007006")


def test_a_folder_with_nothing_to_read_is_refused(tmp_path):
    for folder, message in (
        (tmp_path / "absent", "dark calibrations: there is no folder .*absent"),
        (tmp_path / "file", "dark calibrations: .*file is no folder"),
        (tmp_path / "strange", "none of the 1 calibrations in .*strange has one of the files .*imd.fits"),
    ):
        (tmp_path / "file").write_text("")
        (tmp_path / "strange" / "2007006").mkdir(parents=True, exist_ok=True)
        with pytest.raises(MissingDataError, match=message):
            get_dark_cal_dirs(folder)
    (tmp_path / "empty").mkdir()
    assert get_dark_cal_dirs(tmp_path / "empty") == {}
    with pytest.raises(MissingDataError, match=r"there is no dark calibration in dark source 'mica' \(.*empty\)"):
        get_dark_cal_image("2007:008", source=tmp_path / "empty")


@pytest.mark.parametrize("source", [5, "", b"mica", ["mica"], "a\0b/c"], ids=repr)
def test_what_is_no_source_is_refused(archive, source):
    with pytest.raises(DeclarationError, match="expected the name of a dark source, a folder or a DarkSource"):
        get_dark_cal_dirs(source)
    with pytest.raises(DeclarationError, match="source is None; expected a dark source"):
        DarkCalibrations(None)


def test_a_plugins_source_answers_like_any_other(root, tree, install_plugin):
    install_plugin(
        "night",
        f"""
from pathlib import Path
from aca_core import DatedTree, hookimpl

@hookimpl
def aca_dark_sources():
    return [DatedTree(name="night", label="maps", root=Path({str(root)!r}), image_file="image.fits",
                      properties_file="properties.json")]
""",
    )
    with using(open_archive(config=Config(root=[root.parent]))):
        assert get_dark_cal_props("2007:008", source="night")["ccd_temp"] == -19.852
    assert DarkCalibrations.of(tree).source is tree


# ---- what is kept of what was read ----------------------------------------------------------------------------------


def reads_of(tree, question):
    """Return which calibrations a question reads the properties of."""
    read = []

    def counted(self, dark_id):
        read.append(dark_id)
        return original(self, dark_id)

    original = type(tree).properties
    with patch.object(type(tree), "properties", counted):
        question()
    return read


def test_properties_are_read_once(tree, calibrations, trusting):
    assert reads_of(tree, calibrations.props_table) == list(tree.ids())
    assert reads_of(tree, calibrations.props_table) == []
    assert reads_of(tree, lambda: calibrations.props("2007:008")) == []
    assert reads_of(tree, lambda: DarkCalibrations(attrs.evolve(tree)).props_table(as_table=False)) == []
    assert calibrations.props("2007:008")["ccd_temp"] == -19.852


def rewritten(path):
    path.write_text(path.read_text().replace("-19.852", "-19.777"))


def replaced_by_older(path):
    new = path.with_name("new")
    shutil.copy2(path, new)
    status = path.stat()
    rewritten(new)
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(path)


@pytest.mark.parametrize("changed", [rewritten, replaced_by_older])
def test_a_change_is_noticed(root, calibrations, trusting, changed):
    assert calibrations.props("2007:008")["ccd_temp"] == -19.852
    changed(root / "2007006" / "properties.json")
    assert calibrations.props("2007:008")["ccd_temp"] == -19.777
    assert calibrations.props_table()["ccd_temp"][1] == -19.777


def test_a_new_and_a_removed_calibration_are_noticed(root, calibrations, trusting):
    assert len(calibrations.props_table()) == 4
    shutil.copytree(root / "2007069", root / "2007070")
    assert len(calibrations.props_table()) == 5
    shutil.rmtree(root / "2007069")
    assert len(calibrations.props_table()) == 4
    assert calibrations.id("2007:069:12:00:00") == "2007006"


def test_a_file_that_was_written_just_now_is_read_again(root, tree, calibrations):
    """Within one tick of its clock a file system does not show a second change."""
    assert tree.stamp("2007006") is None
    calibrations.props("2007:008")
    assert reads_of(tree, lambda: calibrations.props("2007:008")) == ["2007006"]


def test_sources_do_not_answer_for_each_other(root, tree, tmp_path, trusting):
    write_dark_calibration(tmp_path / "other", "2007006", t_ccd=1.0)
    other = attrs.evolve(tree, root=tmp_path / "other")
    for _ in range(2):
        assert DarkCalibrations(tree).props("2007:008")["ccd_temp"] == -19.852
        assert DarkCalibrations(other).props("2007:008")["ccd_temp"] == 1.0


def test_not_more_is_kept_than_is_good(tree, calibrations, trusting, monkeypatch):
    monkeypatch.setattr(properties, "_KEPT", {})
    monkeypatch.setattr(properties, "_MOST_KEPT", 2)
    for _ in range(3):
        assert len(calibrations.props_table()) == 4
        assert len(properties._KEPT) == 2


@attrs.frozen(kw_only=True)
class CountingSource(DarkSource):
    """Properties that change with every look, and no stamp that would tell."""

    looks: list = attrs.field(factory=list, eq=False)

    def ids(self):
        return ("2007006",)

    def directory(self, dark_id):
        return Path.cwd()

    def image(self, dark_id):
        raise MissingDataError("no map")

    def properties(self, dark_id):
        self.looks.append(dark_id)
        return {"ccd_temp": float(len(self.looks))}


@pytest.mark.parametrize("given", [np.zeros((512, 512)), np.zeros((1024, 1024), int)], ids=["shape", "kind"])
def test_what_a_plugin_gives_for_a_map_is_looked_at(given, monkeypatch):
    monkeypatch.setattr(CountingSource, "image", lambda self, dark_id: given)
    calibrations = DarkCalibrations(CountingSource(name="counting", label="counting"))
    message = rf"^dark source 'counting', calibration 2007006: gives {given.dtype} of shape \({len(given)}, "
    with pytest.raises(IntegrityError, match=message):
        calibrations.image("2008:001")


def test_what_a_plugin_gives_instead_of_an_array_or_a_mapping_is_named(monkeypatch):
    monkeypatch.setattr(CountingSource, "image", lambda self, dark_id: [[1.0]])
    monkeypatch.setattr(CountingSource, "properties", lambda self, dark_id: None)
    calibrations = DarkCalibrations(CountingSource(name="counting", label="counting"))
    with pytest.raises(IntegrityError, match=r"^dark source 'counting', calibration 2007006: gives a list for a map"):
        calibrations.image("2008:001")
    for question in (lambda: calibrations.props("2008:001"), calibrations.props_table):
        with pytest.raises(IntegrityError, match=r"calibration 2007006: gives a NoneType for properties; expected a"):
            question()


def test_a_map_that_a_plugin_keeps_stays_as_it_is(monkeypatch):
    kept = np.full((1024, 1024), -5.0, dtype=np.float32)
    kept[0, 0] = 100.0
    monkeypatch.setattr(CountingSource, "image", lambda self, dark_id: kept)
    monkeypatch.setattr(CountingSource, "properties", lambda self, dark_id: {"ccd_temp": -11.0})
    calibrations = DarkCalibrations(CountingSource(name="counting", label="counting"))
    for _ in range(2):
        image = calibrations.image("2008:001", t_ccd_ref=-15.0)
        assert (image[0, 0], image.min(), image.dtype) == (np.float32(70.0), 0.0, np.dtype(np.float32))
    assert (kept[0, 0], kept.min()) == (100.0, -5.0)


def test_without_a_stamp_nothing_is_kept():
    calibrations = DarkCalibrations(CountingSource(name="counting", label="counting"))
    assert [calibrations.props("2008:001")["ccd_temp"] for _ in range(3)] == [1.0, 2.0, 3.0]
    table = calibrations.props_table()
    assert table["ccd_temp"].tolist() == [4.0]
    assert table.meta["root"] == ""


# ---- shared ---------------------------------------------------------------------------------------------------------


def test_what_was_sent_to_another_process_answers_the_same(calibrations):
    arrived = pickle.loads(pickle.dumps(calibrations))
    assert arrived == calibrations
    assert arrived.id("2007:008") == "2007006"
    assert arrived.props_table().pformat() == calibrations.props_table().pformat()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        calibrations.source = None


@pytest.mark.parametrize("settled", [True, False])
def test_many_threads_get_what_each_asked_for(root, tree, settled, monkeypatch):
    """Also while files change: never the properties of another date, never half of them."""
    from aca_core import dark_sources

    ids = [f"2008{day:03d}" for day in range(1, 31)]
    for dark_id in ids:
        folder = root / dark_id
        folder.mkdir()
        (folder / "properties.json").write_text(
            json.dumps({"id": dark_id, "ccd_temp": float(dark_id), "replicas": [1]})
        )
    monkeypatch.setattr(dark_sources, "_SETTLED", 0 if settled else 10**12)
    calibrations = DarkCalibrations(tree)

    def ask(number):
        dark_id = ids[number % len(ids)]
        date = f"2008:{dark_id[4:]}:12:00:00"
        if number % 50 == 0:
            table = calibrations.props_table("2008:001", "2008:030")
            return table["id"].tolist() == ids
        if number % 7 == 0:
            new = root / dark_id / f"new{number}"
            shutil.copy(root / dark_id / "properties.json", new)
            new.replace(root / dark_id / "properties.json")
        found = calibrations.props(date)
        right = found == {"id": dark_id, "ccd_temp": float(dark_id), "replicas": [1]}
        found["replicas"].append(2)
        return right

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(ask, range(1500)))
    finally:
        sys.setswitchinterval(interval)


def test_threads_with_different_archives_do_not_disturb_each_other(root, tmp_path):
    write_dark_calibration(tmp_path / "other" / "aca_dark", "2007006", t_ccd=1.0)
    archives = [(open_archive(root.parent), -19.852), (open_archive(tmp_path / "other"), 1.0)]

    def ask(number):
        archive, expected = archives[number % 2]
        with using(archive):
            return get_dark_cal_props("2007:008")["ccd_temp"] == expected

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))


def test_the_registry_lists_both_shipped_sources():
    assert {source.name for source in Registry().offers(DarkSource)} >= {"mica", "ska"}
