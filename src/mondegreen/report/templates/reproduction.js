(() => {
  "use strict";
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : preferred.matches);
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("mondegreen-theme", root.dataset.theme); } catch { /* closed */ }
    nameTheme();
  });
  preferred.addEventListener("change", nameTheme);
  nameTheme();

  /* One sound at a time: who starts the next has heard the last. */
  document.addEventListener("play", (event) => {
    document.querySelectorAll("audio").forEach((audio) => {
      if (audio !== event.target) audio.pause();
    });
  }, true);
})();
