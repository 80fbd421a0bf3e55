"""A sample's report to hand over, after the topics of ISO 19238 and in several languages.

facts     what the laboratory knows of the sample: a small TOML file -> Facts
words     every sentence, in English and in French
sections  facts, counts, curve and dose -> sections of text and tables
page      sections -> HTML, one self-contained page
paper     sections -> PDF
"""
