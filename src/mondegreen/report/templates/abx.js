/* ---- a blind ABX test over the pairs of the page; nothing of it is stored or sent ---- */
const byId = (id) => document.getElementById(`abx-${id}`);

/* One of `count`, all equally likely. */
function draw(count) {
  const word = new Uint32Array(1);
  const top = Math.floor(2 ** 32 / count) * count;
  do crypto.getRandomValues(word); while (word[0] >= top);
  return word[0] % count;
}

function shuffle(list) {
  const mixed = [...list];
  for (let i = mixed.length - 1; i > 0; i -= 1) {
    const j = draw(i + 1);
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

/* The probability of so many right or more by guessing: exact, one-sided. */
function guessing(right, trials) {
  let [ways, sum] = [1, 0];
  for (let k = trials; k >= right; k -= 1) {
    sum += ways;
    ways = (ways * k) / (trials - k + 1);
  }
  return sum / 2 ** trials;
}

function percentage(share) {
  const digits = share < 0.001 ? 4 : share < 0.01 ? 2 : 1;
  return `${(100 * share).toFixed(digits)} %`;
}

function sentence(right, trials, p) {
  const chance = `Whoever only guesses gets ${right} or more of ${trials} right in `
    + `${percentage(p)} of all tests.`;
  if (p < 0.05) {
    return `${chance} That is rare: you probably hear a difference between the clips of these `
      + "pairs.";
  }
  return `${chance} So this test does not show that you hear a difference. It does not show that `
    + "there is none to hear: with so few trials a small difference often stays hidden.";
}

function abxTest(box) {
  const [start, trial, result] = ["start", "trial", "result"].map(byId);
  const heard = all("#pairs .pair").filter((pair) => pair.querySelector(".player"));
  const fooled = heard.filter((pair) => pair.dataset.success === "true");
  const pool = fooled.length ? fooled : heard;
  const answers = all("[data-answer]", trial);
  let state = null; // in here only: a page that shows X's name is no blind test
  let controls = null;

  byId("pool").textContent = `The pairs are drawn from the ${pool.length} on this page that `
    + `${fooled.length ? "fooled the classifier" : "can be heard"}, each once before any comes again.`;

  const show = (part) => [start, trial, result].forEach((one) => { one.hidden = one !== part; });

  function next() {
    const { at, trials, order } = state;
    const pair = order[at];
    const player = pair.querySelector(".player");
    const x = draw(2);
    state.x = x ? "B" : "A";
    byId("count").textContent = `Trial ${at + 1} of ${trials}`;
    byId("words").textContent = `“${pair.dataset.source}” → “${pair.dataset.target}”`;
    Object.assign(byId("progress"), { max: trials, value: at });
    answers.forEach((button) => { button.disabled = true; });
    controls ??= new Controls(trial, 1, ["a", "x", "b"]);
    controls.seconds = Number(player.dataset.seconds);
    controls.slider.max = player.dataset.seconds;
    controls.deck = new Deck(
      async () => {
        const [original, adversarial] = await tracksOf(player);
        return [original, adversarial, x ? adversarial : original];
      },
      Number(player.dataset.rate),
      () => {
        controls.changed();
        if (controls.deck.playing && controls.deck.track === 2) {
          answers.forEach((button) => { button.disabled = false; });
        }
      },
      (seconds) => controls.moved(seconds),
    );
    controls.deck.broken = () => {
      byId("words").textContent = "This browser cannot decode the sounds.";
    };
    controls.deck.loop = controls.loop.checked;
    controls.changed();
    controls.moved(0);
  }

  function answer(letter) {
    controls.deck.pause();
    const { source, target, clip, snr } = state.order[state.at].dataset;
    const right = letter === state.x;
    state.given.push({ source, target, clip, snr, x: state.x, answer: letter, right });
    state.at += 1;
    if (state.at === state.trials) finish();
    else { next(); trial.querySelector(".play").focus({ preventScroll: true }); }
  }

  function finish() {
    const { given, trials } = state;
    const right = given.filter((one) => one.right).length;
    const p = guessing(right, trials);
    byId("score").textContent = `${right} of ${trials} right, p = ${p.toPrecision(3)}`;
    byId("verdict").textContent = sentence(right, trials, p);
    byId("rows").replaceChildren(...given.map((one, place) => {
      const row = document.createElement("tr");
      const yes = one.right ? "yes" : "no";
      const texts = [place + 1, one.source, one.target, one.snr, one.x, one.answer, yes];
      texts.forEach((text) => { row.insertCell().textContent = text; });
      return row;
    }));
    byId("json").value = JSON.stringify({
      test: "ABX, A original, B adversarial", page: document.title, created: box.dataset.created,
      trials, right, p, hypothesis: "more right than by guessing, exact binomial, one-sided",
      answers: given,
    }, null, 2);
    byId("copied").textContent = "";
    state = null;
    show(result);
    result.focus({ preventScroll: true });
  }

  start.addEventListener("submit", (event) => {
    event.preventDefault();
    const trials = Number(start.elements["abx-trials"].value);
    let order = [];
    while (order.length < trials) order = order.concat(shuffle(pool));
    state = { at: 0, trials, order: order.slice(0, trials), given: [] };
    show(trial);
    next();
    trial.querySelector(".play").focus({ preventScroll: true });
  });
  answers.forEach((button) => {
    button.addEventListener("click", () => answer(button.dataset.answer));
  });
  trial.addEventListener("keydown", (event) => {
    const button = answers["12".indexOf(event.key)];
    if (!button || button.disabled || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    answer(button.dataset.answer);
  });
  byId("stop").addEventListener("click", () => {
    controls.deck.pause();
    state = null;
    show(start);
  });
  byId("again").addEventListener("click", () => show(start));
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("json").value);
    } catch { // not every browser lets local files write the clipboard
      byId("json").closest("details").open = true;
      byId("json").select();
      document.execCommand("copy");
    }
    byId("copied").textContent = "Copied.";
  });
}

const abxBox = document.getElementById("abx-test");
if (abxBox) abxTest(abxBox);

