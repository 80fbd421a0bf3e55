"""Tables of samples: one bad line costs one sample, and nothing is left out without a word."""

import csv
import json
import warnings

import openpyxl
import pytest
from tests.cases.commands import dosimetry as run

from cytally.dosimetry.curves.calibrate import stated
from cytally.dosimetry.laboratory.samples import LeftOut, read_sample_table, read_samples
from cytally.errors import CountsError, FileError


def read(folder, text):
    (folder / "s.csv").write_text(text, encoding="utf-8")
    return read_sample_table(folder / "s.csv")


def names(table):
    return [one.name for one in table.samples]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("B,x,5", "expected a whole number such as 1000 in cells, got 'x'"),
        ("B,500", "expected 3 columns, got 2"),
        ("B,0,0", "expected at least one cell, got none"),
        (",500,5", "expected a name in the column sample, found none"),
        ("B,1e3,5", "write the number out"),
        ("Total,700,14", "is a line of totals or means; delete it"),
        ("Mean,350,7", "is a line of totals"),
        ("A-C,700,14", "its counts are the sum of other lines"),
        ("B,10,500", "got 500 in 10; are the two swapped?"),
        ('"B\nB",500,5', "expected a name in one line"),
    ],
)
def test_one_bad_line_leaves_the_others_and_is_named(tmp_path, line, reason):
    found = read(tmp_path, f"sample,cells,dicentrics\nA,500,5\n{line}\nC,200,9\n")
    assert names(found) == ["A", "C"]
    (left,) = found.left_out
    assert reason in left.reason and left.where == f"{tmp_path / 's.csv'}, line 3"
    with pytest.raises(CountsError, match="line 3: "):
        read_samples(tmp_path / "s.csv")


def test_both_lines_of_one_name_are_left_out(tmp_path):
    found = read(tmp_path, "sample,cells,dicentrics\nA,500,5\nB,400,4\nA,500,6\n")
    assert names(found) == ["B"] and [one.where[-1] for one in found.left_out] == ["2", "4"]


def test_where_no_line_is_right_all_are_named(tmp_path):
    with pytest.raises(CountsError, match="2 lines cannot be used:\n  line 2: .*\n  line 3: "):
        read(tmp_path, "sample,cells,dicentrics\nA,x,5\nB,0,0\n")


@pytest.mark.parametrize(
    "name",
    [
        "Mittel",
        "Durchschnitt",
        "Mean value",
        "Ges.",
        "Summe A+B",
        "TOTAL DICENTRICS",
        "Tot.",
        "Tot. 2",
        "Sum (n=3)",
        "Ø",
        "∑",
        "Mittelwert ± SD",
        "Gesamtzahl",
        "Durchschnittswert",
        "Moyenne",
        "Somme (n=2)",
        "Totaux",
        "Total général",
        "Promedio",
        "Media",
        "Suma total",
        "Somma",
        "Totale campioni",
        "Średnia",
        "Suma",
        "Razem",
        "Łącznie",
        "Ogółem",
        "Average of A, B",
        "SD",
        "Écart-type",
        "Zwischensumme 1",
        "Sub-total",
        "Sous-total",
        "Standardabweichung",
        "Summe1",
        "Kontrolle gesamt",
        "Wartość średnia",
        "Valor medio",
        "MW ± SD",
        "Arithm. Mittel",
        "Endsumme",
        "zusammen",
        "Σ",
    ],
)
def test_a_line_named_for_a_sum_or_a_mean_is_no_sample_in_any_language(tmp_path, name):
    found = read(tmp_path, f"sample;cells;dicentrics\nA;500;5\n{name};431;15\nC;200;9\n")
    assert names(found) == ["A", "C"] and "is a line of totals or means" in found.left_out[0].reason


@pytest.mark.parametrize(
    "name",
    [
        "Summer",
        "Gessner",
        "Totti",
        "Meany",
        "Mediavilla",
        "Allen",
        "Desmond",
        "Mittelstädt",
        "Tousson",
        "S 12",
        "Sumner A",
        "Probe 3",
        "Gesamtmann",
    ],
)
def test_people_are_not_taken_for_sums(tmp_path, name):
    assert names(read(tmp_path, f"sample;cells;dicentrics\nA;500;5\n{name};431;15\n")) == ["A", name]


def test_a_sum_of_the_lines_before_it_is_no_sample_whatever_it_is_called(tmp_path):
    found = read(tmp_path, "sample,cells,dicentrics\nA,500,5\nB,500,7\nA-B,1000,12\nC,500,3\nmore,7,0\n")
    assert names(found) == ["A", "B", "C", "more"]
    found = read(tmp_path, "sample,cells,dicentrics\nA,500,25\nB,500,n.d.\nC,400,5\nA-C,1400,37\n")
    assert names(found) == ["A", "C"] and [one.name for one in found.left_out] == ["B", "A-C"]
    found = read(tmp_path, "sample,cells,dicentrics\nA,500,25\nB,500,n.d.\nC,1000,5\n")
    assert names(found) == ["A", "C"]  # one line that was read says too little


def test_sums_by_chance_of_silent_samples_are_samples(tmp_path):
    found = read(tmp_path, "sample,cells,dicentrics\nA,500,0\nB,500,0\nC,1000,0\n")
    assert names(found) == ["A", "B", "C"] and found.left_out == ()


def test_notes_ask_about_what_looks_odd(tmp_path):
    found = read(tmp_path, "sample,cells,dicentrics\nA,30,200\nB,40,300\nC,500,4\n")
    assert names(found) == ["A", "B", "C"] and "are the columns swapped?" in found.notes[0]
    (tmp_path / "s.csv").write_bytes("sample,cells,dicentrics\nMüller,500,4\n".encode("cp1252"))
    found = read_sample_table(tmp_path / "s.csv")
    assert names(found) == ["Müller"] and "read as Windows-1252; check the letters" in found.notes[0]


def test_a_single_sample_that_looks_swapped_is_asked_about(tmp_path):
    found = read(tmp_path, "sample,cells,dicentrics\nA,500,25\nB,25,500\n")
    assert names(found) == ["A", "B"]
    (note,) = found.notes
    assert note.endswith("500 dicentrics in 25 cells of sample 'B'; are the two swapped?")


def test_the_headings_of_a_laboratory_and_blanks_for_zero(tmp_path):
    found = read(tmp_path, "Exercise 2026;;;;\nSample ID;Date;C0;C1;C2\nA;12.03.2024;475;25;\nB;12.03.2024;480;;2\n")
    assert [one.distribution.tolist() for one in found.samples] == [[475, 25, 0], [480, 0, 2]]
    assert [(one.cells, one.dicentrics) for one in found.samples] == [(500, 25), (482, 4)]


@pytest.mark.parametrize(
    "heading",
    [
        "Échantillon;Cellules analysées;Dicentriques observés",
        "N° d'échantillon;Nb cellules;Nb dicentriques",
        "Probe;Zellzahl;Dizentrische Chromosomen",
        "Proben-Nr.;ausgewertete Zellen;Anzahl Dizentren",
        "Probenbezeichnung;Anzahl der ausgewerteten Metaphasen;gefundene dizentrische Chromosomen",
        "Muestra;N.º de células;N.º de dicéntricos",
        "Código de la muestra;Células analizadas;Cromosomas dicéntricos",
        "Campione;Cellule analizzate;Dicentrici osservati",
        "Codice del campione;Numero di cellule;N. dicentrici",
        "Próbka;Liczba komórek;Liczba dicentryków",
        "Numer próbki;Liczba przeanalizowanych komórek;Chromosomy dicentryczne",
        "Sample No.;Number of cells scored;Number of dicentrics found",
        "Patient;Zellen (ausgewertet);Dic",
        "Patienten-ID;Anz. ausgew. Zellen;Anz. dic.",
        "Réf. échantillon;Cellules lues;Dicentriques totaux",
        "Nom de l'échantillon;Nombre total de cellules;Nombre de dicentriques",
        "№ Probe;N;X",
        "ID;Cells;Dics",
    ],
)
def test_usual_headings_of_laboratories_in_six_languages(tmp_path, heading):
    (one,) = read(tmp_path, f"{heading}\nA;500;25\n").samples
    assert (one.name, one.cells, one.dicentrics) == ("A", 500, 25)


@pytest.mark.parametrize(
    "heading",
    [
        "Probe;Zellen mit Dizentren;Dizentren",
        "sample;cells;dicentrics per cell",
        "sample;dicentric cells;dic",
        "sample;cells (x1000);dic",
        "sample;N°;dic",
        "sample;Zellen ohne Aberrationen;dic",
        "sample;cells;cells with dicentrics",
        "échantillon;cellules anormales;dicentriques",
        "sample;total;dic",
    ],
)
def test_headings_that_mean_something_else_are_not_taken(tmp_path, heading):
    with pytest.raises(CountsError, match="missing (cells|dicentrics)"):
        read(tmp_path, f"{heading}\nA;500;25\n")


def test_a_running_number_beside_the_name_is_left_alone(tmp_path):
    found = read(tmp_path, "ID,Sample,N,X\n1,A,500,25\n2,B,400,3\n")
    assert names(found) == ["A", "B"]
    found = read(tmp_path, "Probe;Nr.;Zellen;Dizentren\nA;1;500;25\n")
    assert names(found) == ["A"]
    with pytest.raises(CountsError, match="'ID' and 'Name' could both be the column sample"):
        read(tmp_path, "ID,Name,N,X\n1,A,500,25\n")


@pytest.fixture
def curve(tmp_path):
    stated((0.00128, 0.02103, 0.06307), (0.00047, 0.00516, 0.00401), (0, 0, 0)).save(tmp_path / "c.json")
    return tmp_path / "c.json"


BAD = "sample,cells,dicentrics\n=1+1,500,25\nB,x,5\nC,200,9\n"


def test_doses_go_on_without_a_bad_line_and_say_so(tmp_path, curve):
    (tmp_path / "s.csv").write_text(BAD)
    result = run("dose", "--samples", tmp_path / "s.csv", "--curve", curve, "--out", tmp_path / "d.csv", "--json")
    assert result.exit_code == 3
    assert f"left out {tmp_path / 's.csv'}, line 3: expected a whole number" in result.stderr
    told = json.loads(result.stdout)
    (first, second), (left,) = told["samples"], told["left_out"]
    assert (first["sample"], second["sample"]) == ("=1+1", "C") and first["dose_gy"] > 0
    assert left["sample"] == "B" and left["line"].endswith("s.csv, line 3") and "got 'x'" in left["reason"]
    written = list(csv.reader((tmp_path / "d.csv").read_text().splitlines()))
    assert [row[0] for row in written] == ["sample", "'=1+1", "C"]
    assert [one.name for one in read_samples(tmp_path / "d.csv")] == [
        "=1+1",
        "C",
    ]  # our own table, read again


@pytest.mark.parametrize(
    "command", [("triage",), ("plan", "--samples"), ("compare", "--control", "8,5000", "--samples")]
)
def test_other_commands_on_samples_do_the_same(tmp_path, curve, command):
    (tmp_path / "s.csv").write_text(BAD)
    more = () if command[0] == "compare" else ("--curve", curve)
    result = run(*command, tmp_path / "s.csv", *more)
    assert result.exit_code == 3 and "line 3: expected a whole number" in result.stderr
    assert "=1+1" in result.stdout and "C" in result.stdout
    (tmp_path / "s.csv").write_text(BAD.replace("x", "500"))
    assert run(*command, tmp_path / "s.csv", *more).exit_code == 0


def test_triage_says_in_its_files_what_it_left_out(tmp_path, curve):
    (tmp_path / "s.csv").write_text(BAD)
    result = run("triage", tmp_path / "s.csv", "--curve", curve, "--json", "--out", tmp_path / "t.csv")
    told = json.loads(result.stdout)
    assert [one["sample"] for one in told["samples"]] == ["=1+1", "C"]
    assert [one["sample"] for one in told["left_out"]] == ["B"] and "got 'x'" in told["left_out"][0]["reason"]
    assert [one.name for one in read_samples(tmp_path / "t.csv")] == ["=1+1", "C"]


def test_no_more_than_twenty_lines_are_shown(tmp_path, curve):
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\nA,500,5\n" + "".join(f"B{k},x,5\n" for k in range(30)))
    result = run("triage", tmp_path / "s.csv", "--curve", curve)
    assert result.stderr.count("left out ") == 21 and "left out 10 lines more" in result.stderr


def test_calibrate_takes_a_unit(tmp_path):
    (tmp_path / "c.csv").write_text("Dose (mGy);cells;dicentrics\n0;5000;5\n500;1000;30\n1000;800;75\n2000;400;120\n")
    asked = run("calibrate", tmp_path / "c.csv", "--out", tmp_path / "c.json")
    assert asked.exit_code == 1 and "give --dose-unit mgy" in asked.stderr and not (tmp_path / "c.json").exists()
    assert run("calibrate", tmp_path / "c.csv", "--dose-unit", "mGy", "--out", tmp_path / "c.json").exit_code == 0
    assert [p["dose_gy"] for p in json.loads((tmp_path / "c.json").read_text())["data"]] == [0, 0.5, 1, 2]


def test_what_is_left_out_reads_as_a_sentence():
    assert str(LeftOut("s.csv, line 3", "B", "expected a number")) == "s.csv, line 3: expected a number"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sample,A,B\ncells,500,400\ndicentrics,25,3\n", "they stand in the first column; swap rows and columns"),
        ("sample;Anzahl;Anzahl der\n;Zellen;Dizentren\nA;500;25\n", "they lie on two lines; put them in one"),
        ("sample;scored;scored\n;cells;dicentrics\nA;500;25\n", "they lie on two lines; put them in one"),
        ("sample,,\n,cells,dicentrics\nA,500,25\n", "they lie on two lines; put them in one"),
        ("sample|cells|dicentrics\nA|500|25\n", "parted with |; part them with commas, semicolons or tabs"),
        ("| sample | cells | dicentrics |\n| A | 500 | 25 |\n", "parted with |; part them with commas"),
        ("sample cells dicentrics\nA 500 25\n", "parted with blanks; part them with commas"),
        ("Probe    Zellen   Dizentrische Chromosomen\nA        500      25\n", "parted with blanks"),
        ("sample,remarks\nA,x\n", "missing cells, dicentrics; found 'sample', 'remarks'"),
        (
            "sample,cells,dicentrics\nA,2024-03-12,25\n",
            "a spreadsheet has made a date of it, or the columns are shifted",
        ),
        ("sample;cells;dicentrics\nA;500;25;see B\n", "expected 3 columns, got 4; 'see B' stands under no heading"),
    ],
)
def test_another_form_of_table_is_named(tmp_path, text, words):
    with pytest.raises(CountsError) as told:
        read(tmp_path, text)
    assert words in str(told.value)


def test_a_remark_beside_an_xlsx_table_stands_under_no_heading(tmp_path):
    book = openpyxl.Workbook()
    for row in (["sample", "cells", "dicentrics"], ["A", 500, 25, None, "see B"], ["B", 400, 3]):
        book.active.append(row)
    book.save(tmp_path / "s.xlsx")
    found = read_sample_table(tmp_path / "s.xlsx")
    assert names(found) == ["B"] and found.left_out[0].reason == "'see B' stands under no heading; give that column one"


def test_an_empty_sheet_of_charts_is_named(tmp_path):
    book = openpyxl.Workbook()
    book.create_chartsheet("Chart")
    book.save(tmp_path / "s.xlsx")
    with pytest.raises(FileError, match="a sheet of charts in it is empty or damaged; delete that sheet"):
        read_sample_table(tmp_path / "s.xlsx")


def test_a_name_of_three_hundred_letters_leaves_room_for_the_picture(tmp_path, curve):
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\n" + "a" * 300 + ",500,25\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run("triage", tmp_path / "s.csv", "--curve", curve, "--plot", tmp_path / "t.svg").exit_code == 0
    (tmp_path / "i.csv").write_text("laboratory,value\n" + "a" * 300 + ",2.1\nb,2\nc,1.9\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run("interlab", tmp_path / "i.csv", "--plot", tmp_path / "i.svg").exit_code == 0
