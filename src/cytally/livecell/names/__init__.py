"""File names -> position, well, channel, plane and time of every image.

frame        what is known of one image; frames of one position in time
schemes      microscopes whose names follow a form of their own
words        every other name, word by word
numbers      numbers without a word: which counts the frames
understand   all names of a folder together: what varies decides what a number means
listing      what was understood, as a table
unstacked    stacks -> single images under names that are understood
"""
