"""What lies on disk, whatever it holds: written whole or not at all, hashed, read strictly.

names    file names that are not text; names too long for a disk
atomic   bytes -> file, whole or not at all
hashes   file -> SHA-256
json     JSON from outside: limits, no doubled keys, no NaN
journal  a line per finished piece of work, each with its checksum
runs     the run folder: settings, lock, finished or interrupted
text     bytes -> text, the encoding decided strictly
tables/  CSV and XLSX, in and out
"""
