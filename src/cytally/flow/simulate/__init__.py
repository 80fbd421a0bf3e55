"""Shadow imaging of cells in a channel, with full truth.

channel     how fast the fluid flows where, and when
population  cells that enter, turn, stick and leave
shadows     cells -> their shadows on the sensor, masks and motion
empty       the channel without cells: light, walls, debris
scene       all of it as frames with truth
folder      frames and truth on disk
"""
