/* ---- one sound at a time: who starts the next has heard the last ---- */
document.addEventListener("play", (event) => {
  all("audio").forEach((audio) => {
    if (audio !== event.target) audio.pause();
  });
}, true);
