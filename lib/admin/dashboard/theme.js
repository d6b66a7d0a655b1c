/** Light, dark, or as the system has it; remembered by the browser. */
import { byId, setText } from './dom.js'

const KEY = 'redis-ambassador-theme'
const THEMES = ['system', 'light', 'dark']

export function startTheme() {
  const button = byId('theme')
  let theme = remembered()
  const show = () => {
    document.documentElement.dataset['theme'] = theme
    setText(button, `Theme: ${theme}`)
  }
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system'
    remember(theme)
    show()
  })
  show()
}

// A browser that keeps nothing throws.
function remembered() {
  try {
    const theme = localStorage.getItem(KEY) ?? 'system'
    return THEMES.includes(theme) ? theme : 'system'
  } catch {
    return 'system'
  }
}

/** @param {string} theme */
function remember(theme) {
  try {
    localStorage.setItem(KEY, theme)
  } catch {}
}
