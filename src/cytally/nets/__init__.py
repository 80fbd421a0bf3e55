"""Networks and losses: tensors only, no paths, no devices."""
