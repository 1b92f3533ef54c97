(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* ---- theme ---- */
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("mondegreen-theme", root.dataset.theme); } catch { /* closed */ }
    nameTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
  nameTheme();

  /* ---- sound: three tracks start together, one is loud, so switching keeps the position ---- */
  let context = null; // browsers want a gesture before sound, so it is made at the first click
  let playing = null;

  function decode(address) {
    const text = atob(address.slice(address.indexOf(",") + 1));
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const samples = new Float32Array(view.getUint32(40, true) / 2);
    for (let i = 0; i < samples.length; i += 1) {
      samples[i] = view.getInt16(44 + 2 * i, true) / 32768;
    }
    return { rate: view.getUint32(24, true), samples };
  }

  class Player {
    constructor(element) {
      this.element = element;
      this.buttons = all("button.play", element);
      this.slider = element.querySelector(".position");
      this.loop = element.querySelector(".loop input");
      this.seconds = Number(element.dataset.seconds);
      this.gain = 10 ** (Number(element.dataset.gainDb) / 20);
      this.sources = [];
      this.track = 0;
      this.offset = 0;
      this.buttons.forEach((button, track) => {
        button.addEventListener("click", () => this.press(track));
      });
      this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
      this.loop.addEventListener("change", () => {
        this.sources.forEach(({ source }) => { source.loop = this.loop.checked; });
      });
      element.addEventListener("keydown", (event) => {
        const track = ["1", "2", "3"].indexOf(event.key);
        if (track < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        this.buttons[track].focus();
        if (playing !== this || track !== this.track) this.press(track);
      });
    }

    load() {
      if (this.buffers) return;
      const [original, adversarial] = all("audio", this.element).map((audio) => decode(audio.src));
      const difference = original.samples.map(
        (value, i) => Math.max(-1, Math.min(1, this.gain * (adversarial.samples[i] - value))),
      );
      this.buffers = [original.samples, adversarial.samples, difference].map((samples) => {
        const buffer = context.createBuffer(1, samples.length, original.rate);
        buffer.copyToChannel(samples, 0);
        return buffer;
      });
    }

    press(track) {
      if (playing === this && track === this.track) this.pause();
      else if (playing === this) this.switchTo(track);
      else this.play(track);
    }

    play(track) {
      if (playing) playing.pause();
      context ??= new AudioContext();
      context.resume();
      this.load();
      this.track = track;
      if (this.offset >= this.seconds - 0.01) this.offset = 0;
      this.startedAt = context.currentTime + 0.02;
      this.sources = this.buffers.map((buffer, index) => {
        const source = context.createBufferSource();
        const volume = context.createGain();
        source.buffer = buffer;
        source.loop = this.loop.checked;
        volume.gain.value = index === track ? 1 : 0;
        source.connect(volume).connect(context.destination);
        source.start(this.startedAt, this.offset);
        return { source, volume };
      });
      this.sources[0].source.onended = () => {
        if (playing === this) { this.pause(); this.show(this.offset = 0); }
      };
      playing = this;
      this.mark();
      this.follow();
    }

    switchTo(track) {
      this.track = track;
      this.sources.forEach(({ volume }, index) => {
        volume.gain.setTargetAtTime(index === track ? 1 : 0, context.currentTime, 0.004);
      });
      this.mark();
    }

    pause() {
      this.offset = this.position();
      this.stop();
      playing = null;
      this.mark();
      this.show(this.offset);
    }

    stop() {
      this.sources.forEach(({ source }) => { source.onended = null; source.stop(); });
      this.sources = [];
    }

    seek(seconds) {
      const sounding = playing === this;
      if (sounding) { this.stop(); playing = null; }
      this.offset = seconds;
      this.show(seconds);
      if (sounding) this.play(this.track);
    }

    position() {
      if (!this.sources.length) return this.offset;
      const elapsed = Math.max(0, context.currentTime - this.startedAt);
      return (this.offset + elapsed) % this.seconds;
    }

    mark() {
      this.buttons.forEach((button, track) => {
        const current = playing === this && track === this.track;
        button.setAttribute("aria-pressed", String(current));
      });
    }

    show(seconds) {
      this.element.classList.add("started");
      this.element.style.setProperty("--at", `${(100 * seconds) / this.seconds}%`);
      this.slider.value = seconds;
      this.slider.setAttribute("aria-valuetext", `${seconds.toFixed(2)} seconds`);
    }

    follow() {
      if (playing !== this) return;
      this.show(this.position());
      requestAnimationFrame(() => this.follow());
    }
  }

  all(".player").forEach((element) => new Player(element));

  /* ---- matrix: one cell's pairs at a time; arrow keys walk over the cells ---- */
  const table = document.getElementById("matrix-table");
  const links = all("a.cell", table);
  const status = document.getElementById("cell-status");
  const panel = document.getElementById("pairs");

  function choose(link) {
    if (playing && panel.contains(playing.element)) playing.pause();
    all(".group.shown").forEach((group) => group.classList.remove("shown"));
    links.forEach((other) => {
      other.tabIndex = other === link ? 0 : -1;
      if (other === link) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    });
    document.getElementById(link.hash.slice(1)).classList.add("shown");
  }

  function walk(event) {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const step = steps[event.key];
    const link = event.target.closest("a.cell");
    if (!step || !link) return;
    event.preventDefault();
    let [row, column] = [Number(link.dataset.row) + step[0], Number(link.dataset.column) + step[1]];
    const size = table.tBodies[0].rows.length;
    while (row >= 0 && row < size && column >= 0 && column < size) {
      const next = table.querySelector(`a[data-row="${row}"][data-column="${column}"]`);
      if (next) { next.focus(); return; }
      row += step[0];
      column += step[1];
    }
  }

  links.forEach((link) => {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      choose(link);
      history.replaceState(null, "", link.hash);
      status.textContent = link.getAttribute("aria-label");
      const below = panel.getBoundingClientRect().top > innerHeight * 0.8;
      if (below) panel.scrollIntoView({ block: "start" });
    });
  });
  table.addEventListener("keydown", walk);
  const first = links.find((link) => link.hash === location.hash)
    || links.find((link) => link.classList.contains("audible")) || links[0];
  if (first) choose(first);
})();
