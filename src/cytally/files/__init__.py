"""Bytes on disk: the one border through which files of text and tables come in and go out.

text      bytes -> text, the encoding decided strictly
numbers   text of a cell -> whole number or real number, nothing ambiguous
headings  headings as people write them -> the columns that a reader asks for
sheets    XLSX -> lines of cells
tables    a table on disk -> rows under headings; rows -> CSV
"""
