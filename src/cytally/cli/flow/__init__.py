"""`cytally flow`.

group   the group that its commands join
images  simulate
"""
