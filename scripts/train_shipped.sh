#!/usr/bin/env bash
# The three runs that made the shipped ensemble metaphase-1, each on the simulator of its time:
# the first taught what chromosomes are made of, the later ones went on from its weights on a
# simulator whose dicentrics can be told from other things. Every run can be killed and called
# again. About 1 hour of epochs on 2 cores with bfloat16 matrix units.
set -euo pipefail
WORK=$(realpath -m "${1:-runs/shipped}")
mkdir -p "$WORK"

run() { # commit name arguments...
  local code="$WORK/code-$2"
  [ -d "$code" ] || git worktree add -f "$code" "$1"
  (cd "$code" && { [ -d .venv ] || python3 -m venv .venv; } && .venv/bin/pip install -q -e . &&
    .venv/bin/cytally dosimetry train --out "$WORK/$2" "${@:3}")
}

# the first was stopped after epoch 14 of 60; --epochs may be cut short without changing earlier epochs
run 193bcfc first --epochs 60 --seed 1 --members 2 & first=$!
until [ -f "$WORK/first/training/epoch_014.safetensors" ]; do sleep 10; done; sleep 5; kill $first
run cd1c34f second --preset further --seed 2 --epochs 26 --members 2 \
  --start "$WORK/first/training/epoch_014.safetensors"
run eae7c33 third --preset further --seed 3 --epochs 12 --pool 1600 --name metaphase-1 \
  --start "$WORK/second/training/epoch_026.safetensors"
