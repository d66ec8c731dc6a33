// Before the first paint: the remembered theme, else the system's. A file of its own, as the page allows no inline script.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem('foretick.theme');
  } catch (_) {
    // Site data is blocked: the system's choice stands.
  }
  if (theme !== 'dark' && theme !== 'light') {
    theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  }
  document.documentElement.dataset.theme = theme;
})();
