"""Cells that flow: motion of cells in shadow images of a microfluidic channel.

simulate/  sequences with full truth
drift      by how much the ground moved
ground     what does not move, and frames without it
methods/   two frames -> cells and their motion, each way behind one protocol
"""
