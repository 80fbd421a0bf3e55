"""Two frames -> cells and the motion of every pixel in them, each way of it behind one protocol.

protocol    what a method is: frames in units of noise -> labels and flow
foreground  a frame against the ground -> numbered cells, touching ones parted
cells       one vector per cell (Lucas-Kanade): the default
dense       Farneback, DIS, TV-L1 and ILK, kept inside the cells
choice      a name -> a method
"""
