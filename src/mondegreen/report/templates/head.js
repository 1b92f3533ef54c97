document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("mondegreen-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch { /* storage is closed to some local files */ }
