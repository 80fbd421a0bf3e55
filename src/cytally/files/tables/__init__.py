"""Tables: one strict border in, one way out.

numbers       text of a cell -> whole number or real number, nothing ambiguous
headings      headings as people write them -> the columns that a reader asks for
sheets        XLSX -> lines of cells
table         a table on disk -> rows under headings
csv           rows -> CSV, and our own tables back
spreadsheets  rows -> CSV or XLSX, as the ending asks for
"""
