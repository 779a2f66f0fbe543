// Light or dark as whoever looks has chosen it, before anything is painted. Without a choice it is the system's.
;(() => {
  const KEY = 'millrace-theme'
  const root = document.documentElement
  try {
    const chosen = localStorage.getItem(KEY)
    if (chosen === 'light' || chosen === 'dark') root.dataset.theme = chosen
  } catch {
    // Storage may be forbidden; then it is the system's each time.
  }
  addEventListener('DOMContentLoaded', () => {
    document.getElementById('theme')?.addEventListener('click', () => {
      const isDark = (root.dataset.theme ?? systemTheme()) === 'dark'
      root.dataset.theme = isDark ? 'light' : 'dark'
      try {
        localStorage.setItem(KEY, root.dataset.theme)
      } catch {
        // As above.
      }
      dispatchEvent(new Event('millrace:theme'))
    })
  })

  function systemTheme() {
    return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  }
})()
