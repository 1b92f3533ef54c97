const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/* ---- theme ---- */
const theme = document.getElementById("theme");
const isDark = () => document.documentElement.dataset.theme
  ? document.documentElement.dataset.theme === "dark"
  : matchMedia("(prefers-color-scheme: dark)").matches;
const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("mondegreen-theme", document.documentElement.dataset.theme);
  } catch { /* storage is closed to some local files */ }
  nameTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
nameTheme();

