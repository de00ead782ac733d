import pytest

from ocr_grpc.documents.document import PageGeometry
from ocr_grpc.documents.geometry import fitting
from ocr_grpc.documents.protocol import Failure, ReaderFailure

A4 = (595.2756, 841.8898)


def test_a_page_that_fits_is_rendered_at_the_dpi_asked_for():
    assert fitting(*A4, 200, 100_000_000, 50) == PageGeometry(1654, 2339, 200)


def test_rounding_dust_adds_no_pixel():
    assert fitting(72.0000001, 144, 100, 100_000_000, 50) == PageGeometry(100, 200, 100)


@pytest.mark.parametrize("size", [A4, (10_000, 10_000), (1, 90_000), (90_000, 1), (3_000, 200_000)])
@pytest.mark.parametrize("limit", [1_000_000, 1_234_567, 100_000_000])
def test_a_page_too_large_gets_the_highest_dpi_that_fits(size: tuple[float, float], limit: int):
    found = fitting(*size, 1200, limit, 1)
    assert found.width_px * found.height_px <= limit
    # A tenth more would be too much, unless it was not lowered at all.
    if found.dpi < 1200:
        more = found.dpi * 1.1 / 72
        assert (size[0] * more + 1) * (size[1] * more + 1) > limit


def test_a_page_that_fits_only_below_the_lowest_dpi_is_refused_with_its_size():
    with pytest.raises(ReaderFailure) as refused:
        fitting(612, 2_147_483_648, 200, 100_000_000, 50)
    assert refused.value.code is Failure.PAGE_TOO_LARGE
    assert refused.value.fields == {"width": 1700, "height": 5_965_232_356}


def test_a_page_has_at_least_one_pixel():
    assert fitting(0.001, 0.001, 72, 1000, 50) == PageGeometry(1, 1, 72)
