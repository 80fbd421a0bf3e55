"""A sample's report to hand over, after the topics of ISO 19238 and in several languages.

facts     what the laboratory knows of the sample: a small TOML file -> Facts
words     every sentence, in English and in French
carried   what limits carry and what they do not, on this page and on a run's
quality   whether the radiation of the exposure is that of the curve
sections  facts, counts, curve and dose -> sections of text and tables
page      sections -> HTML, one self-contained page
paper     sections -> PDF
document  sections -> DOCX
"""
