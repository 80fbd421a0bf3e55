"""Time-lapses of living cells with full truth, in phase contrast and fluorescence.

population  nuclei that wander, collide, divide and die: who is where in each frame
shapes      a nucleus and its cell as outlines; what the camera's window holds
phase       what phase contrast makes of them: bright halos, faint nuclei
stain       what the nuclear stain shows: weak, uneven, with debris
folder      frames and truth on disk
"""
