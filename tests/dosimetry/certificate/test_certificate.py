"""A sample's report: nothing is lost between the counts and the paper, in either language."""

import io
import json
import re
import string
from dataclasses import replace

import numpy as np
import pypdf
import pytest
from click.testing import CliRunner

from cytally.cli import certificate  # noqa: F401  (it joins the group)
from cytally.cli.main import cli
from cytally.dosimetry.calibrate import Curve, DosePoint, calibrate, stated
from cytally.dosimetry.certificate.facts import Facts, read_facts
from cytally.dosimetry.certificate.page import page
from cytally.dosimetry.certificate.paper import paper
from cytally.dosimetry.certificate.sections import Case, sections
from cytally.dosimetry.certificate.words import ENGLISH, FRENCH, Words
from cytally.dosimetry.dose import NOTES, Exposed, dose, dose_from_totals
from cytally.errors import CountsError, SettingsError
from cytally.figures.curves import LABELS
from cytally.statistics.detector import DetectorErrors

POINTS = [DosePoint(d, n, x) for d, n, x in ((0, 5000, 8), (1, 1168, 109), (2, 333, 103), (4, 103, 103))]
MANUAL = np.array([932, 56, 9, 1, 1, 1])  # IAEA 2011, 9.7.5.4


@pytest.fixture(scope="module")
def curve():
    return calibrate(POINTS, radiation="60Co", laboratory="Nowhere")


@pytest.fixture
def case(curve):
    facts = Facts(sample="S-17 <b>", laboratory="Dosimétrie & Cie", remarks="none")
    return Case(facts, dose(MANUAL, curve), curve, MANUAL)


def text_of(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return len(pages), " ".join(" ".join(p.extract_text() for p in pages).split())


def places(sentence):
    return len([field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None])


def test_both_languages_say_the_same_things_with_as_many_numbers():
    assert set(ENGLISH) == set(FRENCH) >= set(LABELS) | (set(NOTES) - {"delta"})
    assert {k: places(v) for k, v in ENGLISH.items()} == {k: places(v) for k, v in FRENCH.items()}
    assert {k: ENGLISH[k] for k in LABELS} == dict(LABELS)
    same = {k for k in ENGLISH if ENGLISH[k] == FRENCH[k] and re.search("[a-z]{4}", ENGLISH[k])}
    assert same <= {"dose_axis", "culture", "signatures", "Poisson", "quasi-Poisson", "line"}, (
        "forgotten in translation?"
    )


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_published_curve_has_no_fit_of_its_own_and_still_makes_a_report(language):
    published = stated((0.00128, 0.02103, 0.06307), (0.00047, 0.00516, 0.00401), radiation="60Co")
    counts = np.array([475, 20, 5])
    shown = page(Case(Facts(), dose(counts, published), published, counts), language)
    assert {"en": "as published", "fr": "telle que publiée"}[language] in shown


def test_a_curve_of_micronuclei_makes_no_report_on_dicentrics(curve):
    other = replace(curve, aberration="micronuclei")
    with pytest.raises(CountsError, match="report is one on dicentrics, the curve is for micronuclei"):
        page(Case(Facts(), dose(MANUAL, other), other, MANUAL), "en")


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
    case = Case(Facts(), dose_from_totals(3, 500, curve), curve)
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
    case = Case(Facts(), dose(np.array(counts), curve), curve, np.array(counts))
    assert sections(case, Words("fr"))[3].text == (FRENCH[said],)


def test_who_counted_is_said(curve):
    bare = Curve(curve.coefficients, curve.covariance, detector="abcd")
    found = dose_from_totals(20, 500, curve)

    def meaning(case):
        return sections(case, Words("en"))[7].text[2]

    assert meaning(Case(Facts(), found, curve)) == ENGLISH["meaning_eye"]
    assert meaning(Case(Facts(), found, bare, detector="abcd")) == ENGLISH["meaning_same"]
    assert meaning(Case(Facts(), found, curve, detector="abcd")) == ENGLISH["meaning_other"]
    assert meaning(Case(Facts(), found, curve, detector="abcd", errors=DetectorErrors(150, 50, 6, 600))) == ENGLISH["meaning_errors"]


def test_a_protracted_exposure_and_one_beyond_the_curve_are_said(curve):
    exposed = Exposed(hours=7)
    found = dose_from_totals(900, 300, curve, exposed=exposed)
    _, printed = text_of(paper(Case(Facts(), found, curve, exposed=exposed), "fr"))
    assert "7 h ; terme quadratique multiplié par G" in printed
    assert "au-delà du domaine étalonné (jusqu'à 4 Gy)" in printed


def test_a_low_count_has_its_note(curve):
    case = Case(Facts(), dose_from_totals(0, 500, curve), curve)
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
    with pytest.raises(CountsError, match="found none"):
        read_facts(tmp_path / "gone.toml")
    with pytest.raises(SettingsError, match="no report in 'de'"):
        Words("de")


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
    done = CliRunner().invoke(cli, [*given, "--language", "fr", "--out", str(tmp_path / "r.html"),
                                    "--out", str(tmp_path / "r.pdf")])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Dosimétrie biologique" in (tmp_path / "r.html").read_text()
    count, printed = text_of((tmp_path / "r.pdf").read_bytes())
    assert count == 2 and "Page 2 sur 2" in printed
    wrong = CliRunner().invoke(cli, [*given, "--out", str(tmp_path / "r.odt")])
    assert wrong.exit_code == 2 and "ends in .html, .pdf or .docx, got r.odt" in wrong.output
