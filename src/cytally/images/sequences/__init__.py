"""Pictures in a row.

headers  size and interval of a file without its pixels
stacks   a file of many planes -> planes
unstack  a stack -> single files
tracks   Cell Tracking Challenge folders
movie    pictures -> GIF or MP4
"""
