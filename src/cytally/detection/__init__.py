"""Heatmaps -> detections.

vote        members' votes -> places with more than T_A of them
thresholds  T_C of each member from the maxima of its heatmaps
entropy     where the mean of the members is unsure
"""
