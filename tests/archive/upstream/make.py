"""Make, or put together, a synthetic archive as older tools left it; see the README beside this file.

Run as a script it writes what is checked in: ``tree/``, ``links.txt`` and the dumps. The tests call `build`, which puts
these together below a folder.
"""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent

SYNTHETIC = "synthetic, made up for the tests of aca_core; not from flight"

# ---- the SQL of older archives, to the letter -----------------------------------------------------------------------

ASP1_SQL = """\
CREATE TABLE archfiles (
  filename        text not null,
  filetime        int  not null,
  year            int  not null,
  doy             int  not null,
  tstart          float not null,
  tstop           float not null,
  checksum        text ,
  ascdsver        text ,
  caldbver        text ,
  content         text ,
  revision        int ,
  obsid           int  not null,
  date            text not null,
  isdefault       int ,
  CONSTRAINT pk_archfiles PRIMARY KEY (filename)
);

CREATE INDEX idx_archfiles_filetime ON archfiles (filetime);
CREATE INDEX idx_archfiles_obsid ON archfiles (obsid);
CREATE INDEX idx_archfiles_tstart ON archfiles (tstart);
CREATE INDEX idx_archfiles_tstop ON archfiles (tstop);
"""

OBSPAR_COLUMNS = """
    filename=text obsid=int title=text observer=text ao=text object=text ss_object=text obs_id=text obi_num=int
    seq_num=text instrume=text grating=text detector=text detnam=text si_mode=text optical_monitor=text raster_scan=text
    dither=text dither_y_amp=float dither_z_amp=float dither_y_freq=float dither_z_freq=float dither_y_phase=float
    dither_z_phase=float ra_pnt=float dec_pnt=float roll_pnt=float ra_targ=float dec_targ=float y_det_offset=float
    z_det_offset=float radial_offset=float defocus=float sim_z_offset=float pre_id=text uninterrupted=text
    seg_max_num=int ra_nom=float dec_nom=float roll_nom=float date_obs=text date_end=text tstart=float tstop=float
    sched_start=float sched_stop=float sched_exp_time=float obs_mode=text maneuver=text maneuver_v1=float
    maneuver_v2=float maneuver_v3=float maneuver_angle=float maneuver_ref=text mjdref=float timezero=float timeunit=text
    timesys=text timversn=text datamode=text readmode=text ccdi0_on=text ccdi1_on=text ccdi2_on=text ccdi3_on=text
    ccds0_on=text ccds1_on=text ccds2_on=text ccds3_on=text ccds4_on=text ccds5_on=text dropped_chip_count=int
    onchip_sum=text sumrow=int sumcol=int subarray=text startrow=int rowcnt=int subarray_frame_time=float
    duty_cycle=text dtycycle=int exptimea=float exptimeb=float most_efficient=text eventfilter=text phamin=float
    pharange=float bias_request=text mode=text mission=text telescop=text sim_x=float sim_y=float sim_z=float
    foc_len=float py_shutter_position=int my_shutter_position=int range_switch_level=int antico_enable=text
    upper_level_disc=int timing_mode=text trigger_level=int u_blank_hi=int u_blank_low=int v_blank_low=int
    v_blank_hi=int uld_enable=tetxt zero_block=text blank_enable=text width_enable=text spect_mode=text
    width_threshold=int mt_a=float mt_aop=float mt_e=float mt_epoch=float mt_i=float mt_ma=float mt_raan=float
    timeref=text tassign=text origin=text ascdsver=text obi_data=text revision=int obspar_ver=int obspar_type=text
    obspar_stat=text content=text isdefault=int
"""
"""The 130 columns of obspar with their types, ``tetxt`` among them."""

OBSPAR_TYPES = dict(column.split("=") for column in OBSPAR_COLUMNS.split())


def _obspar_sql() -> str:
    more = {"filename": " not null", "obsid": " not null", "content": " default 'OBSPAR'"}
    columns = "".join(f"  {name} {kind}{more.get(name, '')},\n" for name, kind in OBSPAR_TYPES.items())
    indexes = "".join(f"CREATE INDEX idx_archfiles_{name} ON archfiles ({name});\n" for name in ("obsid", "tstart"))
    return f"CREATE TABLE archfiles (\n{columns}  CONSTRAINT pk_archfiles PRIMARY KEY (filename)\n);\n\n{indexes}"


OBSPAR_SQL = _obspar_sql()

PROCESSING_SQL = """\
CREATE TABLE aspect_1_proc (
  aspect_1_id     int not null,
  obsid           int not null,
  obi             int not null,
  revision        int ,
  ap_date         text ,
  isdefault       int ,
  obspar_version  int ,
  vv_complete     int not null default 0,
  CONSTRAINT pk_archfiles PRIMARY KEY (aspect_1_id)
);
"""

# ---- the cases ------------------------------------------------------------------------------------------------------

ASP1 = {
    1: (4,),
    36: (1,),
    2121: (2, 3, 4),
    3001: (1,),
    3002: (1,),
    3003: (1,),
    3004: (1,),
    3005: (1,),
    3006: (1, 2),
    3007: (1, 2),
    3008: (1,),
    3009: (1, 2),
    3010: (1,),
    6000: (2, 3),
    6001: (1,),
    29878: (1,),
}
"""The revisions that the index of asp1 lists, by obsid."""

ASP1_DEFAULT_ROWS = {1: (4,), 2121: (3,), 3002: (1,), 3003: (1,), 3004: (1,), 3005: (1,), 3006: (1,), 3007: (1, 2),
                     3008: (1,), 3009: (2,), 3010: (1,), 6000: (2,), 29878: (1,)}  # fmt: skip
"""The revisions whose rows say that they are the default ones, truly or not."""

ASP1_LINKS = """\
00/00001 -> 00001_v04
00/00036_last -> 00036_v01
02/02121 -> 02121_v03
02/02121_last -> 02121_v04
03/03001 -> 03001_v02
03/03002 -> 03002_v01
03/03002_last -> 03002_v02
03/03003 -> /data/aca/archive/asp1/03/03003_v01
03/03004 -> 03001_v01
03/03004_last -> 03004_v01.old
03/03005 -> 03005_v01
03/03005_v02/
03/03006 -> 03006_v02
03/03007 -> 03007_v01
03/03009 -> 03009_v02
06/06000 -> 06000_v02
06/06000_last -> 06000_v03
06/06001_last -> 06001_v01
29/29878 -> 29878_v01
"""

ASP1_GONE = (3009, 2)
"""Rows of it are there, its folder is not."""

OBSPAR = {2121: (2, 3), 3006: (1, 2), 6000: (2,), 6001: (1,)}
OBSPAR_DEFAULT_ROWS = {2121: (3,), 3006: (1,), 6000: (2,)}
OBSPAR_LINKS = """\
02/02121 -> 02121_v03
03/03006 -> 03006_v02
06/06000 -> 06000_v02
06/06001_last -> 06001_v01
"""

RUNS = {
    unit: number for number, unit in enumerate(((obsid, each) for obsid in ASP1 for each in ASP1[obsid]), start=20_000)
}
"""The pipeline's runs: their ids, by obsid and revision."""

LAST_ID = {"asp1": max(RUNS.values()), "obspar": 30_007}
BAD_OBSIDS = (36, 37, 1452)

CONTENTS = {"asol1": "ASPSOL", "fidpr1": "FIDPROPS"}
MORE_CONTENTS = {2121: {"acen1": "ACACENT"}}


def start_of(obsid: int) -> int:
    """Return when an observation began, CXC seconds: one after the other, in the order of the obsids."""
    return 100_000_000 + 10_000 * obsid


DURATION = 8_000.0


def unit(obsid: int, revision: int) -> str:
    """Return the folder of a revision, relative to the product's."""
    return f"{obsid // 1000:02d}/{obsid:05d}_v{revision:02d}"


def asp1_names(obsid: int, revision: int) -> dict[str, str]:
    """Return the indexed files of a revision: content by name."""
    contents = CONTENTS | MORE_CONTENTS.get(obsid, {})
    names = {f"pcadf{start_of(obsid):09d}N{revision:03d}_{kind}.fits.gz": each for kind, each in contents.items()}
    if obsid == 29878:
        names[f"pcadf{obsid:05d}_000N{revision:03d}_asol1.fits.gz"] = "ASPSOLOBI"
    return names


def obspar_name(obsid: int, revision: int) -> str:
    """Return the parameter file of a revision."""
    return f"axaff{obsid:05d}_000N{revision:03d}_obs0a.par.gz"


# ---- files ----------------------------------------------------------------------------------------------------------


def write_asp1(folder: Path, obsid: int, revision: int) -> None:
    """Write the files of a revision of asp1 into a folder, with a log beside them."""
    from aca_core.dates import to_date

    folder.mkdir(parents=True)
    start = start_of(obsid)
    for name, content in asp1_names(obsid, revision).items():
        header = {
            "TSTART": start + 0.5,
            "TSTOP": start + 0.5 + DURATION,
            "DATE": "2012-03-04T05:06:07",
            "DATE-OBS": to_date(start),
            "CONTENT": content,
            "ASCDSVER": "8.4.2.1",
            "CALDBVER": "4.4.7",
            "REVISION": revision,
            "OBS_ID": str(obsid),
            "OBI_NUM": 0,
        }
        (folder / name).write_bytes(gzip.compress(_fits(header), mtime=0))
    log = f"{SYNTHETIC}\nusing axaff{obsid:05d}_000N{revision:03d}_obs0a.par\n"
    (folder / f"asp_l1_f{start:09d}N{revision:03d}_log.gz").write_bytes(gzip.compress(log.encode(), mtime=0))


def _fits(header: dict[str, object]) -> bytes:
    import io

    import numpy as np
    from astropy.io import fits

    table = fits.BinTableHDU.from_columns([fits.Column("time", "D", array=np.array([header["TSTART"]]))])
    for keyword, value in header.items():
        table.header[keyword] = value
    primary = fits.PrimaryHDU()
    for hdu in (primary, table):
        hdu.header["COMMENT"] = SYNTHETIC
        hdu.add_datasum(when="data unit checksum")
        hdu.add_checksum(when="HDU checksum", override_datasum=False)
    stream = io.BytesIO()
    fits.HDUList([primary, table]).writeto(stream)
    return stream.getvalue()


def write_obspar(folder: Path, obsid: int, revision: int) -> None:
    """Write the parameter file of a revision into a folder."""
    from aca_core.dates import to_date

    folder.mkdir(parents=True)
    start = start_of(obsid) + 0.25
    lines = [
        f"# {SYNTHETIC}",
        f'obs_id,s,h,"{obsid}",,,"Observation ID"',
        'obi_num,i,h,0,,,""',
        f'title,s,h,"A ""quoted"" title; {SYNTHETIC}",,,""',
        'detector,s,h,"ACIS-S",,,""',
        f'date-obs,s,h,"{to_date(start)}",,,"TT"',
        f'tstart,r,h,{start},,,"s"',
        f'tstop,r,h,{start + DURATION},,,"s"',
        'sched_exp_time,r,h,,,,"no value"',
        'ccds3_on,s,h,"Y",,,""',
        'uld_enable,s,h,"N",,,""',
        f'revision,i,h,{revision},,,""',
    ]
    text = "\n".join(lines) + "\n"
    (folder / obspar_name(obsid, revision)).write_bytes(gzip.compress(text.encode(), mtime=0))


# ---- what is checked in ---------------------------------------------------------------------------------------------


def make(folder: Path) -> None:
    """Write everything that is checked in below a folder."""
    for obsid, revisions in ASP1.items():
        for revision in revisions:
            write_asp1(folder / "tree" / "asp1" / unit(obsid, revision), obsid, revision)
    for obsid, revisions in OBSPAR.items():
        for revision in revisions:
            write_obspar(folder / "tree" / "obspar" / unit(obsid, revision), obsid, revision)
    real = folder / "tree" / "asp1" / "03" / "03008"
    shutil.copytree(folder / "tree" / "asp1" / "03" / "03008_v01", real)
    (folder / "asp1.sql").write_text(f"-- {SYNTHETIC}\n\n{ASP1_SQL}\n{_asp1_rows(folder)}", encoding="utf-8")
    (folder / "obspar.sql").write_text(f"-- {SYNTHETIC}\n\n{OBSPAR_SQL}\n{_obspar_rows()}", encoding="utf-8")
    text = f"-- {SYNTHETIC}\n\n{PROCESSING_SQL}\n{_processing_rows()}"
    (folder / "processing.sql").write_text(text, encoding="utf-8")
    shutil.rmtree(folder / "tree" / "asp1" / unit(*ASP1_GONE))
    for product, number in LAST_ID.items():
        (folder / "tree" / product / "last_id.txt").write_text(f"{number}\n", encoding="utf-8")
    lines = "".join(f"{obsid}\n" for obsid in BAD_OBSIDS)
    (folder / "tree" / "asp1" / "asp_l1_bad_obsids.dat").write_text(f"obsid\n{lines}", encoding="utf-8")
    links = {"asp1": ASP1_LINKS, "obspar": OBSPAR_LINKS}
    listed = [f"{product}/{line}\n" for product, text in links.items() for line in text.splitlines()]
    (folder / "links.txt").write_text(f"# {SYNTHETIC}\n{''.join(listed)}", encoding="utf-8")


def _asp1_rows(folder: Path) -> str:
    from astropy.io import fits

    from aca_core.dates import year_doy

    rows = []
    for obsid, revisions in ASP1.items():
        for revision in revisions:
            for name, content in asp1_names(obsid, revision).items():
                # As the old tools did it: the first digits of the name, also where they are the obsid.
                filetime = int(name[5:].split("N")[0].split("_")[0])
                year, doy = year_doy(float(filetime))
                start, stop = start_of(obsid) + 0.5, start_of(obsid) + 0.5 + DURATION
                checksum = fits.getheader(folder / "tree" / "asp1" / unit(obsid, revision) / name, 1)["CHECKSUM"]
                default = 1 if revision in ASP1_DEFAULT_ROWS.get(obsid, ()) else None
                rows.append((name, filetime, year, doy, start, stop, checksum, "8.4.2.1", "4.4.7", content, revision,
                             obsid, "2012-03-04T05:06:07", default))  # fmt: skip
    return _inserts("archfiles", rows)


def _obspar_rows() -> str:
    from aca_core.dates import to_date

    rows = []
    for obsid, revisions in OBSPAR.items():
        for revision in revisions:
            start = start_of(obsid) + 0.25
            known = {
                "filename": obspar_name(obsid, revision),
                "obsid": obsid,
                "title": f'A "quoted" title; {SYNTHETIC}',
                "obs_id": str(obsid),
                "obi_num": 0,
                "detector": "ACIS-S",
                "date_obs": to_date(start),
                "tstart": start,
                "tstop": start + DURATION,
                "ccds3_on": "Y",
                "uld_enable": "N",
                "revision": revision,
                "content": "OBSPAR",
                "isdefault": 1 if revision in OBSPAR_DEFAULT_ROWS.get(obsid, ()) else None,
            }
            rows.append(tuple(known.get(name) for name in OBSPAR_TYPES))
    return _inserts("archfiles", rows)


def _processing_rows() -> str:
    rows = []
    for (obsid, revision), number in RUNS.items():
        default = 1 if revision in ASP1_DEFAULT_ROWS.get(obsid, ()) else None
        rows.append((number, obsid, 0, revision, "Mar  4 2012  5:06AM", default, revision, 4))
    return _inserts("aspect_1_proc", rows)


def _inserts(table: str, rows: list[tuple[object, ...]]) -> str:
    return "".join(f"INSERT INTO {table} VALUES ({', '.join(map(_literal, row))});\n" for row in rows)


def _literal(value: object) -> str:
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    return "NULL" if value is None else repr(value)


# ---- putting it together --------------------------------------------------------------------------------------------


def build(folder: Path) -> Path:
    """Put the archive together from what is checked in.

    Parameters
    ----------
    folder : Path
        Where; made.

    Returns
    -------
    Path
        `folder`, the archive's root.
    """
    shutil.copytree(HERE / "tree", folder)
    for line in (HERE / "links.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if line.endswith("/"):
            (folder / line).mkdir(exist_ok=True)
            continue
        name, _, target = line.partition(" -> ")
        (folder / name).symlink_to(target)
    for dump, name in (
        ("asp1.sql", "asp1/archfiles.db3"),
        ("obspar.sql", "obspar/archfiles.db3"),
        ("processing.sql", "asp1/processing_asp_l1.db3"),
    ):
        with closing(sqlite3.connect(folder / name)) as connection:
            connection.executescript((HERE / dump).read_text(encoding="utf-8"))
    return folder


if __name__ == "__main__":
    shutil.rmtree(HERE / "tree", ignore_errors=True)
    make(HERE)
