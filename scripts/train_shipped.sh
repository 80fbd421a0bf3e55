#!/usr/bin/env bash
# The two runs that made the shipped ensemble metaphase-1.
#
# Thresholds were chosen by the commit that added this ensemble. The first ran on the simulator of commit 193bcfc (dicentrics of any distance between their
# centromeres, more twisting) and was stopped after 14 epochs; the second went on from its
# weights on the simulator of commit d777b01. Both can be killed and called again.
set -euo pipefail
FIRST=${1:-runs/first} OUT=${2:-runs/metaphase-1} EPOCHS=${3:-26}

git worktree add -f "$FIRST-code" 193bcfc
(cd "$FIRST-code" && python -m venv .venv && .venv/bin/pip install -q -e . &&
  timeout 3h .venv/bin/cytally dosimetry train --out ../first --epochs 60 --seed 1) || true
# any checkpoint from epoch 14 on serves as a start; the shipped one is epoch 14
cytally dosimetry train --preset further --start "$FIRST/training/epoch_014.safetensors" \
  --seed 2 --epochs "$EPOCHS" --name metaphase-1 --out "$OUT"
