// Plays the page's sounds: one at a time; a second one takes over where the first one is.
(() => {
  const track = (element) => element.closest(".mg-track");
  const mark = (audio, playing) => {
    const place = track(audio);
    if (!place) return;
    place.querySelector(".mg-play").setAttribute("aria-pressed", String(playing));
    place.classList.toggle("started", playing);
  };
  const playing = () => [...document.querySelectorAll(".mg-track audio")].find((one) => !one.paused);

  const toggle = (button) => {
    const audio = track(button).querySelector("audio");
    const other = playing();
    if (other) other.pause();
    if (other === audio) return;
    const row = (one) => one.closest(".mg-tracks");
    audio.currentTime = other && row(other) === row(audio) ? other.currentTime : 0;
    audio.play();
  };

  const follow = (audio) => {
    if (audio.paused || !audio.isConnected) return;
    const share = audio.duration ? audio.currentTime / audio.duration : 0;
    track(audio).style.setProperty("--at", `${100 * share}%`);
    requestAnimationFrame(() => follow(audio));
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".mg-play");
    if (button) toggle(button);
    if (event.target.closest?.("#mg-theme")) document.body.classList.toggle("dark");
  });
  document.addEventListener("play", (event) => {
    if (!track(event.target)) return;
    mark(event.target, true);
    follow(event.target);
  }, true);
  for (const ending of ["pause", "ended"]) {
    document.addEventListener(ending, (event) => mark(event.target, false), true);
  }
})();
