from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.pages import image_pdf, quick_pages
from benchmarks.samples import documents, load, save, synthetic


def test_synthetic_samples_come_back_as_they_were_saved(tmp_path: Path):
    samples = synthetic(tmp_path, [150, 200], group="small", quick=True)
    assert [sample.name for sample in samples] == ["one-size-6pt-150", "one-size-6pt-200"]
    assert samples[1].groups[-1] == "200dpi"
    assert np.load(tmp_path / samples[0].images[0]).shape == (1754, 1240)
    save(tmp_path, samples)
    assert load(tmp_path) == samples


def test_a_folder_gives_only_documents_with_a_reference(tmp_path: Path):
    source, folder = tmp_path / "source", tmp_path / "written"
    source.mkdir()
    folder.mkdir()
    page = quick_pages()[0]
    (source / "page.pdf").write_bytes(image_pdf(page, 150))
    (source / "page.txt").write_text(page.text, encoding="utf-8")
    (source / "without.pdf").write_bytes(image_pdf(page, 150))
    Image.new("RGBA", (40, 30)).save(source / "clear.png", dpi=(300, 300))
    (source / "clear.gold.txt").write_text("", encoding="utf-8")
    clear, scanned = documents(folder, source)
    assert (clear.name, round(clear.dpi), clear.text) == ("clear.png", 300, "")
    assert (np.load(folder / clear.images[0]) == 255).all()  # paper shows through
    assert (scanned.name, scanned.dpi, scanned.text) == ("page.pdf", 200, page.text)
    assert np.load(folder / scanned.images[0]).shape == (2339, 1654, 3)
