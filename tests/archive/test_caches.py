"""What is kept between questions is asked again when its source has changed."""

import os
import threading
import time
from pathlib import Path

import pytest

from aca_core import ArchiveProduct, FitsColumns, Version
from aca_core.archive.index import Index
from aca_core.config_layers import config_in_force
from aca_core.errors import ConfigError

LONG_AGO = time.time_ns() - 3600 * 10**9


@pytest.fixture
def index(tmp_path):
    version = Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_")
    product = ArchiveProduct(name="sim1", version=version, columns=FitsColumns("tstart", "revision"))
    return Index(tmp_path / "archfiles.db3", product)


class TestIndex:
    def count(self, index):
        """Return the number of conflicts, and whether that was asked of the file."""
        asked = []

        def ask():
            asked.append(True)
            return len(index.select("SELECT * FROM aca_conflicts"))

        return index.remembered("count", ask), bool(asked)

    def add(self, index, name):
        with index.writing() as database:
            database.table("aca_conflicts").insert({"unit": "06/06000_v01", "filename": name})

    def test_an_answer_is_kept_until_something_is_committed(self, index):
        index.make()
        assert self.count(index) == (0, True)
        assert self.count(index) == (0, False)
        self.add(index, "a")
        assert self.count(index) == (1, True)
        assert self.count(index) == (1, False)

    def test_each_thread_sees_what_another_has_committed(self, index):
        index.make()
        assert self.count(index) == (0, True)
        thread = threading.Thread(target=self.add, args=(index, "a"))
        thread.start()
        thread.join()
        assert self.count(index) == (1, True)

    def test_nothing_is_kept_of_an_index_that_is_not_there(self, index):
        assert index.columns() == ()
        assert not index.has_our_tables()
        index.make()
        assert "tstart" in index.columns()
        assert index.has_our_tables()

    def test_another_file_in_its_place_is_asked_again(self, index, tmp_path):
        index.make()
        self.add(index, "a")
        assert self.count(index) == (1, True)
        other = Index(tmp_path / "other.db3", index.product)
        other.make()
        other.path.rename(index.path)
        assert self.count(index) == (0, True)

    def test_a_block_of_questions_sees_one_state(self, index):
        index.make()
        with index.reading():
            assert self.count(index) == (0, True)
            assert self.count(index) == (0, False)


class TestConfigInForce:
    @pytest.fixture
    def file(self, tmp_path, monkeypatch):
        for name in ("ACA_CONFIG", "ACA_DATA", "ACA_DISABLE_PLUGINS", "ACA_STRICT_PLUGINS", "SKA", "MICA_ARCHIVE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        return self.write(tmp_path / "aca.toml", "one")

    def write(self, file, root, age=LONG_AGO):
        file.write_text(f'root = "/{root}"')
        os.utime(file, ns=(age, age))
        return file

    @pytest.fixture(autouse=True)
    def settled(self, monkeypatch):
        """Take the change of a file's inode, which no test can date back, for as old as its content."""
        monkeypatch.setattr("aca_core.config_layers._SETTLED", -(3600 * 10**9))

    def root(self):
        return config_in_force().root

    def test_it_is_read_once(self, file, monkeypatch):
        monkeypatch.setenv("ACA_CONFIG", str(file))
        assert config_in_force() is config_in_force()
        assert self.root() == (Path("/one"),)

    def test_it_is_read_again_when_the_file_has_changed(self, file, monkeypatch):
        monkeypatch.setenv("ACA_CONFIG", str(file))
        assert self.root() == (Path("/one"),)
        self.write(file, "two", LONG_AGO + 10**9)
        assert self.root() == (Path("/two"),)
        self.write(other := file.with_name("other.toml"), "six", LONG_AGO + 10**9)
        other.replace(file)  # of the same size and time
        assert self.root() == (Path("/six"),)

    def test_a_file_that_was_removed_is_missed(self, file, monkeypatch):
        monkeypatch.setenv("ACA_CONFIG", str(file))
        assert self.root() == (Path("/one"),)
        file.unlink()
        with pytest.raises(ConfigError):
            self.root()

    def test_each_variable_counts(self, file, monkeypatch):
        assert self.root() == ()
        monkeypatch.setenv("MICA_ARCHIVE", "/mica")
        assert self.root() == (Path("/mica"),)
        monkeypatch.setenv("ACA_CONFIG", str(file))
        assert self.root() == (Path("/one"),)
        monkeypatch.setenv("ACA_DATA", "/data")
        assert self.root() == (Path("/data"),)
        monkeypatch.setenv("ACA_DISABLE_PLUGINS", "asp1")
        assert config_in_force().plugins.disable == ("asp1",)
        monkeypatch.delenv("ACA_DATA")
        assert self.root() == (Path("/one"),)

    def test_the_current_folder_counts(self, file, tmp_path, monkeypatch):
        monkeypatch.setenv("ACA_DATA", "data")
        assert self.root() == (tmp_path / "here/data",)
        monkeypatch.chdir(tmp_path)
        assert self.root() == (tmp_path / "data",)

    def test_a_file_that_appears_is_found(self, file, tmp_path):
        assert self.root() == ()
        (tmp_path / "config/aca_core").mkdir(parents=True)
        self.write(tmp_path / "config/aca_core/aca.toml", "user")
        assert self.root() == (Path("/user"),)
        self.write(tmp_path / "here/aca.toml", "here")
        assert self.root() == (Path("/here"),)

    def test_a_file_that_was_written_just_now_is_read_each_time(self, file, monkeypatch):
        monkeypatch.setattr("aca_core.config_layers._SETTLED", 3600 * 10**9)
        monkeypatch.setenv("ACA_CONFIG", str(file))
        assert config_in_force() is not config_in_force()

    def test_a_current_folder_that_was_removed_does_no_harm(self, file, monkeypatch):
        monkeypatch.setenv("ACA_DATA", "/data")
        Path.cwd().rmdir()
        assert self.root() == (Path("/data"),)
