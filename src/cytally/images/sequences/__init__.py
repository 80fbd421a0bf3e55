"""Pictures in a row.

headers  size and interval of a file without its pixels
series   which planes a TIFF's series have: times, channels, focal planes
stacks   a file of many planes -> planes
tracks   Cell Tracking Challenge folders
movie    pictures -> GIF or MP4
"""
