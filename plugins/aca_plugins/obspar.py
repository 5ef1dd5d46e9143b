"""The observation parameters: one parameter file for each observation interval."""

from __future__ import annotations

from collections.abc import Iterable

from aca_core import ArchiveProduct, Column, FromArchive, ParameterColumns, Version, Work, columns_from_text, hookimpl

# The 130 columns that mica's archive has had, in its order.
_COLUMNS = (
    Column("obsid", "int", source="obs_id", required=True),
    *columns_from_text("""
        text  title observer ao object ss_object obs_id
        int   obi_num
        text  seq_num instrume grating detector detnam si_mode optical_monitor raster_scan dither
        float dither_y_amp dither_z_amp dither_y_freq dither_z_freq dither_y_phase dither_z_phase
        float ra_pnt dec_pnt roll_pnt ra_targ dec_targ
        float y_det_offset z_det_offset radial_offset defocus sim_z_offset
        text  pre_id uninterrupted
        int   seg_max_num
        float ra_nom dec_nom roll_nom
        text  date_obs date_end
        float tstart tstop sched_start sched_stop sched_exp_time
        text  obs_mode maneuver
        float maneuver_v1 maneuver_v2 maneuver_v3 maneuver_angle
        text  maneuver_ref
        float mjdref timezero
        text  timeunit timesys timversn datamode readmode
        text  ccdi0_on ccdi1_on ccdi2_on ccdi3_on ccds0_on ccds1_on ccds2_on ccds3_on ccds4_on ccds5_on
        int   dropped_chip_count
        text  onchip_sum
        int   sumrow sumcol
        text  subarray
        int   startrow rowcnt
        float subarray_frame_time
        text  duty_cycle
        int   dtycycle
        float exptimea exptimeb
        text  most_efficient eventfilter
        float phamin pharange
        text  bias_request mode mission telescop
        float sim_x sim_y sim_z foc_len
        int   py_shutter_position my_shutter_position range_switch_level
        text  antico_enable
        int   upper_level_disc
        text  timing_mode
        int   trigger_level u_blank_hi u_blank_low v_blank_low v_blank_hi
        text  uld_enable zero_block blank_enable width_enable spect_mode
        int   width_threshold
        float mt_a mt_aop mt_e mt_epoch mt_i mt_ma mt_raan
        text  timeref tassign origin ascdsver obi_data
        int   revision obspar_ver
        text  obspar_type obspar_stat
    """),
    Column("content", "text", default="OBSPAR"),
    Column("isdefault", "int", source=FromArchive()),
)

OBSPAR = ArchiveProduct(
    name="obspar",
    label="observation parameters",
    version=Version(glob="axaff*par*", pattern=r"axaff\d{5}_\d{3}N(\d{3}).*"),
    columns=ParameterColumns(*_COLUMNS),
    content_types=("OBSPAR",),
    file_names="axaff*par*",
    recheck=True,
    work=Work(table="obidet_0_5", id="obidet_0_5_id"),
    dialects={"arc5gl": {"probe": "obspar", "fetch": "obspar"}},
    provides=("obsid-times",),
)


@hookimpl
def aca_archive_products() -> Iterable[ArchiveProduct]:
    """Return the one product of this plugin."""
    return [OBSPAR]
