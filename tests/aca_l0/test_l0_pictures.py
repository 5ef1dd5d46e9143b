"""Pictures of a slot's images: they show the images where they lie, and say what is synthetic."""

from __future__ import annotations

import numpy as np
import pytest
from l0_telemetry import START

from aca_core import DeclarationError, MissingDataError
from aca_core.aca_l0 import animate_images, get_l0_images, plot_images
from aca_core.figures import save_figure

RANGE = ("2020:366:23:59:00", "2021:001:02:30:00")


def panels(figure):
    return [axes for axes in figure.axes if axes.images and axes.get_visible() and axes.get_title()]


def test_a_strip_shows_images_where_they_lie(archive, tmp_path):
    figure = plot_images(*RANGE, 3, count=8)
    images = get_l0_images(*RANGE, 3)
    drawn = panels(figure)
    assert len(drawn) == 8
    first, last = drawn[0], drawn[-1]
    for panel, image in ((first, images[0]), (last, images[-1])):
        left, right, bottom, top = panel.images[0].get_extent()
        assert (left, bottom) == (image.col0 - 0.5, image.row0 - 0.5)
        assert (right - left, top - bottom) == image.shape[::-1]
        np.testing.assert_allclose(panel.images[0].get_array().filled(np.nan), np.asarray(image) * (5 / image.INTEG))
    assert len({panel.images[0].get_clim() for panel in drawn}) == 1
    title = figure.get_suptitle()
    assert f"ACA slot 3, 8 of {len(images):,} images, 2020:366:23:59:" in title
    assert title.endswith("synthetic")
    assert "star" in first.get_title()
    assert save_figure(figure, tmp_path / "strip.png").stat().st_size > 10_000


def test_the_scale_of_colours_has_round_labels_down_to_its_low_end(archive):
    for count in (3, 8, 48):
        figure = plot_images(*RANGE, 3, count=count)
        bar = next(axes for axes in figure.axes if "e⁻/s" in axes.get_ylabel())
        low, high = panels(figure)[0].images[0].get_clim()
        ticks = np.array(bar.get_yticks())
        assert 4 <= len(ticks) <= 12
        assert (ticks[0] - low) / (high - low) < 0.1
        assert np.diff(((ticks - low) / (high - low)) ** 0.5).min() > 0.05, "no label is written over another one"


def test_one_image_is_a_picture_too(archive):
    figure = plot_images(START, START + 4.0, 6, count=48)
    assert len(panels(figure)) == 1
    assert "1 image\n" in figure.get_suptitle()


def test_flight_images_are_not_called_synthetic(flight):
    figure = plot_images("2019:272", "2019:273", 0)
    assert "synthetic" not in figure.get_suptitle()
    assert "fid light" in panels(figure)[0].get_title()


def test_an_animation_has_a_frame_for_each_image(archive, tmp_path):
    from PIL import Image

    path = animate_images(tmp_path / "slot.gif", *RANGE, 5, count=4, rate=5.0)
    with Image.open(path) as animation:
        assert (animation.format, animation.n_frames, animation.info["duration"]) == ("GIF", 4, 200)
        scales = []
        for frame in range(4):
            animation.seek(frame)
            scales.append(np.asarray(animation.convert("L"), dtype=float)[:, 400:])
        # Each frame has colours of its own in a GIF, a little off; a label that moves is off by much.
        assert all(np.abs(scale - scales[0]).mean() < 1.0 for scale in scales), "nothing but the image moves"
    assert list(tmp_path.glob("slot*")) == [path]


def test_bad_questions_are_told(archive, tmp_path):
    for count in (0, 49, 1.5, True, "a"):
        with pytest.raises(DeclarationError, match="count is"):
            plot_images(*RANGE, 3, count=count)
    with pytest.raises(DeclarationError, match="slot is 8"):
        plot_images(*RANGE, 8)
    with pytest.raises(MissingDataError, match="slot 3 has no images from 2001:001"):
        plot_images("2001:001", "2001:002", 3)
    gif = tmp_path / "a.gif"
    for path, more, message in (
        (tmp_path / "a.png", {}, "ends in .gif"),
        (5, {}, "the path of a file"),
        (gif, {"rate": 0}, "rate is 0"),
        (gif, {"count": 5000}, "from 1 to 1000"),
    ):
        with pytest.raises(DeclarationError, match=message):
            animate_images(path, *RANGE, 3, **more)
    with pytest.raises(MissingDataError, match="slot 4 has no images"):
        animate_images(gif, "2001:001", "2001:002", 4)
    assert not gif.exists()
