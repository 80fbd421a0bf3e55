"""A sample's report: nothing is lost between the counts and the paper, in either language."""

import io
import json
import re
from dataclasses import replace

import docx
import numpy as np
import pypdf
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.curves.calibrate import Curve, DosePoint, Origin, calibrate, stated
from cytally.dosimetry.estimation.dose import DoseSettings, ExposureConditions, Totals, dose_of_counts
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.phrases import LANGUAGES, Words, catalogue
from cytally.dosimetry.reporting.docx import document
from cytally.dosimetry.reporting.html import page
from cytally.dosimetry.reporting.pdf import paper
from cytally.dosimetry.reporting.radiation import quality_note
from cytally.dosimetry.reporting.sample_info import Facts, read_facts
from cytally.dosimetry.reporting.sections import Case, figure_of, sections
from cytally.errors import CountsError, FileError, SettingsError

ENGLISH, FRENCH = (catalogue(language)["report"] for language in LANGUAGES)
POINTS = [DosePoint(d, n, x) for d, n, x in ((0, 5000, 8), (1, 1168, 109), (2, 333, 103), (4, 103, 103))]
MANUAL = np.array([932, 56, 9, 1, 1, 1])  # IAEA 2011, 9.7.5.4


@pytest.fixture(scope="module")
def curve():
    return calibrate(POINTS, origin=Origin("60Co", "Nowhere"))


@pytest.fixture
def case(curve):
    facts = Facts(sample="S-17 <b>", laboratory="Dosimétrie & Cie", remarks="none")
    return Case(facts, dose_of_counts(MANUAL, curve), curve, MANUAL)


def text_of(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return len(pages), " ".join(" ".join(p.extract_text() for p in pages).split())


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_published_curve_has_no_fit_of_its_own_and_still_makes_a_report(language):
    published = stated((0.00128, 0.02103, 0.06307), (0.00047, 0.00516, 0.00401), origin=Origin("60Co"))
    counts = np.array([475, 20, 5])
    shown = page(Case(Facts(), dose_of_counts(counts, published), published, counts), language)
    assert {"en": "as published", "fr": "telle que publiée"}[language] in shown


def test_a_curve_of_micronuclei_makes_no_report_on_dicentrics(curve):
    other = replace(curve, aberration="micronuclei")
    with pytest.raises(CountsError, match="report is one on dicentrics, the curve is for micronuclei"):
        page(Case(Facts(), dose_of_counts(MANUAL, other), other, MANUAL), "en")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_numbers_of_the_dose_are_on_the_page_and_on_the_paper(case, language):
    number = Words(language).number
    shown = page(case, language)
    _, printed = text_of(paper(case, language))
    partial = case.dose.partial
    for value in (
        case.dose.estimate,
        case.dose.lower,
        case.dose.upper,
        partial.dose.value,
        partial.dose.lower,
    ):
        assert number(value) in shown and number(value) in printed
    for words in ("1000", "86", "932", "60Co", "Nowhere", number(case.dose.dispersion.u)):
        assert words in shown and words in printed
    assert "S-17 &lt;b&gt;" in shown and "S-17 <b>" in printed
    assert "Dosimétrie & Cie" in printed
    assert not re.search(r'(src|href)="(?!data:|#)', shown) and "<script" not in shown


def test_every_topic_has_its_heading(case):
    titles = [section.title for section in sections(case, Words("en"))]
    assert [title[0] for title in titles] == list("123456789")
    assert sum(section.figure for section in sections(case, Words("en"))) == 1


def test_what_is_not_known_is_a_gap_and_never_made_up(curve):
    case = Case(Facts(), dose_of_counts(Totals(3, 500), curve), curve)
    by_title = {section.title[0]: section for section in sections(case, Words("en"))}
    assert dict(by_title["1"].rows)["Blood drawn"] == ""
    assert by_title["4"].text == (ENGLISH["totals_only"],) and not by_title["4"].table
    assert by_title["7"].text == (ENGLISH["partial_totals"],)
    assert page(case).count('class="gap"') >= 15


@pytest.mark.parametrize(
    ("counts", "said"),
    [([475, 25], "poisson"), ([932, 56, 9, 1, 1, 1], "over"), ([10, 90], "under"), ([499, 1], "too_few")],
)
def test_the_verdict_on_the_distribution(curve, counts, said):
    case = Case(Facts(), dose_of_counts(np.array(counts), curve), curve, np.array(counts))
    assert sections(case, Words("fr"))[3].text == (FRENCH[said],)


def test_who_counted_is_said(curve):
    bare = Curve(curve.coefficients, curve.covariance, detector="abcd")
    found = dose_of_counts(Totals(20, 500), curve)

    automatic = DoseSettings(detector_errors=DetectorErrors(150, 50, 6, 600))

    def meaning(case):
        return sections(case, Words("en"))[7].text[2]

    assert meaning(Case(Facts(), found, curve)) == ENGLISH["meaning_eye"]
    assert meaning(Case(Facts(), found, bare, detector="abcd")) == ENGLISH["meaning_same"]
    assert meaning(Case(Facts(), found, curve, detector="abcd")) == ENGLISH["meaning_other"]
    assert meaning(Case(Facts(), found, curve, settings=automatic, detector="abcd")) == ENGLISH["meaning_errors"]


def test_a_protracted_exposure_and_one_beyond_the_curve_are_said(curve):
    exposed = ExposureConditions(hours=7)
    found = dose_of_counts(Totals(900, 300), curve, DoseSettings(exposure=exposed))
    _, printed = text_of(paper(Case(Facts(), found, curve, settings=DoseSettings(exposure=exposed)), "fr"))
    assert "7 h ; terme quadratique multiplié par G" in printed
    assert "au-delà du domaine étalonné (jusqu'à 4 Gy)" in printed


def test_a_low_count_has_its_note(curve):
    case = Case(Facts(), dose_of_counts(Totals(0, 500), curve), curve)
    assert "only the upper limit says something" in page(case)


def test_facts_are_read_and_wrong_ones_named(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('sample = "É-1"\nculture = "48 h"\n', encoding="utf-8")
    assert read_facts(path) == Facts(sample="É-1", culture="48 h")
    path.write_text('colour = "red"\n')
    with pytest.raises(CountsError, match="colour: .*expected text under one of laboratory"):
        read_facts(path)
    path.write_text("sample = \n")
    with pytest.raises(CountsError, match="expected TOML"):
        read_facts(path)
    with pytest.raises(FileError, match="expected a TOML file with the facts of a sample, found no such file"):
        read_facts(tmp_path / "gone.toml")
    with pytest.raises(SettingsError, match="no report in 'de'"):
        Words("de")


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ('sample = "É"'.encode("cp1252"), CountsError, "expected TOML .*not UTF-8; save it as UTF-8"),
        (b"sample = " + b"[" * 5000, CountsError, "expected TOML"),
        (b"#" * (2**20 + 1), FileError, "at most 1 MB, got a larger file"),
        (b'sample = "\0"', FileError, "NUL bytes"),
        (b"sample = 5", CountsError, "sample: .*expected text under one of"),
    ],
)
def test_a_file_of_facts_that_cannot_be_read(tmp_path, content, error, words):
    (tmp_path / "s.toml").write_bytes(content)
    with pytest.raises(error, match=words):
        read_facts(tmp_path / "s.toml")


def test_facts_with_the_byte_order_mark_of_an_editor(tmp_path):
    (tmp_path / "s.toml").write_bytes(b'\xef\xbb\xbfsample = "A"\r\ntube = "heparin"\r\n')
    assert read_facts(tmp_path / "s.toml") == Facts(sample="A", tube="heparin")


def test_the_fit_survives_the_file(curve, tmp_path):
    curve.save(tmp_path / "c.json")
    again = Curve.load(tmp_path / "c.json")
    assert (again.fit.chi2, again.fit.degrees) == (curve.fit.chi2, curve.fit.degrees)
    assert again.fit.p_value == curve.fit.p_value
    again.save(tmp_path / "d.json")
    assert json.loads((tmp_path / "c.json").read_text()) == json.loads((tmp_path / "d.json").read_text())


def test_the_command_writes_both_and_refuses_other_endings(curve, tmp_path):
    curve.save(tmp_path / "c.json")
    given = ["dosimetry", "report", "--curve", str(tmp_path / "c.json"), "--distribution", "475,20,5"]
    done = CliRunner().invoke(
        cli, [*given, "--language", "fr", "--out", str(tmp_path / "r.html"), "--out", str(tmp_path / "r.pdf")]
    )
    assert done.exit_code == 0, done.output
    assert "Dosimétrie biologique" in (tmp_path / "r.html").read_text()
    count, printed = text_of((tmp_path / "r.pdf").read_bytes())
    assert count == 2 and "Page 2 sur 2" in printed
    wrong = CliRunner().invoke(cli, [*given, "--out", str(tmp_path / "r.odt")])
    assert wrong.exit_code == 2 and "ends in .html, .pdf or .docx, got r.odt" in wrong.output


def rows_of(case, number, language="en"):
    return dict(sections(case, Words(language))[number - 1].rows)


def test_a_report_says_who_scored_and_what_its_validation_showed(curve):
    """450, 5, 3, 2 with a detector's errors: people did not score, and no partial dose was tried."""
    errors = DetectorErrors(150, 50, 6, 600, 9, 400)
    counts = np.array([450, 5, 3, 2])
    case = Case(
        Facts(),
        dose_of_counts(counts, curve, DoseSettings(detector_errors=errors)),
        curve,
        counts,
        DoseSettings(detector_errors=errors),
    )
    method = rows_of(case, 3)
    assert method["Scored by"] == "automatic scoring by a detector that was not named"
    assert method["Validation of the detector"] == (
        "recall r = 0.750 (150 of 200 dicentrics found); f = 0.0100 false dicentrics per cell "
        "(6 in 600 cells without aberrations); in exposed cells 9 false in 400"
    )
    assert sections(case, Words("en"))[6].text == (ENGLISH["partial_errors"],)
    assert "Dolphin's method does not carry" in ENGLISH["partial_errors"] and "--partial" in ENGLISH["partial_errors"]
    named = replace(case, facts=Facts(scored_by="ADCI 2.1"), ensemble="metaphase-1", detector="ab")
    assert rows_of(named, 3)["Scored by"] == "automatic: ensemble metaphase-1 of cytally, detector ab; ADCI 2.1"
    assert rows_of(Case(Facts(), case.dose, curve), 3)["Scored by"] == "manual scoring"
    limits = sections(case, Words("en"))[7].text[1]
    assert "the detector's recall and false detections as measured on the validation set" in limits


@pytest.mark.parametrize(
    ("counts", "said"),
    [([475, 25], "not_indicated"), ([499, 1], "partial_few"), ([495, 0, 0, 0, 0, 0, 0, 5], None)],
)
def test_why_there_is_no_partial_dose(curve, counts, said):
    found = dose_of_counts(np.array(counts), curve)
    shown = sections(Case(Facts(), found, curve, np.array(counts)), Words("fr"))[6]
    assert shown.text == ((FRENCH[said],) if said else ()) and bool(shown.rows) == (said is None)


def test_the_curve_is_described_whole(curve, case):
    """D0, the coefficients at their bound, and the covariances, whose numbers are those of the file."""
    assert rows_of(case, 7)["D0 (37 % of the lymphocytes survive)"] == "2.7 Gy"
    shown = rows_of(case, 5)
    assert shown["C"] == f"{curve.coefficients[0]:.5f} ± {np.sqrt(curve.covariance[0, 0]):.5f}"
    between = shown["Covariances of C, alpha; C, beta; alpha, beta"].split("; ")
    np.testing.assert_allclose([float(v) for v in between], curve.covariance[[0, 0, 1], [1, 2, 2]], rtol=5e-3)
    bound = calibrate([DosePoint(0, 5000, 8), DosePoint(1, 2000, 20), DosePoint(2, 1000, 60), DosePoint(3, 500, 80)])
    assert bound.fit.at_bound == ("alpha",)
    held = Case(Facts(), dose_of_counts(Totals(20, 500), bound), bound)
    assert "held at its bound by the fit" in rows_of(held, 5)["alpha"]
    published = stated((0.001, 0.02, 0.06), (0.0005, 0.005, 0.004))
    bare = Case(Facts(), dose_of_counts(Totals(20, 500), published), published)
    assert rows_of(bare, 5)["Covariances of C, alpha; C, beta; alpha, beta"] == "not stated, taken as 0"


@pytest.mark.parametrize(
    ("exposure", "of_curve", "said"),
    [
        ("192Ir source", "60Co gamma, 0.3 Gy/min", "quality_other"),
        ("Co-60", "60Co gamma", ""),
        ("cobalt 60", "Co60", ""),
        ("137Cs", "cesium-137", ""),
        ("gamma", "60Co", "quality_unclear"),
        ("fission neutrons", "60Co", "quality_other"),
        ("unknown", "60Co", "quality_unclear"),
        ("X-rays 250 kVp", "rayons X", ""),
        ("60Co", "", "quality_unstated"),
        ("", "60Co", ""),
    ],
)
def test_another_radiation_than_the_curve_s_is_said(exposure, of_curve, said):
    words = Words("fr")
    values = (exposure,) if said == "quality_unstated" else (exposure, of_curve)
    assert quality_note(words, exposure, of_curve) == (words(said, *values) if said else "")


@pytest.mark.parametrize("method", ["likelihood", "bayes", "merkle"])
@pytest.mark.parametrize(("hours", "errors"), [(24, None), (0, None), (0, DetectorErrors(150, 50, 6, 600))])
def test_the_sample_lies_on_the_curve_that_its_dose_was_read_from(curve, hours, errors, method):
    """A protracted exposure was once marked far below an acute curve, and an automatic count beside it."""
    settings = DoseSettings(method, ExposureConditions(hours), errors)
    found = dose_of_counts(Totals(300, 300), curve, settings)
    axes = figure_of(Case(Facts(), found, curve, settings=settings), Words("en")).axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    mark = next(line for label, line in lines.items() if label.startswith("this sample"))
    (x,), (y,) = mark.get_data()
    name = "protracted over 24 h, G = 0.153" if hours else "calibration curve"
    assert np.interp(x, *lines[name].get_data()) == pytest.approx(y, rel=0.01)
    assert ("acute exposure" in lines) == bool(hours)
    if hours:
        assert np.interp(x, *lines["acute exposure"].get_data()) > 2 * y


def test_the_document_holds_what_the_page_holds(case, tmp_path):
    case = replace(case, facts=Facts(sample="S\x01$17$", remarks="as told"))
    paper = docx.Document(io.BytesIO(document(case, "fr")))
    rows = {row.cells[0].text: row.cells[1].text for table in paper.tables for row in table.rows}
    assert rows["Limites à 95 %".replace(" %", "\N{NO-BREAK SPACE}%")] == (
        f"{case.dose.lower:.2f} à {case.dose.upper:.2f} Gy".replace(".", ",")
    )
    assert rows["Code de l'échantillon"] == "S\N{REPLACEMENT CHARACTER}$17$" and "___" in rows["Réception"]
    assert len(paper.inline_shapes) == 1
    assert [p.text[0] for p in paper.paragraphs if p.style.name == "Heading 2"] == list("123456789")
