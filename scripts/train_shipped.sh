#!/usr/bin/env bash
# The nine runs that made the shipped ensemble metaphase-1, each on the simulator of its time:
# the first taught what chromosomes are made of; the later ones went on from its weights while
# the simulator became truer; from the fifth on, some cells are composed from unlabelled real
# fields; the seventh made the verifier, the eighth and ninth taught it further. Every run can be
# killed and called again.
#
#   scripts/train_shipped.sh FIELDS [WORK]
#
# FIELDS: a folder with field_1.png, field_2.png and field_3.png of lb-kosuke/Detection_Classification
# (MIT). About 3 hours of epochs on 2 cores with bfloat16 matrix units, making of cells not counted.
set -euo pipefail
case "${1:---help}" in
-h | --help)
  sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p;}' "$0"
  exit 0
  ;;
esac
FIELDS=$(realpath "$1")
WORK=$(realpath -m "${2:-runs/shipped}")
mkdir -p "$WORK"

cytally_at() { # commit name command arguments...
  local code="$WORK/code-$2"
  [ -d "$code" ] || git worktree add -f "$code" "$1"
  (cd "$code" && { [ -d .venv ] || python3 -m venv .venv; } && .venv/bin/pip install -q -e . &&
    .venv/bin/cytally dosimetry "$3" --out "$WORK/$2" "${@:4}")
}

run() { cytally_at "$1" "$2" train "${@:3}"; } # commit name arguments...

until_epoch() { # commit name epoch arguments...: stopped early; earlier epochs do not depend on --epochs
  local last="$WORK/$2/training/epoch_$3.safetensors"
  [ -f "$last" ] && return
  run "$1" "$2" "${@:4}" & local job=$!
  until [ -f "$last" ]; do sleep 10; done
  sleep 5
  pkill -P "$job" || true
  kill "$job" || true
}

thresholds_at() { # commit name: choose the thresholds of a run anew, by the code of that commit
  local code="$WORK/code-$2"
  git -C "$code" checkout -q "$1" && "$code/.venv/bin/python" - "$WORK/$2" <<'PYTHON'
import sys
from pathlib import Path

from cytally.cli.progress import reporting
from cytally.dosimetry.training.train import set_thresholds
from cytally.dosimetry.detectors.ensemble import load_ensemble

if __name__ == "__main__":
    with reporting() as report:
        set_thresholds(load_ensemble(sys.argv[1]), Path(sys.argv[1]), report)
PYTHON
}

at() { echo "$WORK/$1/training/epoch_$2.safetensors"; }

until_epoch 193bcfc first 014 --epochs 60 --seed 1
run cd1c34f second --preset further --seed 2 --epochs 26 --members 2 --start "$(at first 014)"
run eae7c33 third --preset further --seed 3 --epochs 12 --pool 1600 --members 2 --start "$(at second 026)"
until_epoch d03fc48 fourth 018 --preset further --seed 4 --epochs 60 --pool 2000 --start "$(at third 012)"
until_epoch 4ab2867 fifth 046 --preset further --no-auxiliary --normal "$FIELDS" --composed 0.2 \
  --seed 5 --epochs 70 --pool 2000 --start "$(at fourth 018)"
run 158dd75 sixth --preset finish --no-auxiliary --normal "$FIELDS" --composed 0.2 \
  --seed 6 --epochs 14 --pool 2000 --name metaphase-1 --start "$(at fifth 046)"
cytally_at 968c962 seventh readers "$WORK/sixth" --cells 10000 --count 1 --epochs 7 \
  --normal "$FIELDS" --composed 0.15 --seed 11
# The verifier went on learning from the proposals of its members in 14,000 other cells.
cytally_at 9b45abf eighth readers "$WORK/seventh" --cells 14000 --count 1 --epochs 3 --further \
  --normal "$FIELDS" --composed 0.15 --seed 21
# Its thresholds were chosen when readings had come to be weighed by what else a cell holds.
thresholds_at 58fcaae eighth
# Further still, with the style `faint` and with composed cells whose chromosomes take each other's places.
cytally_at f16bc2d ninth readers "$WORK/eighth" --cells 12000 --count 1 --epochs 4 --further \
  --normal "$FIELDS" --composed 0.25 --seed 31
# Its thresholds: most found at a precision of 0.90 and at most 0.007 false dicentrics per silent cell.
thresholds_at f21b862 ninth

# ---- metaphase-2, the third edition: real shapes. From here on the code of this checkout. -------------------
# MFISH: the M-FISH set of Advanced Digital Imaging Research (github.com/jeanpat/MFISH).
[ -n "${MFISH:-}" ] || { echo "set MFISH to the M-FISH set to go on with metaphase-2"; exit 0; }
THIRD="$WORK/third" OLD="$WORK/ninth"
piece() { python scripts/train_edition.py "$@"; }
piece gather "$MFISH" "$FIELDS" --work "$THIRD"
# On a GPU (one H100, five minutes): a first member, begun from the last of metaphase-1. Three members begun from
# nothing beside it, with 2,300 to 3,300 steps of 32 crops each, answered 0 everywhere and were left out.
piece cells --work "$THIRD" --cells 6800 --seed 31
piece member --run 0 --work "$THIRD" --epochs 16 --steps 145 --batch 32 --start "$OLD/member_09.safetensors"
piece cells --work "$THIRD" --bank fresh --cells 6000 --seed 7031
piece places --work "$THIRD" --bank fresh
piece verifier --run 0 --work "$THIRD" --epochs 8 --batch 256
# On 2 cores: members for which nothing weighs more than to miss no object, of two origins; verifiers on what they propose.
NEXT="$WORK/next"
mkdir -p "$NEXT" && cp "$THIRD/sources.npz" "$NEXT/"
piece cells --work "$NEXT" --bank fresh --cells 3080 --seed 9100
piece member --run 5 --work "$NEXT" --bank fresh --epochs 12 --steps 120 --batch 8 --sensitive \
  --start "$THIRD/run_0/epoch_016.safetensors"
piece places --work "$NEXT" --bank fresh
piece member --run 2 --work "$NEXT" --bank fresh --epochs 12 --steps 110 --batch 8 --sensitive \
  --start "$OLD/member_04.safetensors"
piece verifier --run 0 --work "$NEXT" --epochs 2 --batch 64 --start "$THIRD/verifier_0/epoch_008.safetensors"
piece verifier --run 1 --work "$NEXT" --epochs 2 --batch 64 --start "$NEXT/verifier_0/epoch_002.safetensors"

# ---- metaphase-3: the same verifier; small members, which answer as those of metaphase-2 do where it confirms. --------
# 2 cores, about an hour. metaphase-2 is that of commit 20bb189.
FIFTH="$WORK/fifth" FORMER="$WORK/metaphase-2"
mkdir -p "$FIFTH" && cp "$THIRD/sources.npz" "$FIFTH/"
git archive 20bb189 src/cytally/ensembles/metaphase-2 | tar -x -C "$WORK" --strip-components 3
piece cells --work "$FIFTH" --bank fresh --cells 3200 --seed 11000 --contracted 0.25
for part in 0 1; do piece taught "$FORMER" --work "$FIFTH" --bank fresh --part "$part" --parts 2; done
for run in 0 1; do piece distil --work "$FIFTH" --bank fresh --run "$run" --epochs 13 --steps 400 --batch 16 --seed 41; done
members=("$FIFTH"/run_{0,1}/epoch_01{2,3}.safetensors)
piece assemble "$WORK/metaphase-3" --work "$FIFTH" --levels 0.09 0.18 --members "${members[@]}" --seed 41 \
  --verifiers "$FORMER/verifier_00.safetensors" --limits-of "$FORMER" --machine "2 cores of an x86-64 processor with AMX"
