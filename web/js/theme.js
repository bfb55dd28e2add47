// A classic script before the first paint: a stored choice of theme must not flash the other one.
(function () {
  try {
    const theme = localStorage.getItem('cloudpam.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is switched off in this browser: the system's theme is right.
  }
})();
