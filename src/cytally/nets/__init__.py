"""Networks and losses: tensors only; no paths, no devices.

architecture  what a network is, without PyTorch
unet          the U-Net of every door
verifier      the same for one answer per crop
losses        L2 + Sparse Variation, focal cross-entropy
"""
