/* ---- sound: all tracks start together, one is loud, so switching keeps the position ---- */
let context = null; // browsers want a gesture before sound, so it is made at the first one
let sounding = null;

async function decode(audio, rate) {
  const text = atob(audio.src.slice(audio.src.indexOf(",") + 1));
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  // An offline context of the clip's own rate decodes without resampling.
  const decoder = new OfflineAudioContext(1, 1, Math.min(96000, Math.max(8000, rate)));
  return (await decoder.decodeAudioData(bytes.buffer)).getChannelData(0);
}

/* Plays several tracks of one length; `loader` returns them, `changed` and `moved` are told. */
class Deck {
  constructor(loader, rate, changed, moved) {
    this.loader = loader;
    this.rate = Math.min(96000, Math.max(8000, rate));
    this.changed = changed;
    this.moved = moved;
    this.sources = [];
    this.track = null;
    this.offset = 0;
    this.loop = false;
  }

  get playing() { return sounding === this; }

  async load() {
    this.loading ??= Promise.resolve(this.loader()).then((tracks) => {
      this.buffers = tracks.map((samples) => {
        const buffer = context.createBuffer(1, samples.length, this.rate);
        buffer.copyToChannel(samples, 0);
        return buffer;
      });
      this.seconds = this.buffers[0].duration;
    });
    return this.loading;
  }

  press(track) {
    if (!this.playing) this.play(track);
    else if (track === this.track) this.pause();
    else this.switchTo(track);
  }

  async play(track = this.track ?? 0) {
    if (sounding && sounding !== this) sounding.pause();
    context ??= new AudioContext();
    context.resume();
    this.track = track;
    sounding = this;
    this.changed();
    try {
      await this.load();
      if (this.playing && !this.sources.length) this.start();
    } catch { // a browser that does not decode FLAC
      if (this.playing) this.pause();
      this.broken();
    }
  }

  start() {
    if (this.offset >= this.seconds - 0.01) this.offset = 0;
    this.startedAt = context.currentTime + 0.02;
    this.sources = this.buffers.map((buffer, index) => {
      const source = context.createBufferSource();
      const volume = context.createGain();
      source.buffer = buffer;
      source.loop = this.loop;
      volume.gain.value = index === this.track ? 1 : 0;
      source.connect(volume).connect(context.destination);
      source.start(this.startedAt, this.offset);
      return { source, volume };
    });
    this.sources[0].source.onended = () => {
      if (!this.playing) return;
      this.pause();
      this.seek(0);
    };
    this.follow();
  }

  switchTo(track) {
    this.track = track;
    this.sources.forEach(({ volume }, index) => {
      volume.gain.setTargetAtTime(index === track ? 1 : 0, context.currentTime, 0.004);
    });
    this.changed();
  }

  pause() {
    this.offset = this.position();
    this.stop();
    if (this.playing) sounding = null;
    this.changed();
    this.moved(this.offset);
  }

  stop() {
    this.sources.forEach(({ source }) => { source.onended = null; source.stop(); });
    this.sources = [];
  }

  repeat(loop) {
    this.loop = loop;
    this.sources.forEach(({ source }) => { source.loop = loop; });
  }

  seek(seconds) {
    const on = this.sources.length > 0;
    this.stop();
    this.offset = seconds;
    this.moved(seconds);
    if (on) this.start();
  }

  position() {
    if (!this.sources.length) return this.offset;
    const elapsed = Math.max(0, context.currentTime - this.startedAt);
    return (this.offset + elapsed) % this.seconds;
  }

  follow() {
    if (!this.sources.length) return;
    this.moved(this.position());
    requestAnimationFrame(() => this.follow());
  }
}

/* The tracks of a player in the page: the two clips, their difference, and it again, louder. */
async function tracksOf(player) {
  const rate = Number(player.dataset.rate);
  const clips = all("audio", player).map((audio) => decode(audio, rate));
  const [original, adversarial] = await Promise.all(clips);
  const difference = original.map((value, i) => adversarial[i] - value);
  const gain = 10 ** (Number(player.dataset.gainDb) / 20);
  const louder = difference.map((value) => Math.max(-1, Math.min(1, gain * value)));
  return [original, adversarial, difference, louder];
}

/* The controls of a deck: a button a track, play and pause, a slider, repeat, and keys. */
class Controls {
  constructor(element, seconds, keys) {
    this.element = element;
    this.seconds = seconds;
    this.buttons = all("button.play", element);
    this.toggle = element.querySelector(".toggle");
    this.slider = element.querySelector(".position");
    this.clock = element.querySelector(".clock");
    this.loop = element.querySelector(".loop input");
    this.buttons.forEach((button, place) => {
      button.addEventListener("click", () => this.deck.press(this.trackOf(button, place)));
    });
    this.toggle.addEventListener("click", () => {
      if (this.deck.playing) this.deck.pause();
      else this.deck.play();
    });
    this.slider.addEventListener("input", () => this.deck.seek(Number(this.slider.value)));
    this.loop.addEventListener("change", () => this.deck.repeat(this.loop.checked));
    element.addEventListener("keydown", (event) => {
      const place = keys.indexOf(event.key.toLowerCase());
      if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      const track = this.trackOf(this.buttons[place], place);
      event.preventDefault();
      this.buttons[place].focus({ preventScroll: true });
      if (!this.deck.playing || track !== this.deck.track) this.deck.press(track);
    });
    // Safari gives no focus to a button that is clicked; the keys need one.
    element.addEventListener("pointerdown", () => {
      if (!element.contains(document.activeElement)) element.focus({ preventScroll: true });
    });
  }

  trackOf(button, place) {
    return Number(button.dataset.track ?? place);
  }

  changed() {
    const { playing, track } = this.deck;
    this.element.classList.toggle("playing", playing);
    this.toggle.setAttribute("aria-pressed", String(playing));
    this.buttons.forEach((button, place) => {
      const chosen = track === this.trackOf(button, place);
      button.classList.toggle("chosen", chosen);
      button.setAttribute("aria-pressed", String(playing && chosen));
    });
  }

  moved(seconds) {
    this.element.classList.add("started");
    this.element.style.setProperty("--at", `${(100 * seconds) / this.seconds}%`);
    this.slider.value = seconds;
    this.slider.setAttribute("aria-valuetext", `${seconds.toFixed(2)} seconds`);
    this.clock.textContent = `${seconds.toFixed(2)} / ${this.seconds.toFixed(2)} s`;
  }
}

all(".player").forEach((element) => {
  const controls = new Controls(element, Number(element.dataset.seconds), ["1", "2", "3", "4"]);
  const deck = new Deck(
    () => tracksOf(element),
    Number(element.dataset.rate),
    () => controls.changed(),
    (seconds) => controls.moved(seconds),
  );
  controls.deck = deck;
  deck.broken = () => element.classList.add("undecoded"); // then the browser's own players show
  all(".views", element).forEach((view, track) => {
    view.addEventListener("click", (event) => {
      const box = view.getBoundingClientRect();
      deck.seek(controls.seconds * Math.min(0.99, (event.clientX - box.left) / box.width));
      if (deck.playing) deck.switchTo(track);
      else deck.play(track);
    });
  });
});

