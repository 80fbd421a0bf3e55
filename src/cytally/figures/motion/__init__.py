"""Motion as pictures.

wheel  flow -> colours: hue is direction, saturation is length
"""
