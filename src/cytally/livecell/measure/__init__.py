"""How good is it? Against labels; and by two experts' eyes.

evaluate  predictions against labels or truth: pixels, objects, counts
experts   pages to tick errors on, a table to fill in, two experts' agreement
"""
