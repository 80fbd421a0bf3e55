"""Fields in which somebody has outlined every chromosome.

fields  class maps (M-FISH) -> a field to compose from; places of its chromosomes
folder  images and class maps of folders
drawn   bodies of a chosen look, drawn where real chromosomes lay
"""
