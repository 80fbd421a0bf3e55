"""Making an ensemble, in the order in which data meets the files.

sources     simulated, composed and labelled cells -> training cells
train       training cells -> a trained run -> an ensemble folder
assemble    checkpoints -> members
candidates  cells -> the places that members propose, with what they are
readers     places -> second readers, who judge what the members propose
thresholds  cells of the highest dose and silent ones -> all thresholds
adapt       a laboratory's unexposed cells -> an ensemble for that laboratory
"""
