"""A site that processes simulated calibrations: helpers of these tests."""

from __future__ import annotations

from aca_core import Config, DarkSettings, open_archive

DARK_IDS = ("1999223", "2000326", "2012115", "2019272")


def write_table(path, header, rows):
    """Write a CSV file, and return its path."""
    path.write_text("\n".join([header, *(",".join(str(cell) for cell in row) for row in rows)]) + "\n")
    return path


def site_of(simulated, **dark):
    """Open the archive of a site that processes simulated calibrations."""
    settings = {name: getattr(simulated.settings, name) for name in ("events", "aacccdpt", "hdr3")}
    return open_archive(
        config=Config(root=[simulated.folder], ska=simulated.ska, dark=DarkSettings(**{**settings, **dark}))
    )
