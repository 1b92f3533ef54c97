#!/usr/bin/env bash
# Runs every command once, at the smallest size, on a synthetic corpus; checks what it left behind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command=${MONDEGREEN:-mondegreen}
export OMP_NUM_THREADS=1  # the networks are tiny, and two things run at once
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect() {  # expect CODE COMMAND...: the command must end with that exit code
  local wanted=$1 code=0
  shift
  "$@" >out.txt 2>err.txt || code=$?
  if [ "$code" != "$wanted" ]; then
    echo "exit code $code instead of $wanted: $*" >&2
    cat out.txt err.txt >&2
    exit 1
  fi
  if grep -q Traceback err.txt; then
    echo "a traceback: $*" >&2
    cat err.txt >&2
    exit 1
  fi
}

holds() {  # holds FILE...: the files must exist and not be empty
  for file in "$@"; do
    [ -s "$file" ] || { echo "missing: $file" >&2; exit 1; }
  done
}

expect 0 "$command" --help
expect 0 "$command" --version
expect 0 "$command" doctor --json
holds out.txt
expect 0 "$command" train generator --help
expect 0 "$command" data download --help

# The longest of all runs beside the others, on a core of its own.
"$command" reproduce --preset smoke --jobs 1 --out reproduction >reproduction.txt 2>&1 &
reproducing=$!
trap 'kill "$reproducing" 2>/dev/null || true; wait || true; rm -rf "$folder"' EXIT

cut=()  # the whole demo without a network, where it can be taken away
if unshare --map-root-user --net true 2>/dev/null; then cut=(unshare --map-root-user --net); fi
expect 0 "${cut[@]}" "$command" demo --preset smoke --out demo
holds demo/evaluation/results.json demo/evaluation/report.html demo/evaluation/pairs.csv
holds demo/evaluation/figures/success_matrix.png demo/generator/metrics.jsonl
expect 0 "$command" demo --preset smoke --out demo
mv demo/speech voices  # the stages after the first one stand on their own
ln -s ../voices demo/speech

expect 0 "$command" data synthesize --out more-voices --speakers 2 --other-words bed \
  --noise-seconds 1
expect 0 "$command" data synthesize --kind music --out music --tracks 5 --seconds 1
expect 0 "$command" data info --data music --cache cache
expect 0 "$command" train classifier --preset smoke --model sample-cnn --data music --cache cache \
  --training.epochs 1 --out genres
expect 0 "$command" data info --data voices --cache cache
expect 0 "$command" train classifier --preset smoke --data voices --cache cache --out wide \
  --model wide-resnet --normalization paper --training.epochs 1
expect 0 "$command" train generator --preset smoke --network unet --classifier wide --target yes \
  --out paper-gan --training.epochs 1 --training.warm-up-epochs 0
expect 0 "$command" evaluate --generator paper-gan --out paper-evaluation --quality-pairs 4
holds paper-evaluation/results.json
expect 0 "$command" train classifier --preset smoke --data voices --cache cache \
  --architecture.depth 14 --training.epochs 1 --out more-classifier
expect 0 "$command" attack voices/no/*_0.wav --target yes --generator demo/generator --out fooled \
  --json
"${PYTHON:-python3}" - <<'PY'
import json

rows = json.load(open("out.txt"))
wanted = {"file", "before", "after", "target", "success", "snr_db", "pesq_nb", "pesq_wb"}
assert len(rows) == 24 and all(wanted | {"milliseconds"} <= set(row) for row in rows), rows[:1]
PY
expect 0 "$command" report paper-evaluation
for kind in perturbation filter; do
  expect 0 "$command" train universal --preset smoke --kind "$kind" --data voices --cache cache \
    --classifier demo/classifier --out "universal-$kind"
done
expect 0 "$command" compare --generator demo/generator --universal universal-perturbation \
  --filter universal-filter --attacks generator generator+1:quietness=0.5 pgd:steps=1 universal \
  filter --budgets snr:20 --pairs 4 --quality-pairs 0 --timing-rounds 1 --out comparison
holds comparison/comparison.json comparison/table.md comparison/table.tex comparison/pairs.csv \
  comparison/report.html
expect 0 "$command" report comparison
expect 0 "$command" compare --generator demo/generator --untargeted --attacks fgsm bim:steps=1 \
  mi-fgsm:steps=1 apgd:steps=2 cw:steps=2,binary_search_steps=1 deepfool:steps=1 \
  genetic:iterations=2 pso:epochs=1,iterations=2 square:queries=4 --budgets linf:0.01 --pairs 2 \
  --quality-pairs 0 --timing-rounds 1 --out rivals
holds rivals/comparison.json
expect 0 "$command" train generator --preset smoke --classifier demo/classifier \
  --ensemble more-classifier --training.epochs 1 --out against-both
expect 0 "$command" transfer --data voices --cache cache --classifiers demo/classifier \
  more-classifier --attacks pgd:steps=1 generator --generators demo/generator against-both \
  --budget snr:20 --pairs 4 --out transferred
holds transferred/transfer.json

expect 0 "$command" channels --generator demo/generator --attacks generator \
  pgd:steps=1,draws=2,channel=gain:db=-6 --budgets snr:20 --channel phone-call \
  --channel lowpass:hz=4000+noise:snr_db=20 --pairs 4 --out through
holds through/channels.json through/table.md through/figures/channels.svg
expect 0 "$command" evaluate --generator demo/generator --out heard --quality-pairs 0 \
  --timing-repeats 0 --channel quantize:bits=8 --channel shift
expect 0 "$command" train generator --preset smoke --classifier demo/classifier --channel phone-call \
  --training.epochs 1 --out through-channels
expect 2 "$command" channels --channel nonsense --out nothing

expect 0 "$command" goals --classifier demo/classifier --goal +yes-no --goal hush=-up-down \
  --data voices --cache cache --out goals
holds goals/goals.json goals/goals-report.json
expect 0 "$command" compare --classifier goals --attacks pgd:steps=1 square:queries=4 \
  --budgets snr:20 --pairs 4 --quality-pairs 0 --timing-rounds 1 --out goals-compared
expect 2 "$command" goals --classifier demo/classifier --goal +yes-yes --out nothing

expect 0 "$command" harden --classifier demo/classifier --generator demo/generator --method refined \
  --epochs 1 --select-steps 2 --out hardened
holds hardened/checkpoints/best/classifier.json hardened/metrics.jsonl hardened/summary.json
expect 0 "$command" train generator --preset smoke --classifier hardened --training.epochs 1 \
  --tensorboard --out against-hardened
holds against-hardened/tensorboard
expect 0 "$command" harden report --classifiers demo/classifier hardened --generators \
  demo/generator against-hardened --snr-db 20 --check-db 20 --pairs 4 --steps 2 --queries 2 \
  --square-pairs 2 --restarts 2 --out hardening
holds hardening/hardening.json hardening/table.md hardening/figures/hardening.svg
expect 2 "$command" harden --classifier demo/classifier --method generator --out nothing

expect 0 "$command" audit demo/classifier --minutes 0.05 --start-from scratch --target yes --out audit
holds audit/audit.json audit/report.html audit/figures/success_over_snr.svg
expect 0 "$command" audit demo/classifier --minutes 0.05 --start-from scratch --target yes --out audit
expect 2 "$command" audit nothing-here --data voices --out nothing
expect 0 "$command" defend --classifier demo/classifier --defence median:samples=3 --out defended
expect 0 "$command" defences --generator demo/generator --defence gaussian:sigma=0.01@2 \
  --detector residual --attacks generator --lessons pgd:steps=5@snr:0 --training-clips 12 \
  --knowing pgd:steps=1 --draws 1 --budgets snr:10 --pairs 4 --certify 1 --certify-draws 20 \
  --out defences
holds defences/defences.json defences/table.md defences/figures/defences.svg

# Every entry of the leaderboard: those that ship are attacked again, the others are read.
expect 0 "$command" leaderboard "$here/../leaderboard" --out board
holds board/leaderboard.html board/leaderboard.md board/leaderboard.json
expect 0 "$command" leaderboard check "$here"/../leaderboard/entries/*.json
expect 2 "$command" leaderboard check board/leaderboard.json
mkdir -p results
cp -r hardening results/mine
expect 0 "$command" leaderboard add --classifier hardened --defence hardening:refined --result \
  results/mine/hardening.json:hardened --against untargeted@snr:20 --title "Mine" --authors "Me" \
  --out mine.json
holds mine.json
expect 0 "$command" leaderboard check mine.json

cat >their_model.py <<'PY'
import mondegreen


def build():
    module = mondegreen.load_classifier("demo/classifier").module
    return lambda audio: module(audio[:, None]).softmax(1) if audio.dim() == 2 else None
PY
export MONDEGREEN_ALLOWED="$folder/allowed"
label_order=$("${PYTHON:-python3}" -c "import json, sys; print(*json.load(open(sys.argv[1]))['labels'])" \
  demo/classifier/checkpoints/best/classifier.json)
expect 0 "$command" adopt their_model.py:build --labels $label_order --anyway \
  --sample-rate 16000 --clip-samples 16384 --data voices --cache cache --out adopted
holds adopted/classifier.json adopted/check.json
expect 0 "$command" compare --classifier adopted --attacks square:queries=4 pgd:steps=1 \
  --budgets snr:20 --pairs 2 --quality-pairs 0 --timing-rounds 1 --out against-theirs
rm -r allowed
expect 2 "$command" compare --classifier adopted --attacks square:queries=4 --budgets snr:20 \
  --out unasked
expect 2 "$command" adopt voices --out nothing

expect 0 "$command" export --generator demo/generator --out generator.onnx
expect 0 "$command" attack voices/no/*_0.wav --target yes --backend onnx --out fooled-by-onnx \
  --generator generator.onnx --classifier demo/classifier
expect 0 "$command" attack voices/no/*_0.wav --target yes --streaming --generator demo/generator \
  --out fooled-live
expect 0 "$command" train generator --preset smoke --classifier demo/classifier \
  --start-from demo/generator --training.epochs 1 --out more

wait "$reproducing" || { cat reproduction.txt >&2; exit 1; }
! grep -q Traceback reproduction.txt || { cat reproduction.txt >&2; exit 1; }
holds reproduction/reproduction.json reproduction/report.html
holds reproduction/music/all/evaluation/results.json reproduction/figures/error-rates.svg
rm reproduction/report.html
expect 0 "$command" report reproduction
holds reproduction/report.html
expect 0 "$command" reproduce --preset smoke --jobs 1 --out reproduction --plan
! grep -Eq "waiting|failed|left out" err.txt || { cat err.txt >&2; exit 1; }

# The live page: start it, ask it, stop it; it leaves nothing behind.
mkdir tmp
TMPDIR="$PWD/tmp" "$command" serve --generator demo/generator --examples voices --port 0 2>page.txt &
page=$!
for _ in $(seq 600); do
  grep -q "http://" page.txt && break
  kill -0 "$page" || { cat page.txt >&2; exit 1; }
  sleep 0.2
done
"${PYTHON:-python3}" - "$(grep -o 'http://[0-9.:]*' page.txt | head -n 1)" <<'PY'
import sys
import urllib.error
import urllib.request

url = sys.argv[1]
assert b"Mondegreen" in urllib.request.urlopen(url + "/").read()
try:
    urllib.request.urlopen(url + "/gradio_api/file=/etc/passwd")
except urllib.error.HTTPError as error:
    assert error.code == 403, error
else:
    raise AssertionError("the page gives files of the machine away")
PY
kill -TERM "$page"
wait "$page"
[ -z "$(ls tmp)" ] || { echo "left behind: $(ls tmp)" >&2; exit 1; }
expect 2 "$command" serve --generator voices --port 0

expect 2 "$command" attack nowhere.wav --target yes --generator demo/generator --out fooled
expect 2 "$command" attack voices/no/*_0.wav --target maybe --generator demo/generator --out fooled
expect 2 "$command" evaluate --generator voices --out nothing
expect 2 "$command" train classifier --data nowhere --out nothing
expect 2 "$command" data synthesize --kind music --out music --tracks 2
expect 2 "$command" data synthesize --kind noise
expect 2 "$command" nonsense
echo "every command ran."
