// This runs before the first paint, so that the page never flashes in the wrong theme.
{
  const theme = localStorage.getItem('muster-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
}
