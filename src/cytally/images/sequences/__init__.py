"""Pictures in a row.

headers  size and interval of a file without its pixels
series   which planes a TIFF's series have: times, channels, focal planes
stacks   a file of many planes -> planes
tracks   Cell Tracking Challenge folders
movie    pictures -> GIF or MP4
video      AVI, MP4, a folder or a stack -> frames, one in memory at a time
container  what ffmpeg says of AVI and MP4, and their frames
flows      flow <-> .flo (Middlebury)
"""
