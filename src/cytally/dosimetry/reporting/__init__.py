"""Pages on a dose: the run's own page, and a sample's report to sign.

run_page     report.html of a run: counts, dose, gallery, how it was made
sample_info  what a laboratory knows of a sample beside its counts (TOML)
carried      what the limits carry and what they do not, in words
radiation    the exposure's radiation beside the curve's, in words
sections     a case -> sections after the topics of ISO 19238
html         sections -> HTML
pdf          sections -> PDF
docx         sections -> DOCX
"""
